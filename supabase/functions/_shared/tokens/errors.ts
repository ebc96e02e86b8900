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
