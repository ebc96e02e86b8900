import type { Definition } from "../../supabase/functions/_shared/oauth/provider.ts";
import { startChild } from "../chaos/field/child.ts";
import type { Addresses, Counts, Deed } from "./present.ts";

/** Somebody else's authorization server, and an API behind it, in a process of its own. */
export interface Stranger {
  /** Of the authorization server. */
  readonly origin: string;
  readonly api_origin: string;
  readonly client_id: string;
  readonly client_secret: string;
  /** All that our functions know of it. */
  definition(): Definition;
  /** Plays the browser, in which jane signs in and allows. Gives the redirect back to us, not followed. */
  authorize(url: string): Promise<URL>;
  /** The exchange of a code is one, too. */
  token_requests(): Promise<number>;
  /** Of the token requests, those that were refused. */
  refused(): Promise<number>;
  /** How often the API was asked whose a token is. */
  account_requests(): Promise<number>;
  /** Authorizations that can still be used. */
  grants(): Promise<number>;
  /** Jane ends all of it there. */
  end_grant(): Promise<void>;
  /** Nobody listens at the authorization server's address any more; the API goes on. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** Every access token that was issued is over. */
  expire(): Promise<void>;
  /** How long access tokens live that are issued from now on. */
  live_for(seconds: number): Promise<void>;
  stop(): Promise<void>;
}

export interface Client {
  readonly client_id: string;
  readonly client_secret: string;
}

/** What a stranger's process is told. */
export interface Registered extends Client {
  /** Without its port: any is meant (RFC 8252 §7.3), since ours is not known yet. */
  readonly redirect_uri: string;
  readonly gives_refresh_tokens: boolean;
}

/** With characters that HTTP Basic, a form and a URL each write otherwise (RFC 6749 §2.3.1, appendix B). */
function newClient(): Client {
  const special = "%2B + & = : / ? # [ ] @ ! $ ' ( ) * , ; \" < > \\ ^ ` { | } ~ - _ . %";
  return { client_id: "our client: 1+1 & more", client_secret: `${crypto.randomUUID()} ${special}` };
}

/**
 * Starts one, with our client registered.
 *
 * @param module its process, which calls `present`
 */
export async function startStranger(module: URL, definition: Definition): Promise<Stranger> {
  const client = newClient();
  const registered: Registered = {
    ...client,
    redirect_uri: `http://127.0.0.1/functions/v1/oauth-callback/${definition.name}`,
    gives_refresh_tokens: definition.rotation !== "none",
  };
  const { ready, stop } = await startChild<Addresses>(module, registered);
  const { origin, api_origin, control_origin } = ready;
  const tell = async (deed: Deed, seconds = 0): Promise<Counts> => {
    const request = { method: "POST", body: JSON.stringify({ seconds }) };
    const answer = await fetch(`${control_origin}/${deed}`, request);
    if (answer.ok) return await answer.json();
    throw new Error(`${definition.name} did not do "${deed}": ${await answer.text()}`);
  };
  const count = async (what: keyof Counts) => (await tell("count"))[what];
  return {
    ...client,
    origin,
    api_origin,
    definition: () => definition,
    authorize: (url) => browse(url, origin),
    token_requests: () => count("token_requests"),
    refused: () => count("refused"),
    account_requests: () => count("account_requests"),
    grants: () => count("grants"),
    end_grant: async () => void await tell("end_grants"),
    down: async () => void await tell("down"),
    up: async () => void await tell("up"),
    expire: async () => void await tell("expire"),
    live_for: async (seconds) => void await tell("live_for", seconds),
    stop: async () => void await stop(),
  };
}

/** More than any of them needs to sign somebody in. */
const MOST_REDIRECTS = 10;

/** A browser of its own, with cookies, that goes where it is sent until that is away from `origin`. */
async function browse(url: string, origin: string): Promise<URL> {
  // No connection stays open that would keep a server from going down.
  using client = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });
  const cookies = new Map<string, string>();
  let place = new URL(url);
  for (let step = 0; step < MOST_REDIRECTS; step += 1) {
    const answer = await fetch(place, { client, redirect: "manual", headers: cookieHeader(cookies) });
    const text = await answer.text();
    answer.headers.getSetCookie().forEach((line) => keep(cookies, line));
    const location = answer.headers.get("location");
    if (location === null) throw new Error(`${answer.status} at ${place.pathname}: ${text}`);
    place = new URL(location, place);
    if (place.origin !== origin) return place;
  }
  throw new Error(`still at ${place.pathname} after ${MOST_REDIRECTS} redirects`);
}

function cookieHeader(cookies: ReadonlyMap<string, string>): Record<string, string> {
  const pairs = Array.from(cookies, ([name, value]) => `${name}=${value}`);
  return pairs.length > 0 ? { cookie: pairs.join("; ") } : {};
}

/** An empty value is how a server takes a cookie back. */
function keep(cookies: Map<string, string>, line: string): void {
  const [, name = "", value = ""] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
  if (value === "") cookies.delete(name);
  else cookies.set(name, value);
}
