/** Codes of the trouble this module can name. They are public and never renamed. */
export type TokenErrorCode =
  | "AUTHORIZATION_DENIED"
  | "AUTHORIZATION_REQUEST_INVALID"
  | "CONFIGURATION_INVALID"
  | "CONNECTION_AMBIGUOUS"
  | "CONNECTION_NOT_FOUND"
  | "PROVIDER_FORBIDDEN"
  | "PROVIDER_RATE_LIMITED"
  | "PROVIDER_REJECTED"
  | "PROVIDER_RESPONSE_INVALID"
  | "PROVIDER_UNAVAILABLE"
  | "REAUTHORIZATION_REQUIRED"
  | "REFRESH_IN_PROGRESS"
  | "STORAGE_UNAVAILABLE";

export interface TokenErrorDetails {
  readonly connection_id?: string;
  /** Ids to choose from. */
  readonly connections?: readonly string[];
  /** Seconds. */
  readonly retry_after?: number;
  /** The provider's status, where it is passed on. */
  readonly status?: number;
  /** The provider's rate-limit headers, where they are passed on. */
  readonly headers?: Headers;
}

/** Trouble with a name. The message is for the caller: it holds no token, secret or provider's text. */
export class TokenError extends Error {
  override readonly name = "TokenError";
  constructor(readonly code: TokenErrorCode, message: string, readonly details: TokenErrorDetails = {}) {
    super(message);
  }
}

/** Absent and someone else's are one answer, so that ids cannot be probed. */
export function notFound(connection_id: string): TokenError {
  return new TokenError("CONNECTION_NOT_FOUND", "you have no connection of this id", { connection_id });
}

export function reauthorizationRequired(connection_id: string): TokenError {
  return new TokenError("REAUTHORIZATION_REQUIRED", "the provider has ended this connection: connect again", {
    connection_id,
  });
}

/** Soon: whoever comes back waits again, and is there when a crashed holder's lease ends. */
export function refreshInProgress(connection_id: string): TokenError {
  return new TokenError("REFRESH_IN_PROGRESS", "the access token is being refreshed: try again shortly", {
    connection_id,
    retry_after: 1,
  });
}

/** @param retry_in_ms milliseconds until the provider may be asked again */
export function providerUnavailable(connection_id: string, retry_in_ms: number): TokenError {
  return new TokenError(
    "PROVIDER_UNAVAILABLE",
    "the provider cannot refresh the access token now: try again later",
    {
      connection_id,
      retry_after: Math.max(1, Math.ceil(retry_in_ms / 1000)),
    },
  );
}
