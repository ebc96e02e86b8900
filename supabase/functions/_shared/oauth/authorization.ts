import {
  AuthorizationResponseError,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  OperationProcessingError,
  skipStateCheck,
  UnsupportedOperationError,
  validateAuthResponse,
} from "oauth4webapi";
import { endpointOf, issuerOf } from "./address.ts";
import type { Client } from "./client.ts";
import { EndpointUnusable } from "./errors.ts";
import { asErrorCode } from "./json.ts";
import type { Parameters, Provider } from "./provider.ts";
import { fillAll } from "./template.ts";
import { usable, type Values } from "./values.ts";

/** Longer than any code or state; what is beyond was not made by the provider or by us. */
const PARAMETER_LIMIT = 2048;

export interface AuthorizationRequest {
  /** Where the user's browser goes. */
  readonly authorization_url: string;
  /** 256 bits from the CSPRNG, base64url. */
  readonly state: string;
  /** Null where the provider has no PKCE. Never in a URL. */
  readonly code_verifier: string | null;
}

/** RFC 6749 §4.1.1 and RFC 7636 §4.3. What has nothing to say is left out. */
const STANDARD: Parameters = {
  response_type: "code",
  client_id: "{client_id}",
  redirect_uri: "{redirect_uri}",
  scope: "{scope}",
  state: "{state}",
  code_challenge: "{code_challenge}",
  code_challenge_method: "{code_challenge_method}",
};

/**
 * A new authorization request (RFC 6749 §4.1.1) with a `state` of its own, and with PKCE (RFC 7636) where the provider
 * has it. PKCE does not replace `state`: a server that ignores it would leave nothing.
 *
 * @param values what the user gave; judged already
 * @throws {EndpointUnusable} where one is missing
 */
export async function createAuthorizationRequest(
  client: Client,
  values: Values,
): Promise<AuthorizationRequest> {
  const { provider, client_id, redirect_uri, scopes } = client;
  const state = generateRandomState();
  const code_verifier = provider.code_challenge_methods_supported.includes("S256")
    ? generateRandomCodeVerifier()
    : null;
  const fillings = {
    ...usable(client, values),
    client_id,
    redirect_uri,
    state,
    random: generateRandomState(),
    scope: scopes.length > 0 ? scopes.join(provider.scope_separator) : undefined,
    ...(code_verifier === null ? {} : {
      code_challenge: await calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: "S256",
    }),
  };
  const url = endpointOf(client, provider.authorization_endpoint, values);
  if (!url) throw new EndpointUnusable();
  const parameters = fillAll({ ...STANDARD, ...provider.authorization_parameters }, fillings);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { authorization_url: url.href, state, code_verifier };
}

/** What an authorization response says. `error_description` is nobody's to repeat, so it is not here. */
export type AuthorizationResponse =
  | {
    readonly outcome: "code";
    readonly state: string;
    readonly code: string;
    /** What `redirect:` sources read. */
    readonly parameters: Readonly<Record<string, string>>;
  }
  | { readonly outcome: "denied"; readonly state: string; readonly error: string }
  /** It answers no request of ours: an installation begun at the provider brings no `state`. */
  | { readonly outcome: "not_begun_here" }
  | { readonly outcome: "invalid" };

/**
 * Reads an authorization response (RFC 6749 §4.1.2). Whether `state` is one of ours the caller must find out, and use it
 * up, before anything else is done with a code.
 *
 * Repeated, empty, oversized or bracketed parameters are `invalid`, as is an `iss` that is wrong, or missing where the
 * provider promises it (RFC 9207 §2.4).
 */
export function readAuthorizationResponse(
  client: Client,
  parameters: URLSearchParams,
): AuthorizationResponse {
  const standard = named(client.provider, parameters);
  if (!isWellFormed(client.provider, parameters) || !isConform(client, standard)) {
    return { outcome: "invalid" };
  }
  const [state, code, error] = [standard.get("state"), standard.get("code"), standard.get("error")];
  if ((code === null) === (error === null)) return { outcome: "invalid" };
  if (state === null) return { outcome: "not_begun_here" };
  if (code === null) return { outcome: "denied", state, error: asErrorCode(error) ?? "unrecognised" };
  return { outcome: "code", state, code, parameters: sources(client.provider, parameters) };
}

/** The parameters by the names of RFC 6749. */
function named({ redirect_parameters }: Provider, parameters: URLSearchParams): URLSearchParams {
  const standard = new URLSearchParams(parameters);
  for (const [name, own] of Object.entries(redirect_parameters)) {
    if (own === name) continue;
    const value = parameters.get(own);
    standard.delete(name);
    if (value !== null) standard.set(name, value);
  }
  return standard;
}

/** What a definition reads of a redirect, each once. */
function sources({ account, values }: Provider, parameters: URLSearchParams): Record<string, string> {
  const read = [...Object.values(values).map(({ from }) => from), ...account.key];
  const names = read.flatMap((source) => /^redirect:(.+)$/.exec(source)?.[1] ?? []);
  return Object.fromEntries(names.flatMap((name) => {
    const given = parameters.getAll(name);
    return given.length === 1 ? [[name, given[0] ?? ""]] : [];
  }));
}

/** The library compares everything but `state`, which is looked up by its hash. */
function isConform(client: Client, parameters: URLSearchParams): boolean {
  const { client_id, provider: { authorization_endpoint, ...provider } } = client;
  const issuer = issuerOf(client, {}) ?? endpointOf(client, authorization_endpoint, {})?.origin ?? "unknown:";
  const { authorization_response_iss_parameter_supported } = provider;
  const server = { issuer, authorization_response_iss_parameter_supported };
  try {
    validateAuthResponse(server, { client_id }, parameters, skipStateCheck);
    return true;
  } catch (error) {
    if (error instanceof AuthorizationResponseError) return true;
    if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError) return false;
    throw error;
  }
}

/** Each parameter at most once, and each with a value (RFC 6749 §3.1). */
function isWellFormed({ redirect_parameters }: Provider, parameters: URLSearchParams): boolean {
  const names = [...Object.values(redirect_parameters), "error", "iss"];
  const single = names.every((name) => {
    const [value, ...more] = parameters.getAll(name);
    return more.length === 0 && value !== "" && (value?.length ?? 0) <= PARAMETER_LIMIT;
  });
  return single && ![...parameters.keys()].some((key) => names.some((name) => isPartOf(key, name)));
}

/** As some parsers read it: `code[0]`, `code.x`. */
function isPartOf(key: string, name: string): boolean {
  return key.startsWith(`${name}[`) || key.startsWith(`${name}.`);
}
