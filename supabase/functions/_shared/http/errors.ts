import { EnvError } from "@supabase/server";
import { OAuthError, ProviderUnreachable, UnexpectedResponse } from "../oauth/errors.ts";
import { TokenError, type TokenErrorCode } from "../tokens/errors.ts";

/** Codes of what a caller can get wrong before the token module is asked. They are public and never renamed. */
export type RequestErrorCode =
  | "INVALID_REQUEST"
  | "MISSING_CREDENTIALS"
  | "INVALID_CREDENTIALS"
  | "METHOD_NOT_ALLOWED"
  | "UNKNOWN_PROVIDER";

export type PublicCode = RequestErrorCode | TokenErrorCode | "INTERNAL_ERROR";

export interface RequestErrorDetails {
  /** Methods for the `Allow` header (RFC 9110 §15.5.6). */
  readonly allow?: readonly string[];
  /** What the log says where the message repeats something that the caller chose. */
  readonly reason?: string;
}

/** The request cannot be answered as it is. The message is for the caller and names the field. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  constructor(readonly code: RequestErrorCode, message: string, readonly details: RequestErrorDetails = {}) {
    super(message);
  }
}

/** @param allow the methods that would have been answered */
export function methodNotAllowed(allow: readonly string[]): RequestError {
  return new RequestError("METHOD_NOT_ALLOWED", `the method is not one of ${allow.join(", ")}`, { allow });
}

/** Where it carries no wait of its own, a retryable error says this many seconds. */
const RETRY_AFTER_S = { soon: 1, later: 5 };

/** The one map from code to status. A retryable code carries `Retry-After`. */
export const ANSWERS: Readonly<Record<PublicCode, { status: number; retry_after?: number }>> = {
  INVALID_REQUEST: { status: 400 },
  MISSING_CREDENTIALS: { status: 401 },
  INVALID_CREDENTIALS: { status: 401 },
  AUTHORIZATION_REQUEST_INVALID: { status: 400 },
  AUTHORIZATION_DENIED: { status: 403 },
  UNKNOWN_PROVIDER: { status: 404 },
  CONNECTION_NOT_FOUND: { status: 404 },
  METHOD_NOT_ALLOWED: { status: 405 },
  CONNECTION_AMBIGUOUS: { status: 409 },
  REAUTHORIZATION_REQUIRED: { status: 409 },
  PROVIDER_FORBIDDEN: { status: 403 },
  // The provider's own 4xx takes its place.
  PROVIDER_REJECTED: { status: 400 },
  PROVIDER_RATE_LIMITED: { status: 429, retry_after: RETRY_AFTER_S.later },
  REFRESH_IN_PROGRESS: { status: 503, retry_after: RETRY_AFTER_S.soon },
  PROVIDER_UNAVAILABLE: { status: 503, retry_after: RETRY_AFTER_S.later },
  STORAGE_UNAVAILABLE: { status: 503, retry_after: RETRY_AFTER_S.soon },
  PROVIDER_RESPONSE_INVALID: { status: 502 },
  CONFIGURATION_INVALID: { status: 500 },
  INTERNAL_ERROR: { status: 500 },
};

/** What the caller gets to know of an error, and what the log does. */
export interface Failure {
  readonly code: PublicCode;
  readonly status: number;
  /** `{ code, message }` and what helps to act on it. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  readonly reason: string;
}

/** Judges an error. Of one that nobody foresaw neither caller nor log learns the message: it may hold anything. */
export function failureOf(error: unknown): Failure {
  const known = knownErrorOf(error);
  const answer = ANSWERS[known.code];
  const details = known instanceof TokenError ? known.details : {};
  const headers = new Headers(details.headers);
  const retry_after = answer.retry_after && (details.retry_after ?? answer.retry_after);
  if (retry_after !== undefined) headers.set("retry-after", String(Math.max(1, Math.ceil(retry_after))));
  if (known instanceof RequestError && known.details.allow) {
    headers.set("allow", known.details.allow.join(", "));
  }
  return {
    code: known.code,
    status: known.code === "PROVIDER_REJECTED" ? details.status ?? answer.status : answer.status,
    body: {
      code: known.code,
      message: known.message,
      ...(retry_after !== undefined && { retry_after: Number(headers.get("retry-after")) }),
      ...(details.connection_id !== undefined && { connection_id: details.connection_id }),
      ...(details.connections !== undefined && { connections: details.connections }),
    },
    headers,
    reason: reasonOf(error),
  };
}

/** Every error as one with a public code and a message that a caller may read. */
function knownErrorOf(
  error: unknown,
): RequestError | TokenError | { code: "INTERNAL_ERROR"; message: string } {
  if (error instanceof RequestError || error instanceof TokenError) return error;
  if (error instanceof EnvError) return new TokenError("CONFIGURATION_INVALID", error.message);
  if (error instanceof ProviderUnreachable) {
    const retry_after = error.retry_after_ms === undefined ? undefined : error.retry_after_ms / 1000;
    return new TokenError("PROVIDER_UNAVAILABLE", "the provider cannot be reached", { retry_after });
  }
  if (error instanceof OAuthError || error instanceof UnexpectedResponse) {
    return new TokenError("PROVIDER_RESPONSE_INVALID", "the provider's answer cannot be used");
  }
  return { code: "INTERNAL_ERROR", message: "something unforeseen went wrong" };
}

/** For the log: messages of our own, and of anything else only its name and where it was thrown. */
function reasonOf(error: unknown): string {
  if (error instanceof RequestError) return error.details.reason ?? error.message;
  if (error instanceof TokenError || error instanceof EnvError) return error.message;
  if (error instanceof UnexpectedResponse || error instanceof ProviderUnreachable) return error.reason;
  if (error instanceof OAuthError && /^[a-z_]{1,40}$/.test(error.error)) return error.error;
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const name = /^\w{1,40}$/.test(error.name) ? error.name : "Error";
  const place = error.stack?.match(/\/([a-z_]{1,40}\.ts:\d+:\d+)\)?$/m)?.[1];
  return place ? `${name} at ${place}` : name;
}
