/** Seconds to say in `Retry-After` where an error knows no better. */
const SOON = 1;
const LATER = 5;

interface Answer {
  readonly status: number;
  /** Seconds; there only where asking again helps. */
  readonly retry_after?: number;
}

/** The one map from a public code to its answer. Codes are never renamed. */
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
  REQUEST_NOT_ALLOWED: { status: 403 },
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

export interface ErrorDetails {
  readonly connection_id?: string;
  /** Ids to choose from. */
  readonly connections?: readonly string[];
  /** Seconds. */
  readonly retry_after?: number;
  /** The provider's own status; what is answered with it is `PROVIDER_REJECTED` alone. */
  readonly status?: number;
  /** What travels with the answer: the provider's rate limits, `Allow`, `WWW-Authenticate`. */
  readonly headers?: Headers;
  /** What the log says where the message repeats something that the caller chose. */
  readonly reason?: string;
}

/** An error that a caller is told of. Code and message are public: they hold no token, secret or provider's text. */
export class PublicError extends Error {
  override readonly name: string = "PublicError";
  constructor(readonly code: PublicCode, message: string, readonly details: ErrorDetails = {}) {
    super(message);
  }

  get status(): number {
    const { status } = this.code === "PROVIDER_REJECTED" ? this.details : {};
    return status ?? CODES[this.code].status;
  }

  /** For the log. */
  get reason(): string {
    return this.details.reason ?? this.message;
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
  const headers = new Headers({ allow: methods });
  return new PublicError("METHOD_NOT_ALLOWED", `the method is not one of ${methods}`, { headers });
}

/** Absent and someone else's are one answer, so that ids cannot be probed. */
export function notFound(connection_id?: string): PublicError {
  const message = connection_id === undefined
    ? "you have no connection yet: connect first"
    : "you have no connection of this id";
  return new PublicError("CONNECTION_NOT_FOUND", message, { connection_id });
}

export function reauthorizationRequired(connection_id: string): PublicError {
  const message = "the provider has ended this connection: connect again";
  return new PublicError("REAUTHORIZATION_REQUIRED", message, { connection_id });
}

/** Soon: whoever comes back waits again, and is there when a crashed holder's lease ends. */
export function refreshInProgress(connection_id: string): PublicError {
  const message = "the access token is being refreshed: try again shortly";
  return new PublicError("REFRESH_IN_PROGRESS", message, { connection_id });
}

/** @param retry_in_ms milliseconds until the provider may be asked again */
export function refreshUnavailable(connection_id: string, retry_in_ms: number): PublicError {
  return new PublicError(
    "PROVIDER_UNAVAILABLE",
    "the provider cannot refresh the access token now: try again later",
    { connection_id, retry_after: retry_in_ms / 1000 },
  );
}

/** What nobody foresaw. Nobody learns its message, which may hold anything: the log gets its kind and where it was thrown. */
export function internalError(error: unknown): PublicError {
  const reason = error instanceof Error ? placeOf(error) : `a thrown ${typeof error}`;
  return new PublicError("INTERNAL_ERROR", "something unforeseen went wrong", { reason });
}

function placeOf(error: Error): string {
  const name = /^\w{1,40}$/.test(error.name) ? error.name : "Error";
  const place = error.stack?.match(/\/([a-z_]{1,40}\.ts:\d+:\d+)\)?$/m)?.[1];
  return place ? `${name} at ${place}` : name;
}
