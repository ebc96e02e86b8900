import { decodeUtf8, isObject, parseJson } from "../bytes.ts";
import { type ErrorDetails, PublicError } from "../errors.ts";
import { mediaType, parseRetryAfter } from "./http.ts";

/** A failure that may be over when the request is repeated. */
export class Retryable extends PublicError {
  override readonly name: string = "Retryable";
  constructor(
    code: "PROVIDER_RATE_LIMITED" | "PROVIDER_UNAVAILABLE",
    message: string,
    details: ErrorDetails,
  ) {
    super(code, message, details);
  }

  /** Milliseconds before which asking again is pointless. */
  get least_ms(): number {
    return (this.details.retry_after ?? 0) * 1000;
  }
}

/**
 * 401: the token is over, or so young that it is not known everywhere yet. Never passed on: our own 401 tells a
 * person to sign in, who could do nothing about this one.
 */
export class TokenRefused extends Retryable {
  override readonly name = "TokenRefused";
  constructor(details: ErrorDetails) {
    super(
      "PROVIDER_UNAVAILABLE",
      "the provider does not accept the access token now: try again later",
      details,
    );
  }

  override get least_ms(): number {
    return 1_000;
  }
}

/** The address answers that it is another's now, as after a company was renamed. Where it sends us nobody looks. */
export class AddressMoved extends PublicError {
  override readonly name = "AddressMoved";
  constructor(connection_id?: string) {
    const message = "the provider does not serve this connection at the address that it has named";
    super("PROVIDER_RESPONSE_INVALID", message, { connection_id });
  }
}

/** https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting; the daily ones are sent, though not documented. */
export const RATE_LIMIT_HEADERS: readonly string[] = [
  "x-ratelimit-limit",
  "x-ratelimit-remaining",
  "x-ratelimit-reset",
  "x-daily-ratelimit-token-limit",
  "x-daily-ratelimit-token-remaining",
];
/** `application/json` and what is built on it (RFC 6839 §3.1), in the characters of a type's name (RFC 6838 §4.2). */
const JSON_TYPE = /^application\/([a-z\d][a-z\d!#$&^_.+-]*\+)?json$/;
/** Redirects (https://fetch.spec.whatwg.org/#redirect-status), and RFC 9110 §15.5.20: nothing is served here. */
const MOVED = [301, 302, 303, 307, 308, 421];
/** `x-ratelimit-reset` counts the seconds left of a window of 2 s, or of a penalty of 10 s; more is not a delta. */
const LONGEST_RESET = 10;
/** Seconds to pause after a 429 that says nothing: the window of Pipedrive's search. */
const SILENT_RETRY_AFTER = 2;
/** Seconds until a spent daily budget is worth another look; when the provider's day ends is not documented. */
const DAILY_RETRY_AFTER = 3_600;
/** Seconds to keep away after a block page, which comes after refusals were ignored. */
const BLOCKED_RETRY_AFTER = 60;

/**
 * What an answer means that is no success.
 *
 * @throws as `askApi`
 */
export function refuseStatus({ status, headers }: Response, connection_id?: string): never {
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
  if (status === 401) throw new TokenRefused(details);
  if (MOVED.includes(status)) throw new AddressMoved(connection_id);
  // 407 would have a browser sign in at its proxy.
  if (status >= 400 && status !== 407) {
    throw new PublicError("PROVIDER_REJECTED", `the provider answered ${status}`, details);
  }
  throw responseInvalid(`status ${status}`, connection_id);
}

/** @param what in words of our own */
export function responseInvalid(what: string, connection_id?: string): PublicError {
  return new PublicError("PROVIDER_RESPONSE_INVALID", `the provider's answer is unusable: ${what}`, {
    connection_id,
  });
}

/** What of an answer's headers may travel on. */
export function downstreamHeaders(headers: Headers): Headers {
  const passed = rateLimitHeaders(headers);
  const seconds = retryAfter(headers);
  if (seconds) passed.set("retry-after", String(seconds));
  passed.set("content-type", mediaType(headers) ?? "application/json");
  return passed;
}

/** Numbers of seconds, requests or tokens; what is none, or none that can be meant, is nobody's business. */
function rateLimitHeaders(headers: Headers): Headers {
  const numbers = RATE_LIMIT_HEADERS.map((name) => [name, headers.get(name) ?? ""] as [string, string]);
  return new Headers(numbers.filter(([, value]) => /^\d{1,10}$/.test(value)));
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

/** Pipedrive says so first. */
const BEGINS_AS_SUCCESS = /^\s*\{\s*"success"\s*:\s*true\s*[,}]/;
const ENDS_AS_OBJECT = /\}\s*$/;
/** Bytes at either end that are looked at. */
const LOOKED_AT = 64;
const ascii = new TextDecoder("latin1");

/**
 * Whether a success can be told by its ends, so that it need not be parsed.
 *
 * @param whole there is an end
 */
export function isPlainSuccess(headers: Headers, bytes: Uint8Array, { whole }: { whole: boolean }): boolean {
  return isJson(headers) && BEGINS_AS_SUCCESS.test(ascii.decode(bytes.subarray(0, LOOKED_AT))) &&
    (!whole || ENDS_AS_OBJECT.test(ascii.decode(bytes.subarray(-LOOKED_AT))));
}

/**
 * What a success says. Status 200 alone proves nothing: gateways answer it with their own pages.
 *
 * @throws {PublicError} `PROVIDER_RESPONSE_INVALID`
 */
export function readJson(headers: Headers, body: Uint8Array, connection_id?: string): unknown {
  if (body.byteLength === 0) throw responseInvalid("empty", connection_id);
  const text = isJson(headers) ? decodeUtf8(body) : undefined;
  const json = text === undefined ? undefined : parseJson(text);
  if (json === undefined) throw responseInvalid("not JSON", connection_id);
  if (isObject(json) && json.success === false) throw responseInvalid("success is false", connection_id);
  return json;
}

/** By its type, or without one. */
function isJson(headers: Headers): boolean {
  const type = mediaType(headers);
  return type === undefined || JSON_TYPE.test(type);
}
