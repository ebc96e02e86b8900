import { valueAt } from "../bytes.ts";
import type { Client, Grant, TokenSet, Transport } from "./client.ts";
import { OAuthError, UnexpectedResponse } from "./errors.ts";
import { idTokenClaims } from "./id_token.ts";
import { asErrorCode, readObject, readText } from "./json.ts";
import type { Provider, TokenField } from "./provider.ts";
import { send } from "./server.ts";
import type { Values } from "./values.ts";

/** Longest lifetime believed, in seconds: a year. Beyond it a number is a mistake in its unit. */
const LONGEST_EXPIRES_IN = 365 * 24 * 60 * 60;
/** Of a refresh token: QuickBooks' live five years at most. */
const LONGEST_REFRESH_TOKEN = 6 * LONGEST_EXPIRES_IN;

/** RFC 6749 §4.1.3, RFC 7636 §4.5. */
const EXCHANGE = {
  grant_type: "authorization_code",
  code: "{code}",
  redirect_uri: "{redirect_uri}",
  code_verifier: "{code_verifier}",
};
/** RFC 6749 §6. */
const REFRESH = { grant_type: "refresh_token", refresh_token: "{refresh_token}" };

/** What was brought back, and what the user and the redirect gave beside it. */
export interface CodeGrant {
  readonly code: string;
  readonly code_verifier: string | null;
  readonly redirect_uri: string;
  readonly values: Values;
}

/**
 * Exchanges an authorization code (RFC 6749 §4.1.3).
 *
 * @throws {OAuthError} refused: `invalid_grant` if the code is used, expired or another client's
 * @throws {UnexpectedResponse} the answer is neither tokens nor an OAuth error; here also one without a refresh token,
 * where the definition does not allow for it
 * @throws {ProviderUnreachable} no usable answer
 * @throws {EndpointUnusable} nothing was sent
 */
export async function exchangeCode(
  client: Client,
  { code, code_verifier, redirect_uri, values }: CodeGrant,
  transport: Transport,
): Promise<TokenSet> {
  const { provider } = client;
  const own = { code, redirect_uri, code_verifier: code_verifier ?? undefined };
  const message = messageOf(provider, provider.token_endpoint, [EXCHANGE, provider.token_parameters]);
  const response = await send(client, message, { values, own }, transport);
  const tokens = await processTokenResponse(client, response, { first: true });
  if (provider.rotation === "none") return { ...tokens, refresh_token: undefined };
  if (tokens.refresh_token === undefined && !provider.refresh_token_optional) {
    throw new UnexpectedResponse("no_refresh_token", response.status);
  }
  return tokens;
}

/**
 * Spends a refresh token (RFC 6749 §6). Once sent, it may be spent whatever comes back: see `classifyFailure`.
 *
 * @throws {OAuthError} refused: `invalid_grant` if it is over
 * @throws {UnexpectedResponse} the answer is neither tokens nor an OAuth error
 * @throws {ProviderUnreachable} no usable answer
 * @throws {EndpointUnusable} nothing was sent
 */
export async function refreshTokens(
  client: Client,
  { access_token, refresh_token, values }: Grant,
  transport: Transport,
): Promise<TokenSet> {
  const { provider } = client;
  const message = messageOf(provider, provider.refresh_endpoint, [REFRESH, provider.refresh_parameters]);
  const own = { access_token, refresh_token };
  const response = await send(client, message, { values, own }, transport);
  return processTokenResponse(client, response, { first: false });
}

function messageOf(
  { token_request_format: format, token_request_headers: headers }: Provider,
  url: string,
  parameters: readonly Readonly<Record<string, string | null>>[],
) {
  return { url, method: "POST", auth: "client", format, headers, parameters } as const;
}

/** Whether an authorization begins with it: what it leaves out nothing before has said. */
interface Place {
  readonly first: boolean;
}

