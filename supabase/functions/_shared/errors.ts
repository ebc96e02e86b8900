/** The provider answered with an OAuth error (RFC 6749 §5.2). `error` is the protocol's word, never the provider's prose. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  constructor(readonly error: string, readonly status: number) {
    super(`the provider answered ${JSON.stringify(error)}`);
  }
}

/** The provider answered, and the answer is neither what was asked for nor an OAuth error. */
export class UnexpectedResponse extends Error {
  override readonly name = "UnexpectedResponse";
  constructor(readonly reason: string, readonly status: number) {
    super(`the provider's answer is unusable: ${reason}`);
  }
}

/**
 * No usable answer came. `sent` says whether the provider may have acted on the request: `false` only where it is
 * certain that it did not.
 */
export class ProviderUnreachable extends Error {
  override readonly name = "ProviderUnreachable";
  constructor(
    readonly reason: string,
    readonly sent: boolean,
    readonly status?: number,
    /** Milliseconds the provider asked us to wait. */
    readonly retry_after_ms?: number,
  ) {
    super(`the provider cannot be reached: ${reason}`);
  }
}

/** Seconds to say in `Retry-After` where an error knows no better. */
const SOON = 1;
const LATER = 5;

/** Every public code with its status, and `Retry-After` where asking again helps. Codes are never renamed. */
export const CODES = {
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
  PROVIDER_RATE_LIMITED: { status: 429, retry_after: LATER },
  REFRESH_IN_PROGRESS: { status: 503, retry_after: SOON },
  PROVIDER_UNAVAILABLE: { status: 503, retry_after: LATER },
  STORAGE_UNAVAILABLE: { status: 503, retry_after: SOON },
  PROVIDER_RESPONSE_INVALID: { status: 502 },
  CONFIGURATION_INVALID: { status: 500 },
  INTERNAL_ERROR: { status: 500 },
} as const satisfies Record<string, Answer>;

export type PublicCode = keyof typeof CODES;

interface Answer {
  readonly status: number;
  readonly retry_after?: number;
}

export interface ErrorDetails {
  readonly connection_id?: string;
  /** Ids to choose from. */
  readonly connections?: readonly string[];
  /** Seconds. */
  readonly retry_after?: number;
  /** The provider's own status; it counts for `PROVIDER_REJECTED` alone. */
  readonly status?: number;
  /** What travels with the answer: the provider's rate limits, `Allow` (RFC 9110 §15.5.6). */
  readonly headers?: Headers;
  /** What the log says where the message repeats something that the caller chose. */
  readonly reason?: string;
}

/** An error with a public code. The message is for the caller: it holds no token, secret or provider's text. */
export class PublicError extends Error {
  override readonly name = "PublicError";
  constructor(readonly code: PublicCode, message: string, readonly details: ErrorDetails = {}) {
    super(message);
  }

  get status(): number {
    const { status } = this.code === "PROVIDER_REJECTED" ? this.details : {};
    return status ?? CODES[this.code].status;
  }

  /** Whole seconds, at least one; undefined where asking again does not help. */
  get retry_after(): number | undefined {
    const { retry_after }: Answer = CODES[this.code];
    return retry_after && Math.max(1, Math.ceil(this.details.retry_after ?? retry_after));
  }
}

/** @param allow the methods that would have been answered */
export function methodNotAllowed(allow: readonly string[]): PublicError {
  const methods = allow.join(", ");
  return new PublicError("METHOD_NOT_ALLOWED", `the method is not one of ${methods}`, {
    headers: new Headers({ allow: methods }),
  });
}

/** Absent and someone else's are one answer, so that ids cannot be probed. */
export function notFound(connection_id: string): PublicError {
  return new PublicError("CONNECTION_NOT_FOUND", "you have no connection of this id", { connection_id });
}

export function reauthorizationRequired(connection_id: string): PublicError {
  return new PublicError(
    "REAUTHORIZATION_REQUIRED",
    "the provider has ended this connection: connect again",
    {
      connection_id,
    },
  );
}

/** Soon: whoever comes back waits again, and is there when a crashed holder's lease ends. */
export function refreshInProgress(connection_id: string): PublicError {
  return new PublicError("REFRESH_IN_PROGRESS", "the access token is being refreshed: try again shortly", {
    connection_id,
  });
}

/** @param retry_in_ms milliseconds until the provider may be asked again */
export function providerUnavailable(connection_id: string, retry_in_ms: number): PublicError {
  return new PublicError(
    "PROVIDER_UNAVAILABLE",
    "the provider cannot refresh the access token now: try again later",
    { connection_id, retry_after: retry_in_ms / 1000 },
  );
}

/** The error that a caller is told of, whatever rose. Of one that nobody foresaw nobody learns the message: it may hold anything. */
export function publicErrorOf(error: unknown): PublicError {
  if (error instanceof PublicError) return error;
  if (error instanceof ProviderUnreachable) {
    const retry_after = error.retry_after_ms === undefined ? undefined : error.retry_after_ms / 1000;
    return new PublicError("PROVIDER_UNAVAILABLE", "the provider cannot be reached", {
      retry_after,
      reason: error.reason,
    });
  }
  if (error instanceof OAuthError || error instanceof UnexpectedResponse) {
    return new PublicError("PROVIDER_RESPONSE_INVALID", "the provider's answer cannot be used", {
      reason: error instanceof OAuthError ? protocolWord(error.error) : error.reason,
    });
  }
  return new PublicError("INTERNAL_ERROR", "something unforeseen went wrong", { reason: placeOf(error) });
}

function protocolWord(error: string): string {
  return /^[a-z_]{1,40}$/.test(error) ? error : "an OAuth error";
}

/** For the log: the kind of an unforeseen error and where it was thrown. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return `a thrown ${typeof error}`;
  const name = /^\w{1,40}$/.test(error.name) ? error.name : "Error";
  const place = error.stack?.match(/\/([a-z_]{1,40}\.ts:\d+:\d+)\)?$/m)?.[1];
  return place ? `${name} at ${place}` : name;
}
