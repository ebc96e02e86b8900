import {
  genericTokenEndpointRequest,
  OperationProcessingError,
  processGenericTokenEndpointResponse,
  UnsupportedOperationError,
} from "oauth4webapi";
import { readOrigin } from "./api_origin.ts";
import type { Client, TokenSet, Transport } from "./client.ts";
import { OAuthError, UnexpectedResponse } from "./errors.ts";
import { asErrorCode, readObject, readText } from "./json.ts";
import { authorizationServer, clientAuthentication, requestOptions } from "./server.ts";

/** Longest lifetime believed, in seconds: a year. Beyond it a number is a mistake in its unit. */
const EXPIRES_IN_LIMIT = 365 * 24 * 60 * 60;

/**
 * Exchanges an authorization code (RFC 6749 §4.1.3).
 *
 * @throws {OAuthError} refused: `invalid_grant` if the code is used, expired or another client's
 * @throws {UnexpectedResponse} the answer is neither tokens nor an OAuth error; here also one without refresh token
 * @throws {ProviderUnreachable} no usable answer
 */
export async function exchangeCode(
  client: Client,
  grant: { readonly code: string; readonly code_verifier: string | null; readonly redirect_uri: string },
  transport: Transport,
): Promise<TokenSet & { readonly refresh_token: string }> {
  const { code, code_verifier, redirect_uri } = grant;
  const response = await send(client, "authorization_code", {
    ...client.provider.token_parameters,
    code,
    redirect_uri,
    ...(code_verifier === null ? {} : { code_verifier }),
  }, transport);
  const tokens = await processTokenResponse(client, response);
  const { refresh_token } = tokens;
  if (refresh_token === undefined) throw new UnexpectedResponse("no_refresh_token", response.status);
  // Where the answer names no API, a sandbox's comes before the provider's own.
  const api_origin = tokens.api_origin ?? client.api_origins[0] ?? client.provider.api.default_origin;
  return { ...tokens, refresh_token, api_origin };
}

/**
 * Spends a refresh token (RFC 6749 §6). Once sent, it may be spent whatever comes back: see `classifyFailure`.
 *
 * @throws {OAuthError} refused: `invalid_grant` if it is over
 * @throws {UnexpectedResponse} the answer is neither tokens nor an OAuth error
 * @throws {ProviderUnreachable} no usable answer
 */
export async function refreshTokens(
  client: Client,
  refresh_token: string,
  transport: Transport,
): Promise<TokenSet> {
  const parameters = { ...client.provider.refresh_parameters, refresh_token };
  return processTokenResponse(client, await send(client, "refresh_token", parameters, transport));
}

function send(
  client: Client,
  grant_type: string,
  parameters: Record<string, string>,
  transport: Transport,
): Promise<Response> {
  const { provider, client_id } = client;
  return genericTokenEndpointRequest(
    authorizationServer(provider),
    { client_id },
    clientAuthentication(client),
    grant_type,
    parameters,
    requestOptions(provider.token_endpoint, transport),
  );
}

/** Tokens beat an error beside them: what the provider has issued must be kept. */
async function processTokenResponse(client: Client, response: Response): Promise<TokenSet> {
  const { status } = response;
  const body = await readObject(response);
  if (response.ok && body?.access_token) return readTokens(client, body, status);
  const error = asErrorCode(body?.error);
  if (error) throw new OAuthError(error, status);
  if (body === null && response.ok) throw new UnexpectedResponse("not_json", status);
  throw new UnexpectedResponse(response.ok ? "no_access_token" : `status_${status}`, status, body !== null);
}

/** What only describes the tokens (lifetime, scope, API) never costs them: unreadable counts as absent. */
async function readTokens(
  client: Client,
  body: Record<string, unknown>,
  status: number,
): Promise<TokenSet> {
  const { access_token, refresh_token } = await readAuthorization(client, body, status);
  return {
    access_token,
    expires_in: readExpiresIn(body.expires_in) ?? client.provider.default_expires_in,
    refresh_token,
    scope: readScope(body.scope),
    api_origin: readApiOrigin(client, body),
  };
}

/** The library judges the members that carry the authorization, once harmless oddities of servers are mended. */
async function readAuthorization(
  { provider, client_id }: Client,
  { access_token, token_type, refresh_token }: Record<string, unknown>,
  status: number,
): Promise<{ access_token: string; refresh_token?: string }> {
  const mended = Response.json({
    access_token,
    token_type: (readText(token_type) ?? token_type) || "bearer",
    refresh_token: refresh_token === null || refresh_token === "" ? undefined : refresh_token,
  });
  try {
    const tokens = await processGenericTokenEndpointResponse(
      authorizationServer(provider),
      { client_id },
      mended,
    );
    if (tokens.token_type === "bearer") return tokens;
  } catch (error) {
    if (!(error instanceof OperationProcessingError || error instanceof UnsupportedOperationError)) {
      throw error;
    }
  }
  // Without a cause: the library's holds the body.
  throw new UnexpectedResponse("malformed_tokens", status);
}

/** Seconds; null where it says nothing usable. "0" and nonsense must mean neither "never" nor "at once". */
function readExpiresIn(value: unknown): number | null {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof seconds === "number" && seconds >= 1 && seconds <= EXPIRES_IN_LIMIT
    ? Math.floor(seconds)
    : null;
}

/** Separated by blanks (RFC 6749 §3.3), or as some have it by commas or in an array. */
function readScope(value: unknown): readonly string[] | undefined {
  const names = Array.isArray(value) ? value.filter((name) => typeof name === "string") : null;
  const text = readText(names ? names.join(" ") : value);
  if (text === null) return undefined;
  const scope = text.split(/[\s,]+/).filter((name) => name !== "");
  return scope.length > 0 ? scope : undefined;
}

function readApiOrigin({ provider: { api } }: Client, body: Record<string, unknown>): string | undefined {
  if (api.origin_member === undefined) return api.default_origin;
  const origin = Object.hasOwn(body, api.origin_member) ? readOrigin(body[api.origin_member]) : null;
  return origin || undefined;
}
