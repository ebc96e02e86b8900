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
import type { Client } from "./client.ts";
import { asErrorCode } from "./json.ts";
import { authorizationServer } from "./server.ts";

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

/**
 * A new authorization request (RFC 6749 §4.1.1) with a `state` of its own, and with PKCE (RFC 7636) where the provider
 * has it. PKCE does not replace `state`: a server that ignores it would leave nothing.
 */
export async function createAuthorizationRequest(client: Client): Promise<AuthorizationRequest> {
  const { provider } = client;
  const state = generateRandomState();
  const code_verifier = provider.code_challenge_methods_supported.includes("S256")
    ? generateRandomCodeVerifier()
    : null;
  const parameters = {
    ...provider.authorization_parameters,
    ...(provider.response_type_omitted ? {} : { response_type: "code" }),
    client_id: client.client_id,
    redirect_uri: client.redirect_uri,
    ...(provider.scopes.length > 0 ? { scope: provider.scopes.join(provider.scope_separator) } : {}),
    state,
    ...(code_verifier === null ? {} : {
      code_challenge: await calculatePKCECodeChallenge(code_verifier),
      code_challenge_method: "S256",
    }),
  };
  const url = new URL(provider.authorization_endpoint);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { authorization_url: url.href, state, code_verifier };
}

/** What an authorization response says. `error_description` is nobody's to repeat, so it is not here. */
export type AuthorizationResponse =
  | { readonly outcome: "code"; readonly state: string; readonly code: string }
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
  if (!isWellFormed(parameters) || !isConform(client, parameters)) return { outcome: "invalid" };
  const [state, code, error] = [parameters.get("state"), parameters.get("code"), parameters.get("error")];
  if ((code === null) === (error === null)) return { outcome: "invalid" };
  if (state === null) return { outcome: "not_begun_here" };
  return code === null
    ? { outcome: "denied", state, error: asErrorCode(error) ?? "unrecognised" }
    : { outcome: "code", state, code };
}

/** The library compares everything but `state`, which is looked up by its hash. */
function isConform({ provider, client_id }: Client, parameters: URLSearchParams): boolean {
  try {
    validateAuthResponse(authorizationServer(provider), { client_id }, parameters, skipStateCheck);
    return true;
  } catch (error) {
    if (error instanceof AuthorizationResponseError) return true;
    if (error instanceof OperationProcessingError || error instanceof UnsupportedOperationError) return false;
    throw error;
  }
}

const NAMES = ["state", "code", "error", "iss"];

/** Each parameter at most once, and each with a value (RFC 6749 §3.1). */
function isWellFormed(parameters: URLSearchParams): boolean {
  const single = NAMES.every((name) => {
    const [value, ...more] = parameters.getAll(name);
    return more.length === 0 && value !== "" && (value?.length ?? 0) <= PARAMETER_LIMIT;
  });
  return single && ![...parameters.keys()].some((key) => /^(?:state|code|error|iss)[[.]/.test(key));
}
