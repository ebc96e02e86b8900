import { type Bytes, decodeUtf8, isObject, parseJson } from "../bytes.ts";
import { type ErrorDetails, PublicError } from "../errors.ts";
import { parseRetryAfter } from "./http.ts";

/** A usable answer of the API. */
export interface ApiAnswer {
  readonly status: number;
  /** Only what may travel on: its type and what it says about limits. */
  readonly headers: Headers;
  /** As the provider sent it, byte for byte. */
  readonly body: Bytes;
  readonly json: unknown;
}

/** A failure that may be over when the request is repeated. */
export class Retryable extends PublicError {
  override readonly name = "Retryable";
  constructor(
    code: "PROVIDER_RATE_LIMITED" | "PROVIDER_UNAVAILABLE",
    message: string,
    details: ErrorDetails,
    /** No answer came in time: a retry keeps a caller waiting who has waited already. */
    readonly late: boolean = false,
  ) {
    super(code, message, details);
  }

  /** Milliseconds before which asking again is pointless. */
  get least_ms(): number {
    return (this.details.retry_after ?? 0) * 1000;
  }
}

/** `x-ratelimit-reset` counts the seconds left of a window of 2 s, or of a penalty of 10 s; more is not a delta. */
const LONGEST_RESET = 10;
/** Seconds to pause after a 429 that says nothing: the window of Pipedrive's search. */
const SILENT_RETRY_AFTER = 2;
/** Seconds until a spent daily budget is worth another look; when the provider's day ends is not documented. */
const DAILY_RETRY_AFTER = 3_600;
/** Seconds to keep away after a block page, which comes after refusals were ignored. */
const BLOCKED_RETRY_AFTER = 60;

/**
 * Judges an answer of the API, by status first.
 *
 * @param body of a success; of anything else the status says enough
 * @throws as `askApi`
 */
export function processApiResponse(
  { status, headers }: Response,
  body: Bytes | null,
  connection_id?: string,
): ApiAnswer {
  const details = { connection_id, status, headers: rateLimitHeaders(headers) };
  if (status === 429) throw rateLimited(headers, details);
  if (status === 408 || status === 425 || status >= 500) {
    const message = `the provider answered ${status}: try again later`;
    throw new Retryable("PROVIDER_UNAVAILABLE", message, { ...details, retry_after: retryAfter(headers) });
  }
  if (status === 403 && mediaType(headers) === "text/html") {
    const message = "the provider blocks our requests for a while";
    throw new PublicError("PROVIDER_UNAVAILABLE", message, { ...details, retry_after: BLOCKED_RETRY_AFTER });
  }
  if (status === 402 || status === 403) {
    const message = "the scope or the plan of this connection is too small";
    throw new PublicError("PROVIDER_FORBIDDEN", message, details);
  }
  if (status >= 400) throw new PublicError("PROVIDER_REJECTED", `the provider answered ${status}`, details);
  if (body === null) throw responseInvalid(`status ${status}`, connection_id);
  return { status, headers: downstreamHeaders(headers), body, json: jsonOf(headers, body, connection_id) };
}

/** @param what in words of our own */
export function responseInvalid(what: string, connection_id?: string): PublicError {
  return new PublicError("PROVIDER_RESPONSE_INVALID", `the provider's answer is unusable: ${what}`, {
    connection_id,
  });
}

function downstreamHeaders(headers: Headers): Headers {
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
  const wait = retryAfter(headers);
  if (headers.get("x-daily-ratelimit-token-remaining")?.trim() === "0") {
    const retry_after = Math.max(DAILY_RETRY_AFTER, wait ?? 0);
    const message = "the provider's daily budget is spent";
    return new PublicError("PROVIDER_RATE_LIMITED", message, { ...details, retry_after });
  }
  const hints = [wait, reset(headers)].filter((hint) => hint !== undefined);
  const retry_after = hints.length === 0 ? SILENT_RETRY_AFTER : Math.max(...hints);
  const message = "the provider's rate limit is reached: try again later";
  return new Retryable("PROVIDER_RATE_LIMITED", message, { ...details, retry_after });
}

/** Seconds. A date is measured against the provider's own `Date` of the same answer, so that no two clocks are compared. */
function retryAfter(headers: Headers): number | undefined {
  const ms = parseRetryAfter(headers.get("retry-after"), Date.parse(headers.get("date") ?? ""));
  return ms === undefined ? undefined : ms / 1000;
}

/** A delta in seconds, https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting. */
function reset(headers: Headers): number | undefined {
  const value = headers.get("x-ratelimit-reset")?.trim() ?? "";
  return /^\d+(\.\d+)?$/.test(value) ? Math.min(LONGEST_RESET, Number(value)) : undefined;
}

function mediaType(headers: Headers): string | undefined {
  return headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
}

/** Status 200 alone proves nothing: gateways answer it with their own pages. */
function jsonOf(headers: Headers, body: Uint8Array, connection_id?: string): unknown {
  if (body.byteLength === 0) throw responseInvalid("empty", connection_id);
  const type = mediaType(headers);
  const text = type === undefined || /^application\/json$|\+json$/.test(type) ? decodeUtf8(body) : undefined;
  const json = text === undefined ? undefined : parseJson(text);
  if (json === undefined) throw responseInvalid("not JSON", connection_id);
  if (isObject(json) && json.success === false) throw responseInvalid("success is false", connection_id);
  return json;
}
