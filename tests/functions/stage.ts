/** The stage that every story of the functions is told on. */
import { asFetch, createSandbox } from "../../local/sandbox/mod.ts";
import type { Context } from "../../supabase/functions/_shared/context.ts";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import { Memory } from "../../supabase/functions/_shared/keep/memory.ts";
import type { Client } from "../../supabase/functions/_shared/oauth/client.ts";
import { measuredFetch, measuredStore, type Wire } from "../../supabase/functions/_shared/wiring.ts";
import { routes } from "../../supabase/functions/oauth-callback/routes.ts";
import { loadAll } from "../../supabase/functions/_shared/providers/mod.ts";
import { corsOf, proxy } from "../../supabase/functions/proxy/handler.ts";
import type { Policy } from "../../supabase/functions/proxy/policy.ts";
import { refreshToken } from "../../supabase/functions/refresh-token/handler.ts";
import { searchPersons } from "../../supabase/functions/search-persons/handler.ts";
import { assert } from "../support/assert.ts";
import { FakeClock } from "../support/clock.ts";
import { makeContext, type TestContext } from "../support/context.ts";
import { EPOCH } from "../support/database_time.ts";
import { makeClient } from "../support/make.ts";
import { MARI } from "../support/store.ts";
import { bearer, SECRET_KEYS, TRUSTED, userToken } from "./callers.ts";
import { logging } from "./log_lines.ts";

export const APP = "https://app.example";
export const OTHER_APP = "https://other.example";
export const SECRET = { apikey: SECRET_KEYS.default };
/** May sweep and nothing else. */
export const SCHEDULE = { apikey: SECRET_KEYS.cron };

/** What passes on the stage. */
const DEFINITIONS = await loadAll();
const ALLOWED: Policy = {
  users: {
    pipedrive: [
      "GET /api/v2/persons/search",
      "GET /api/v2/deals/*",
      "POST /api/v2/deals",
      "DELETE /api/v2/deals/*",
      "GET /api/v1/touch changes",
    ],
  },
  secret_keys: { pipedrive: ["GET /api/v2/**"] },
};
const FUNCTIONS = "https://project.supabase.co/functions/v1";
/** A second provider, so that a test may take one for the other. */
const ELSEWHERE = "elsewhere";

export interface Ask {
  readonly method?: string;
  /** Whose token goes along. */
  readonly user?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON; a text or a stream as it is. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
  /** Status and code. */
  readonly refusal: readonly [number, unknown];
  /** Where a redirect leads, and what its fragment says. */
  readonly location: string | null;
  readonly fragment: URLSearchParams;
  /** The request's line in the log. */
  readonly line: Record<string, unknown>;
}

export interface StageOptions {
  /** A provider other than Pipedrive, with the network on which it is. */
  readonly client?: Client;
  readonly fetch?: typeof fetch;
}

export type Stage = Awaited<ReturnType<typeof makeStage>>;

/** The real functions behind the real edge, between the real SQL and Pipedrive's sandbox, all in the test's time. */
async function makeStage(written: readonly string[], { client = makeClient(), fetch }: StageOptions) {
  const { client_id, client_secret, redirect_uri, provider: { name } } = client;
  const clock = new FakeClock({ auto: true });
  const secrets = new Set([client_secret]);
  const answers: Answer[] = [];
  const sent: Request[] = [];
  const sandbox = createSandbox({
    client_id,
    client_secret,
    redirect_uri,
    now: () => EPOCH + clock.now(),
    sleep: (ms) => clock.sleep(ms),
    notify: (input, init) => callback(new Request(input, init)),
  });
  const network = listening(fetch ?? asFetch(sandbox), sent, secrets);
  const context = await makeContext({ client, clock, fetch: network });
  const provider = { ...client.provider, name: ELSEWHERE };
  const elsewhere = { client: { ...client, provider }, memory: new Memory() };
  const app_origins = [APP, OTHER_APP];
  const withdrawn = new Set<string>();
  const wire = wireTo(context, elsewhere, app_origins, withdrawn);
  const callback = serve("oauth-callback", ["user", "none"], TRUSTED, routes(wire));
  const refresh = serve("refresh-token", ["user", "secret:*"], TRUSTED, refreshToken(wire));
  const passing = serve(
    "proxy",
    ["user", "secret:*"],
    TRUSTED,
    proxy(ALLOWED, DEFINITIONS, wire),
    corsOf(DEFINITIONS),
  );
  const search = serve("search-persons", ["user", "secret:*"], TRUSTED, (edge) => searchPersons(edge, wire));

  const ask = async (handle: typeof callback, path: string, { user, ...rest }: Ask) => {
    const token = user && await userToken({ sub: user });
    if (token) secrets.add(token);
    const request = requestOf(path, { ...rest, headers: { ...(token && bearer(token)), ...rest.headers } });
    const answer = await answerOf(await handle(request), written);
    answers.push(answer);
    return answer;
  };
  return {
    context,
    /** Takes a provider's settings away. */
    withdraw: (provider: string = name) => void withdrawn.add(provider),
    clock,
    store: context.store,
    /** The same registration at the second provider. */
    elsewhere: { ...context, ...elsewhere },
    /** The applications' origins: a test may take one away. */
    app_origins,
    provider: sandbox.control,
    /** What must be in no log line, in no report and in no answer but the one that hands it out. */
    secrets,
    answers,
    /** What went out, whatever became of it. */
    sent,
    /** Asks `oauth-callback`, below the provider's path. */
    callback: (path: string, asked: Ask = {}) => ask(callback, `/oauth-callback/${name}${path}`, asked),
    refresh: (asked: Ask) => ask(refresh, "/refresh-token", { method: "POST", ...asked }),
    search: (query: string, asked: Ask = { user: MARI }) => ask(search, `/search-persons${query}`, asked),
    proxy: (path: string, asked: Ask = { user: MARI }) => ask(passing, `/proxy${path}`, asked),
    /** How many requests of a kind the provider has received. */
    requests: async (kind: keyof Awaited<ReturnType<typeof sandbox.control.counts>>["requests"]) =>
      (await sandbox.control.counts()).requests[kind],
  };
}

