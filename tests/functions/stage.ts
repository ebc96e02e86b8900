import { asFetch, createSandbox } from "../../local/sandbox/mod.ts";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { serve } from "../../supabase/functions/_shared/http/serve.ts";
import type { Wiring } from "../../supabase/functions/_shared/wiring.ts";
import { routes } from "../../supabase/functions/oauth-callback/routes.ts";
import { refreshToken } from "../../supabase/functions/refresh-token/handler.ts";
import { assert } from "../support/assert.ts";
import { connected, makeContext } from "../support/context.ts";
import { type ConnectedOptions, makeClient } from "../support/make.ts";
import { PROJECT, userToken } from "./callers.ts";
import { logging } from "./log_lines.ts";

for (const [name, value] of Object.entries(PROJECT)) Deno.env.set(name, value);

export const APP = "https://app.example";
export const OTHER_APP = "https://other.example";
export const MARI = "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11";
export const JONAS = "0b9ff0a2-8f5d-4d6a-9f0a-3f1b2c4d5e6f";
/** The sandbox's first account, for whom the consent page installs unless told otherwise. */
export const ACCOUNT = { company_id: 7100201, user_id: 11 };

const FUNCTIONS = "https://project.supabase.co/functions/v1";
export const CALLBACK = `${FUNCTIONS}/oauth-callback/pipedrive`;

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: Record<string, unknown>;
  /** Where a redirect leads, and what its fragment says. */
  readonly location: string | null;
  readonly fragment: URLSearchParams;
}

export interface Ask {
  readonly method?: string;
  /** Whose token goes along. */
  readonly user?: string;
  readonly headers?: Record<string, string>;
  /** Sent as JSON; a text as it is. */
  readonly body?: unknown;
}

export type Stage = Awaited<ReturnType<typeof makeStage>>;

/** The real functions behind the real edge, between a database in memory and Pipedrive's sandbox in process. */
async function makeStage() {
  const client = makeClient();
  const { client_id, client_secret, redirect_uri } = client;
  const secrets = new Set([client_secret]);
  const texts: string[] = [];
  const sandbox = createSandbox({
    client_id,
    client_secret,
    redirect_uri,
    notify: (input, init) => callback(new Request(input, init)),
  });
  const context = await makeContext({ client, fetch: listening(asFetch(sandbox), secrets) });
  const wiring: Wiring = {
    context: (name) => {
      if (name === "pipedrive") return context;
      throw new PublicError("UNKNOWN_PROVIDER", "there is no such provider");
    },
    store: context.store,
    app_origins: [APP, OTHER_APP],
    providers: ["pipedrive"],
  };
  const wire = () => Promise.resolve(wiring);
  const callback = serve("oauth-callback", ["user", "none"], routes(wire));
  const refreshing = serve("refresh-token", ["user", "secret:*"], refreshToken(wire));

  const send = async (handle: typeof callback, url: string, { method, user, headers, body }: Ask) => {
    const sent = new Headers(body === undefined ? {} : { "content-type": "application/json" });
    if (user !== undefined) sent.set("authorization", `Bearer ${await userToken({ sub: user })}`);
    for (const [name, value] of Object.entries(headers ?? {})) sent.set(name, value);
    const response = await handle(
      new Request(url, {
        method: method ?? (body === undefined ? "GET" : "POST"),
        headers: sent,
        ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
      }),
    );
    return answerOf(response, texts);
  };
  return {
    context,
    store: context.store,
    provider: sandbox.control,
    /** What must be in no log line and in no answer but the one that hands it out. */
    secrets,
    /** The bodies of all answers. */
    texts,
    /** Asks `oauth-callback`, below the provider's path. */
    callback: (action: string, ask: Ask = {}) => send(callback, `${CALLBACK}${action}`, ask),
    refresh: (ask: Ask) => send(refreshing, `${FUNCTIONS}/refresh-token`, { method: "POST", ...ask }),
    connected: (options?: ConnectedOptions) => connected(context, options),
    /** How many requests of a kind the provider has received. */
    requests: async (kind: keyof Awaited<ReturnType<typeof sandbox.control.counts>>["requests"]) =>
      (await sandbox.control.counts()).requests[kind],
  };
}

/** One story, told on a stage of its own. However it goes, no secret may be in a log line or an answer. */
export function story(name: string, tell: (stage: Stage) => Promise<void>): void {
  Deno.test(name, async () => {
    const stage = await makeStage();
    const { text } = await logging(() => tell(stage));
    for (const secret of stage.secrets) {
      assert(!text.includes(secret), "a log line holds a secret");
      assert(!stage.texts.some((answer) => answer.includes(secret)), "an answer holds a secret");
    }
  });
}

export interface Begun {
  readonly authorization_url: string;
  readonly binding: string;
  readonly state: string;
}

/** A user begins; the page keeps the binding. */
export async function begin(
  { callback, secrets }: Stage,
  user = MARI,
  { body = {}, ...ask }: Ask = {},
): Promise<Begun> {
  const { status, body: begun } = await callback("/authorize", { user, body, ...ask });
  assert(status === 201, `begin was answered ${status}`);
  const authorization_url = String(begun.authorization_url);
  const state = new URL(authorization_url).searchParams.get("state") ?? "";
  const binding = String(begun.binding);
  secrets.add(state).add(binding);
  return { authorization_url, binding, state };
}

/** The user allows, and the browser comes back: the query of the redirect. */
export async function allow({ provider, secrets }: Stage, { authorization_url }: Begun): Promise<string> {
  const { search, searchParams } = new URL(await provider.authorize({ authorization_url }));
  secrets.add(searchParams.get("code") ?? "");
  return search;
}

/** Begins, allows and comes back: what the page then holds. */
export async function parked(
  stage: Stage,
  user = MARI,
): Promise<{ user: string; binding: string; ticket: string; state: string }> {
  const begun = await begin(stage, user);
  const { fragment } = await stage.callback(await allow(stage, begun));
  const ticket = fragment.get("oauth_ticket") ?? "";
  assert(ticket !== "", "no ticket came back");
  stage.secrets.add(ticket);
  return { user, binding: begun.binding, ticket, state: begun.state };
}

export function complete(
  { callback }: Stage,
  { user, ticket, binding }: { user: string; ticket: string; binding: string },
): Promise<Answer> {
  return callback("/complete", { user, body: { ticket, binding } });
}

/** Reads along at the token endpoint, to know what must never appear. */
function listening(fetch: typeof globalThis.fetch, secrets: Set<string>): typeof globalThis.fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (!String(input instanceof Request ? input.url : input).includes("/oauth/token")) return response;
    for (const [, token = ""] of (await response.clone().text()).matchAll(/"\w+_token": ?"([^"]+)"/g)) {
      secrets.add(token);
    }
    return response;
  };
}

async function answerOf(response: Response, texts: string[]): Promise<Answer> {
  const text = await response.text();
  // Beginning hands out the state, within the URL, and the binding. No other answer holds a secret.
  if (response.status !== 201) texts.push(text);
  const location = response.headers.get("location");
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: text.startsWith("{") ? JSON.parse(text) : {},
    location,
    fragment: new URLSearchParams(location?.split("#")[1]),
  };
}
