import { type ApiCall, callApi } from "../../../supabase/functions/_shared/use/call_api.ts";
import { type PublicCode, PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { type Answer, type FakeFetch, json, respondWith } from "../../support/fake_fetch.ts";
import type { FakeClock } from "../../support/clock.ts";
import { connected, makeContext } from "../../support/context.ts";
import { type ConnectedOptions } from "../../support/make.ts";

const TOKEN_ENDPOINT = "https://oauth.pipedrive.com/oauth/token";
export const FOUND = '{ "success":true,"data":{"items":[]} }\n';
export const found = (headers: HeadersInit = {}) =>
  new Response(FOUND, {
    headers: { "content-type": "application/json", ...Object.fromEntries(new Headers(headers)) },
  });
export const status = (code: number, headers: HeadersInit = {}) => json({ success: false }, code, headers);
export const never = () => new Promise<Response>(() => {});

type SceneOptions = ConnectedOptions & {
  readonly clock?: FakeClock;
  readonly onRefresh?: () => void;
  /** The token endpoint never answers. */
  readonly slow?: boolean;
  /** Of each refresh in turn; the last one of all that follow. */
  readonly api_domains?: readonly string[];
};

/** One connection, an API that answers as scripted, and a token endpoint that always works. */
export async function scene(answers: Answer[], options: SceneOptions = {}) {
  const script = [...answers];
  let refreshes = 0;
  const fetch: FakeFetch = respondWith((request) => {
    if (request.url === TOKEN_ENDPOINT) {
      refreshes += 1;
      options.onRefresh?.();
      if (options.slow) return never();
      const api_domain = options.api_domains?.[refreshes - 1] ?? options.api_domains?.at(-1);
      const tokens = {
        api_domain,
        access_token: `new-access-${refreshes}`,
        refresh_token: `new-refresh-${refreshes}`,
      };
      return json({ ...tokens, token_type: "bearer", expires_in: 3599, scope: "base" });
    }
    const answer = script.shift();
    if (answer === undefined) throw new Error("the API was asked once too often");
    if (answer instanceof Error) throw answer;
    return typeof answer === "function" ? answer(request) : answer;
  });
  const context = await makeContext({ fetch, ...(options.clock && { clock: options.clock }) });
  const made = await connected(context, { access_token: "first-access", ...options });
  const call = {
    connection_id: made.id,
    user_id: made.user_id,
    path: "/api/v2/persons/search",
    query: { term: "jane" },
  };
  return {
    context,
    made,
    /** Leaves no work behind, so that the next test starts from rest. */
    ask: (changes: Partial<ApiCall> = {}) =>
      callApi(context, { ...call, ...changes }).finally(() => context.clock.settle()),
    api: () => fetch.requests.filter(({ url }) => url !== TOKEN_ENDPOINT),
    refreshes: () => refreshes,
    left: () => script.length,
  };
}

export async function refusal(work: Promise<unknown>, code: PublicCode): Promise<PublicError> {
  const error = await assertRejects(() => work, PublicError);
  assertEquals(error.code, code, error.message);
  return error;
}