/** One story, told on a stage of its own. However it goes, no secret may be in a log line, a report or an answer. */
export function story(name: string, tell: (stage: Stage) => Promise<void>, options: StageOptions = {}): void {
  Deno.test(name, async () => {
    await logging(async (written) => {
      const stage = await makeStage(written, options);
      await tell(stage);
      await stage.context.background();
      await stage.clock.settle();
      const told = [...written, ...stage.answers.map(shown), Deno.inspect(stage.context.reports)].join("\n");
      for (const secret of stage.secrets) assert(!told.includes(secret), "a secret was told");
      assert(!/_sealed|v1u:|\bv1\.k\d\./.test(told), "a token was told, as it is or sealed");
    });
  });
}

/** As `wiring.ts` does in a deployment: the test's context for one provider, and a second one beside it. */
function wireTo(
  context: TestContext,
  elsewhere: Pick<TestContext, "client" | "memory">,
  app_origins: readonly string[],
  withdrawn: ReadonlySet<string>,
): Wire {
  const { name } = context.client.provider;
  return ({ log, meters }) => {
    const store = measuredStore(meters.database, context.store);
    const contextOf = (provider: string): Context => {
      if (withdrawn.has(provider) || (provider !== name && provider !== ELSEWHERE)) {
        throw new PublicError("UNKNOWN_PROVIDER", "there is no such provider");
      }
      log.provider = provider;
      return {
        ...context,
        ...(provider === ELSEWHERE && elsewhere),
        store,
        fetch: measuredFetch(meters.provider, context.fetch),
      };
    };
    return Promise.resolve({
      context: contextOf,
      store,
      app_origins,
      offered: [name, ELSEWHERE].filter((one) => !withdrawn.has(one)).map((one) => ({
        name: one,
        values: [],
      })),
    });
  };
}

/** Notes what is sent, and reads along at the token endpoint to know what must never appear. */
function listening(send: typeof fetch, sent: Request[], secrets: Set<string>): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    sent.push(request);
    const response = await send(input, init);
    if (!new URL(request.url).pathname.endsWith("/token")) return response;
    for (const [, token = ""] of (await response.clone().text()).matchAll(/"\w+_token": ?"([^"]+)"/g)) {
      secrets.add(token);
    }
    return response;
  };
}

function requestOf(path: string, { method, headers, body }: Ask): Request {
  if (body === undefined) return new Request(FUNCTIONS + path, { method, headers });
  return new Request(FUNCTIONS + path, {
    method: method ?? "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof ReadableStream ? body : JSON.stringify(body),
  });
}

async function answerOf(response: Response, written: readonly string[]): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  const body = text.startsWith("{") && text.endsWith("}") ? JSON.parse(text) : {};
  const location = headers.get("location");
  const request_id = headers.get("x-request-id") ?? "";
  return {
    status,
    headers,
    text,
    body,
    refusal: [status, body.code],
    location,
    fragment: new URLSearchParams(location?.split("#")[1]),
    line: JSON.parse(written.find((line) => line.includes(request_id)) ?? "{}"),
  };
}

/** Beginning hands out the state, within the URL, and the binding; a redirect its ticket. No other answer holds a secret. */
function shown({ status, headers, text }: Answer): string {
  const others = [...headers].filter(([name]) => name !== "location");
  return JSON.stringify(others) + (status === 201 ? "" : text);
}
