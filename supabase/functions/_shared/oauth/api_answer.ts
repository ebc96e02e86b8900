import { decodeUtf8, parseJson, valueAt } from "../bytes.ts";
import { type ErrorDetails, PublicError } from "../errors.ts";
import type { ApiAnswer } from "./api.ts";
import { mediaType } from "./http.ts";
import type { BodySignal, Provider, Signal } from "./provider.ts";
import { retryAfter, waitAfter } from "./rate_limit.ts";

/** A failure that may be over when the request is repeated. */
export class Retryable extends PublicError {
  override readonly name: string = "Retryable";
  /** What came, where a refusal may pass. */
  answer?: ApiAnswer;

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
 * The token is over, or so young that it is not known everywhere yet: 401, or what the definition says. Never passed on:
 * our own 401 tells a person to sign in, who could do nothing about this one.
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

/** `application/json` and what is built on it (RFC 6839 §3.1), in the characters of a type's name (RFC 6838 §4.2). */
const JSON_TYPE = /^application\/([a-z\d][a-z\d!#$&^_.+-]*\+)?json$/;
/** Redirects (https://fetch.spec.whatwg.org/#redirect-status), and RFC 9110 §15.5.20: nothing is served here. */
const MOVED = [301, 302, 303, 307, 308, 421];
/** Seconds to keep away after a block page, which comes after refusals were ignored. */
const BLOCKED_RETRY_AFTER = 60;

type Api = Provider["api"];
type Head = Pick<Response, "status" | "headers">;

/** Whether what an answer means stands in its body. */
export function isToldByBody({ token_refused, failed, rate_limit }: Api, status: number): boolean {
  return bodySignals([...token_refused, ...failed, ...rate_limit.signals], status).length > 0;
}

function bodySignals(signals: readonly Signal[], status: number): BodySignal[] {
  return signals.flatMap((signal) =>
    typeof signal === "object" && "path" in signal && signal.status === status ? [signal] : []
  );
}

function tells(signals: readonly Signal[], { status, headers }: Head, json: unknown): boolean {
  return signals.some((signal) => {
    if (typeof signal === "number") return signal === status;
    if (signal.status !== status) return false;
    const found = "header" in signal ? headers.get(signal.header) : valueAt(json, signal.path);
    return signal.is === undefined ? found !== null : signal.is.some((value) => value === found);
  });
}

/**
 * What an answer means that is no success, by its status, and by its JSON where the definition looks there. A success
 * comes back.
 *
 * @throws as `askApi`
 */
export function refuse(api: Api, head: Head, json: unknown, connection_id?: string): void {
  const { status, headers } = head;
  const details = { connection_id, status, headers: passedHeaders(api, headers) };
  if (tells(api.token_refused, head, json)) throw new TokenRefused(details);
  if (tells(api.rate_limit.signals, head, json)) throw rateLimited(api, headers, details);
  if (tells(api.failed, head, json)) throw responseInvalid("it says that it failed", connection_id);
  if (status >= 200 && status < 300) return;
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
  if (MOVED.includes(status)) throw new AddressMoved(connection_id);
  // 407 would have a browser sign in at its proxy; of 401 the definition says that it is not about the token.
  if (status >= 400 && status !== 407 && status !== 401) {
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

/** Of an answer that passes as it is: what says what it is, and where more of it is. */
export const DESCRIBING: readonly string[] = [
  "content-disposition",
  "content-language",
  "content-type",
  "etag",
  "last-modified",
  "link",
];

/** What of an answer's headers may travel on. */
export function downstreamHeaders(api: Api, headers: Headers, takes: "json" | "any"): Headers {
  const passed = passedHeaders(api, headers);
  const seconds = retryAfter(headers);
  if (seconds) passed.set("retry-after", String(seconds));
  if (takes === "json") passed.set("content-type", mediaType(headers) ?? "application/json");
  else for (const name of DESCRIBING) copy(name, headers, passed);
  return passed;
}

function copy(name: string, from: Headers, to: Headers): void {
  const value = from.get(name);
  if (value !== null) to.set(name, value);
}

/** Numbers of seconds, requests or tokens; what is none, or none that can be meant, is nobody's business. */
function passedHeaders({ rate_limit }: Api, headers: Headers): Headers {
  const names = [...rate_limit.headers, ...Object.keys(rate_limit.reset)];
  const numbers = names.map((name) => [name, headers.get(name) ?? ""] as [string, string]);
  return new Headers(numbers.filter(([, value]) => /^\d{1,10}$/.test(value)));
}

function rateLimited(api: Api, headers: Headers, details: ErrorDetails): PublicError {
  const { retry_after, spent } = waitAfter(api.rate_limit, headers);
  return spent
    ? new PublicError("PROVIDER_RATE_LIMITED", "the provider's daily budget is spent", {
      ...details,
      retry_after,
    })
    : new Retryable("PROVIDER_RATE_LIMITED", "the provider's rate limit is reached: try again later", {
      ...details,
      retry_after,
    });
}

const ENDS_AS_OBJECT = /\}\s*$/;
/** Bytes at either end that are looked at. */
const LOOKED_AT = 64;
const ascii = new TextDecoder("latin1");

/**
 * Whether a success can be told by its ends, so that it need not be parsed: where the definition asks of one member
 * that it is not false, and the body begins with it as true.
 *
 * @param whole there is an end
 */
export function isPlainSuccess(
  { failed, token_refused, rate_limit }: Api,
  { status, headers }: Head,
  bytes: Uint8Array,
  { whole }: { whole: boolean },
): boolean {
  const asked = bodySignals([...failed, ...token_refused, ...rate_limit.signals], status);
  const [first] = asked;
  if (!first || !isJson(headers) || asked.some(({ path, is }) => path !== first.path || is.includes(true))) {
    return false;
  }
  const begins = new RegExp(`^\\s*\\{\\s*"${first.path}"\\s*:\\s*true\\s*[,}]`);
  return begins.test(ascii.decode(bytes.subarray(0, LOOKED_AT))) &&
    (!whole || ENDS_AS_OBJECT.test(ascii.decode(bytes.subarray(-LOOKED_AT))));
}

/**
 * What a success says. Status 200 alone proves nothing: gateways answer it with their own pages.
 *
 * @throws {PublicError} `PROVIDER_RESPONSE_INVALID`
 */
export function readJson(headers: Headers, body: Uint8Array, connection_id?: string): unknown {
  if (body.byteLength === 0) throw responseInvalid("empty", connection_id);
  const json = jsonOf(headers, body);
  if (json === undefined) throw responseInvalid("not JSON", connection_id);
  return json;
}

/** Undefined: it is none. */
export function jsonOf(headers: Headers, body: Uint8Array): unknown {
  const text = isJson(headers) ? decodeUtf8(body) : undefined;
  return text === undefined ? undefined : parseJson(text);
}

/** By its type, or without one. */
function isJson(headers: Headers): boolean {
  const type = mediaType(headers);
  return type === undefined || JSON_TYPE.test(type);
}
