import { parseRetryAfter } from "../oauth/http.ts";
import { type ErrorDetails, PublicError } from "../errors.ts";
import { RETRY_COST } from "../keep/retry_budget.ts";

/** What the API answered: all of a 2xx body, nothing of any other. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: ArrayBuffer | null;
}

/** A failure that may be over when the request is repeated. */
export class Retryable extends PublicError {
  constructor(
    code: "PROVIDER_RATE_LIMITED" | "PROVIDER_UNAVAILABLE",
    message: string,
    details: ErrorDetails,
    /** Milliseconds before which asking again is pointless. */
    readonly least_ms: number = 0,
    readonly cost: number = RETRY_COST.answered,
  ) {
    super(code, message, details);
  }
}

/** `x-ratelimit-reset` counts the seconds left of a window of 2 s, or of a penalty of 10 s; more is not a delta. */
const LONGEST_RESET_MS = 10_000;
/** The pause after a 429 that says nothing: the window of Pipedrive's search. */
const SILENT_LIMIT_MS = 2_000;
/** Seconds until a spent daily budget is worth another look; when the provider's day ends is not documented. */
const DAILY_RETRY_AFTER = 3_600;
/** Seconds to keep away after a block page, which comes after refusals were ignored. */
const BLOCKED_RETRY_AFTER = 60;
const HTML = "text/html";

/**
 * Passes a usable answer on and throws for any other.
 *
 * @throws {Retryable} `PROVIDER_RATE_LIMITED`, `PROVIDER_UNAVAILABLE`
 * @throws {PublicError} `PROVIDER_FORBIDDEN`, `PROVIDER_REJECTED`, `PROVIDER_RESPONSE_INVALID`, and the first two where
 * repeating cannot help
 */
export function judgeAnswer(answer: ApiAnswer, connection_id: string): ApiAnswer & { body: ArrayBuffer } {
  const { status, headers, body } = answer;
  const details = { connection_id, status, headers: rateLimitHeaders(headers) };
  if (status === 429) throw rateLimited(headers, details);
  if (status === 408 || status === 425 || status >= 500) {
    const wait_ms = retryAfterMs(headers);
    throw new Retryable(
      "PROVIDER_UNAVAILABLE",
      `the provider answered ${status}: try again later`,
      { ...details, ...(wait_ms !== null && { retry_after: wait_ms / 1000 }) },
      wait_ms ?? 0,
    );
  }
  if (status === 403 && mediaType(headers) === HTML) {
    throw new PublicError("PROVIDER_UNAVAILABLE", "the provider blocks our requests for a while", {
      ...details,
      retry_after: BLOCKED_RETRY_AFTER,
    });
  }
  if (status === 402 || status === 403) {
    throw new PublicError(
      "PROVIDER_FORBIDDEN",
      "the scope or the plan of this connection is too small",
      details,
    );
  }
  if (status >= 400) throw new PublicError("PROVIDER_REJECTED", `the provider answered ${status}`, details);
  const trouble = body === null ? `status ${status}` : troubleOf(headers, body);
  if (body === null || trouble !== null) throw responseInvalid(trouble ?? "no body", connection_id);
  return { ...answer, body };
}

/** @param what in words of our own */
export function responseInvalid(what: string, connection_id: string): PublicError {
  return new PublicError("PROVIDER_RESPONSE_INVALID", `the provider's answer is unusable: ${what}`, {
    connection_id,
  });
}

/** What may travel on with a 2xx: its type and what it says about limits. */
export function downstreamHeaders(headers: Headers): Headers {
  const passed = rateLimitHeaders(headers);
  const retry_after = headers.get("retry-after");
  if (retry_after !== null) passed.set("retry-after", retry_after);
  passed.set("content-type", headers.get("content-type") ?? "application/json");
  return passed;
}

function rateLimitHeaders(headers: Headers): Headers {
  return new Headers([...headers].filter(([name]) => /^x-(daily-)?ratelimit-/.test(name)));
}

/** A 429 over the burst is over soon; a spent daily budget is not, and asking on only looks bad. */
function rateLimited(headers: Headers, details: ErrorDetails): PublicError {
  const message = "the provider's rate limit is reached: try again later";
  const wait_ms = retryAfterMs(headers);
  if (headers.get("x-daily-ratelimit-token-remaining")?.trim() === "0") {
    const retry_after = Math.max(DAILY_RETRY_AFTER, (wait_ms ?? 0) / 1000);
    return new PublicError("PROVIDER_RATE_LIMITED", "the provider's daily budget is spent", {
      ...details,
      retry_after,
    });
  }
  const hints = [wait_ms, resetMs(headers)].filter((hint) => hint !== null);
  const least_ms = hints.length === 0 ? SILENT_LIMIT_MS : Math.max(...hints);
  return new Retryable(
    "PROVIDER_RATE_LIMITED",
    message,
    { ...details, retry_after: least_ms / 1000 },
    least_ms,
  );
}

/** A date is measured against the provider's own `Date` of the same answer, so that no two clocks are compared. */
function retryAfterMs(headers: Headers): number | null {
  const value = headers.get("retry-after");
  return parseRetryAfter(value, Date.parse(headers.get("date") ?? "")) ?? null;
}

/** A delta in seconds, https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting. */
function resetMs(headers: Headers): number | null {
  const value = headers.get("x-ratelimit-reset")?.trim() ?? "";
  return /^\d+(\.\d+)?$/.test(value) ? Math.min(LONGEST_RESET_MS, Number(value) * 1000) : null;
}

function mediaType(headers: Headers): string | undefined {
  return headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
}

/** Status 200 alone proves nothing: gateways answer it with their own pages. Null: usable. */
function troubleOf(headers: Headers, body: ArrayBuffer): string | null {
  if (body.byteLength === 0) return "empty";
  const type = mediaType(headers);
  if (type !== undefined && type !== "application/json" && !type.endsWith("+json")) return "not JSON";
  const value = parsed(body);
  if (value === undefined) return "not JSON";
  const refused = typeof value === "object" && value !== null && "success" in value &&
    value.success === false;
  return refused ? "success is false" : null;
}

/** The parser's error is dropped: it quotes the body. */
function parsed(body: ArrayBuffer): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}
