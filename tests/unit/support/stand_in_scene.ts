import { CLIENT } from "../../support/stand_in/client.ts";
import { StandIn } from "../../support/stand_in/stand_in.ts";
import type { ClientAuthentication, Facts } from "../../support/stand_in/types.ts";

/** Parameters by name, in the place of the usual ones; null leaves one out. */
export type Change = Readonly<Record<string, string | null>>;

/** RFC 7636, Appendix B. */
export const VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/** What brings a refresh token and tells whose it is; who is absent takes no scopes. */
const ASKED: Readonly<Record<string, Change>> = {
  hubspot: { scope: "crm.objects.contacts.read oauth" },
  salesforce: { scope: "api offline_access" },
  zoho: { scope: "ZohoCRM.org.READ,ZohoCRM.users.READ", access_type: "offline", prompt: "consent" },
  google: { scope: "openid email", access_type: "offline", prompt: "consent" },
  microsoft: { scope: "openid offline_access" },
  slack: { scope: "users:read,team:read" },
  xero: { scope: "openid offline_access" },
  quickbooks: { scope: "com.intuit.quickbooks.accounting" },
  linkedin: { scope: "openid profile" },
  zendesk: { scope: "read" },
  airtable: { scope: "user.email:read data.records:read" },
  atlassian: { scope: "read:me offline_access" },
};

/** Beside the standard ones in both token requests. */
const SENT: Readonly<Record<string, Change>> = { zendesk: { expires_in: "1800" } };

/** What API requests need beside the token. */
const HEADERS: Readonly<Record<string, Record<string, string>>> = {
  notion: { "notion-version": "2022-06-28" },
  xero: { "xero-tenant-id": "45e4708e-d862-4111-ab3a-dd8cd03913e1" },
  linkedin: { "linkedin-version": "202610" },
};

/** How a token request deviates from what the facts ask for. */
export interface Deviation {
  readonly url?: string;
  readonly method?: string;
  readonly format?: "form" | "json";
  readonly way?: ClientAuthentication | "none" | "twice";
  readonly secret?: string;
  readonly accept?: string;
}

export interface Told {
  readonly status: number;
  readonly headers: Headers;
  /** JSON, or text that is none. */
  readonly body: unknown;
}

export interface Tokens {
  readonly access_token: string;
  readonly refresh_token?: string;
}

export type Scene = ReturnType<typeof scene>;

/** A stand-in, time that a test moves, and requests as the facts ask for them. */
export function scene(facts: Facts, begins_at?: number) {
  const time = { ms: 0 };
  const stand_in = new StandIn(facts, { now: () => time.ms }, begins_at);
  const { name } = facts;
  const authorizationUrl = (change: Change = {}) => {
    const url = new URL(facts.authorization.endpoint);
    const challenge: Change = facts.authorization.code_challenge === "refused"
      ? {}
      : { code_challenge: CHALLENGE, code_challenge_method: "S256" };
    const parameters = changed({
      ...facts.authorization.required,
      client_id: CLIENT.client_id,
      redirect_uri: stand_in.redirect_uri,
      state: "a state",
      ...challenge,
      ...ASKED[name],
    }, change);
    url.search = parameters.toString();
    return url.href;
  };
  const token = async (change: Change, deviation: Deviation = {}) => {
    const parameters = changed({ ...SENT[name] }, change);
    return told(await stand_in.fetch(...tokenRequest(facts, parameters, deviation)));
  };
  return {
    facts,
    stand_in,
    time,
    authorizationUrl,
    authorize: (change?: Change) => stand_in.authorize(authorizationUrl(change)),
    exchange: (redirect: URL, change: Change = {}, deviation?: Deviation) =>
      token({
        grant_type: "authorization_code",
        code: redirect.searchParams.get("code"),
        redirect_uri: stand_in.redirect_uri,
        code_verifier: facts.authorization.code_challenge === "refused" ? null : VERIFIER,
        ...change,
      }, deviation),
    refresh: ({ refresh_token = "none" }: Tokens, change: Change = {}, deviation?: Deviation) =>
      token({ grant_type: "refresh_token", refresh_token, ...change }, deviation),
    /** Asks the API for the thing, unless told otherwise. */
    async ask(access_token: string, url = facts.api.thing, headers: Record<string, string> = {}) {
      const authorization = `${facts.api.scheme} ${access_token}`;
      const all = { authorization, ...HEADERS[name], ...headers };
      return told(await stand_in.fetch(url, { headers: all }));
    },
    /** What was wrong with the last request. */
    refused: () => stand_in.journal.at(-1)?.refused,
  };
}

/** The tokens of a new authorization. */
export async function connected(of: Scene, change?: Change): Promise<Tokens> {
  return tokensOf(await of.exchange(of.authorize(change)));
}

/** @throws {Error} where there are none */
export function tokensOf({ status, body }: Told): Tokens {
  const tokens = body as Partial<Tokens>;
  if (status !== 200 || typeof tokens.access_token !== "string") throw new Error(`no tokens: ${status}`);
  return { access_token: tokens.access_token, refresh_token: tokens.refresh_token };
}

function changed(usual: Change, change: Change): URLSearchParams {
  const all = Object.entries({ ...usual, ...change });
  return new URLSearchParams(all.flatMap(([name, value]) => value === null ? [] : [[name, value]]));
}

function tokenRequest(
  { token }: Facts,
  parameters: URLSearchParams,
  deviation: Deviation,
): [string, RequestInit] {
  const { format = token.format, way = token.client_authentication[0], method = "POST" } = deviation;
  const { secret = CLIENT.client_secret, accept = "application/json" } = deviation;
  const headers = new Headers({ accept });
  if (way === "body" || way === "twice") {
    parameters.set("client_id", CLIENT.client_id);
    parameters.set("client_secret", secret);
  }
  if (way === "basic_raw" || way === "twice") {
    headers.set("authorization", `Basic ${btoa(`${CLIENT.client_id}:${secret}`)}`);
  }
  if (way === "basic_urlencoded") {
    const encoded = [CLIENT.client_id, secret].map((_) => new URLSearchParams({ _ }).toString().slice(2));
    headers.set("authorization", `Basic ${btoa(encoded.join(":"))}`);
  }
  const form = format === "form";
  headers.set("content-type", form ? "application/x-www-form-urlencoded" : "application/json");
  const body = form ? parameters.toString() : JSON.stringify(Object.fromEntries(parameters));
  const url = deviation.url ?? token.endpoints.at(-1)?.url ?? "";
  return [url, { method, headers, ...(method !== "GET" && { body }) }];
}

async function told(response: Response): Promise<Told> {
  const { status, headers } = response;
  const text = await response.text();
  const json = headers.get("content-type")?.startsWith("application/json") ?? false;
  return { status, headers, body: json ? JSON.parse(text) : text };
}
