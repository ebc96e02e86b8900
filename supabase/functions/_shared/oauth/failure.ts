import { type ErrorDetails, internalError, PublicError } from "../errors.ts";
import { EndpointUnusable, OAuthError, ProviderUnreachable, UnexpectedResponse } from "./errors.ts";
import type { Provider } from "./provider.ts";

/** What a failed request to an OAuth endpoint means for the grant that was sent. */
export interface ClassifiedFailure {
  /**
   * `permanent`: it is over. `transient`: it was not spent. `ambiguous`: it may have been spent, and its successor is out
   * of reach. `unexplained`: it was refused, and nobody says whether the grant or our client is at fault.
   */
  readonly class: "permanent" | "unexplained" | "transient" | "ambiguous";
  /** Our client or its settings are at fault: no connection may suffer for it. */
  readonly operator: boolean;
  /** A protocol's error code or a word of ours; an operator's begins with `config_`. */
  readonly code: string;
  /** What the provider asked for. */
  readonly retry_after_ms?: number;
}

/**
 * Classifies what a token or revocation request threw, by the `error` member of the answer and by how far the request
 * got, never by a message (RFC 6749 §5.2).
 */
export function classifyFailure(error: unknown, provider: Provider): ClassifiedFailure {
  if (error instanceof OAuthError) return classifyOAuthError(error.error, provider);
  if (error instanceof ProviderUnreachable) {
    const { reason: code, sent, retry_after_ms } = error;
    const spent = sent ? "ambiguous" : "transient";
    return { class: spent, operator: false, code, ...(retry_after_ms !== undefined && { retry_after_ms }) };
  }
  if (error instanceof UnexpectedResponse) {
    if (error.status < 300) return ambiguous(error.reason);
    const fault = operatorFault(error.reason);
    // Every refusal has an error code (RFC 6749 §5.2); those that Pipedrive's status page shows have none.
    const refused = error.is_json && (error.status === 400 || error.status === 401);
    return refused ? { ...fault, class: "unexplained" } : fault;
  }
  if (error instanceof EndpointUnusable) return operatorFault("endpoint");
  return ambiguous("unexpected_error");
}

/**
 * The one map from a failure at an OAuth endpoint to what a caller is told. What a refused grant means the caller of
 * this knows first: nobody else asks about a `permanent` one.
 */
export function publicErrorOf(error: unknown, provider: Provider, details: ErrorDetails = {}): PublicError {
  if (error instanceof PublicError) return error;
  const { operator, code, retry_after_ms } = classifyFailure(error, provider);
  if (operator) {
    const word = code.replace(/^config_/, "");
    const message = `the provider refused our client with "${word}": check its settings`;
    return new PublicError("CONFIGURATION_INVALID", message, details);
  }
  if (error instanceof UnexpectedResponse) {
    const message = `the provider's answer is unusable: ${error.reason}`;
    return new PublicError("PROVIDER_RESPONSE_INVALID", message, details);
  }
  if (!(error instanceof ProviderUnreachable || error instanceof OAuthError)) return internalError(error);
  return new PublicError(
    code === "rate_limited" ? "PROVIDER_RATE_LIMITED" : "PROVIDER_UNAVAILABLE",
    "the provider cannot answer now: try again later",
    { ...details, reason: code, ...(retry_after_ms !== undefined && { retry_after: retry_after_ms / 1000 }) },
  );
}

function classifyOAuthError(error: string, provider: Provider): ClassifiedFailure {
  if (error === "invalid_grant" || provider.invalid_grant_synonyms.includes(error)) {
    return { class: "permanent", operator: false, code: error };
  }
  if (error === "server_error") return ambiguous(error);
  if (error === "temporarily_unavailable" || error === "slow_down") {
    return { class: "transient", operator: false, code: error };
  }
  return operatorFault(error);
}

/** Waiting mends nothing and neither does connecting again: somebody must look. */
function operatorFault(reason: string): ClassifiedFailure {
  return { class: "transient", operator: true, code: `config_${reason}` };
}

function ambiguous(code: string): ClassifiedFailure {
  return { class: "ambiguous", operator: false, code };
}