/** Tokens beat an error beside them: what the provider has issued must be kept. */
async function processTokenResponse(client: Client, response: Response, place: Place): Promise<TokenSet> {
  const { status, ok } = response;
  const { provider } = client;
  const object = await readObject(response);
  const body = ok && object && provider.transform ? provider.transform.token_response(object) : object;
  const field = (name: TokenField) => firstAt(body, provider.token_response[name]);
  if (ok && body && field("access_token")) return readTokens(client, body, response, place);
  const error = asErrorCode(field("error"));
  if (error) throw new OAuthError(error, status);
  if (body === null && ok) throw new UnexpectedResponse("not_json", status);
  throw new UnexpectedResponse(ok ? "no_access_token" : `status_${status}`, status, body !== null);
}

/** What only describes the tokens (lifetime, scope, account) never costs them: unreadable counts as absent. */
function readTokens(
  client: Client,
  body: Readonly<Record<string, unknown>>,
  { status, headers }: Response,
  { first }: Place,
): TokenSet {
  const { provider } = client;
  const field = (name: TokenField) => firstAt(body, provider.token_response[name]);
  const now = Date.parse(headers.get("date") ?? "") || Date.now();
  const lifetime = (value: unknown, most: number) => readLifetime(value, provider, { now, most });
  const refresh_token = field("refresh_token");
  const given = refresh_token === null || refresh_token === "" ? undefined : refresh_token;
  const { refresh_token_idle_lifetime = null, rotation } = provider;
  // How long those live that are refreshed says nothing of one that is not.
  const last = first && given === undefined && rotation !== "none";
  const fallback = last || provider.default_expires_in === "never" ? null : provider.default_expires_in;
  if (!isBearer(field("token_type"))) malformed(status);
  return {
    access_token: tokenOf(field("access_token"), status),
    refresh_token: given === undefined ? undefined : tokenOf(given, status),
    expires_in: lifetime(field("expires_in"), LONGEST_EXPIRES_IN) ?? fallback,
    refresh_token_expires_in: lifetime(field("refresh_token_expires_in"), LONGEST_REFRESH_TOKEN) ??
      refresh_token_idle_lifetime,
    scope: readScope(field("scope")),
    answers: { token: body, id_token: idTokenClaims(client, body.id_token) },
  };
}

function firstAt(body: unknown, paths: readonly string[]): unknown {
  for (const path of paths) {
    const value = valueAt(body, path);
    if (value !== undefined && value !== null) return value;
  }
}

function tokenOf(value: unknown, status: number): string {
  return typeof value === "string" && value !== "" ? value : malformed(status);
}

/** RFC 6749 §7.1: what is bound to a key is of no use without it. */
function isBearer(token_type: unknown): boolean {
  if (token_type === undefined || token_type === "") return true;
  return readText(token_type)?.toLowerCase() === "bearer";
}

/** Without the body, which holds tokens. */
function malformed(status: number): never {
  throw new UnexpectedResponse("malformed_tokens", status);
}

const MS_OF = {
  seconds: 1_000,
  milliseconds: 1,
  minutes: 60_000,
  epoch_seconds: 1_000,
  epoch_milliseconds: 1,
};

/** Seconds; null where it says nothing usable. "0" and nonsense must mean neither "never" nor "at once". */
function readLifetime(
  value: unknown,
  { expires_in_is }: Provider,
  { now, most }: { readonly now: number; readonly most: number },
): number | null {
  const number = typeof value === "string" && value.trim() !== "" && expires_in_is !== "date"
    ? Number(value)
    : value;
  const ms = expires_in_is === "date"
    ? Date.parse(String(value)) - now
    : typeof number === "number"
    ? number * MS_OF[expires_in_is] - (expires_in_is.startsWith("epoch") ? now : 0)
    : NaN;
  const seconds = ms / 1000;
  return seconds >= 1 && seconds <= most ? Math.floor(seconds) : null;
}

/** Separated by blanks (RFC 6749 §3.3), or as some have it by commas or in an array. */
function readScope(value: unknown): readonly string[] | undefined {
  const names = Array.isArray(value) ? value.filter((name) => typeof name === "string") : null;
  const text = readText(names ? names.join(" ") : value);
  if (text === null) return undefined;
  const scope = text.split(/[\s,]+/).filter((name) => name !== "");
  return scope.length > 0 ? scope : undefined;
}
