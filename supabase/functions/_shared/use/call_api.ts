import type { Context } from "../context.ts";
import type { Bytes } from "../bytes.ts";
import { apiUrl } from "../oauth/address.ts";
import { type ApiAnswer, type ApiRequest, askApi, CallerLeft } from "../oauth/api.ts";
import { AddressMoved, Retryable, TokenRefused } from "../oauth/api_answer.ts";
import { backOff, retry, withDeadline } from "../time.ts";
import { getAccessToken, openedToken, type Token, type Wanted } from "./access_token.ts";
import { askUntilAccepted, LEAST_LEFT_MS } from "./refused.ts";

export interface ApiCall extends Wanted {
  /** Default: GET. */
  readonly method?: string;
  /** One of the definition's `bases`, by name; default its `base`. */
  readonly base?: string;
  /** Below the base, beginning with a slash, as the URL parser would write it. */
  readonly path: string;
  /** Pairs, or the whole of it as it is sent. */
  readonly query?: Readonly<Record<string, string>> | string;
  /** What of a caller's headers may travel. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bytes;
  /** Default: `json`. `any`: whatever the API answers is passed on, its refusals too. */
  readonly takes?: "json" | "any";
  /** A GET that changes something all the same. */
  readonly changes?: boolean;
  /** The caller's. It ends the call, never a refresh. */
  readonly signal?: AbortSignal;
}

export interface ApiResponse extends ApiAnswer {
  readonly connection_id: string;
  /** Of the token set that was accepted. */
  readonly version: number;
  /** Requests that it took. */
  readonly attempts: number;
}

/** A whole call, waiting for a refresh included, in milliseconds; the platform would give up at 150 s. */
const CALL_MS = 25_000;
const ATTEMPT_MS = 8_000;
const MOST_ATTEMPTS = 3;
/** Pages of 2.6 MB were seen. */
const MAX_RESPONSE_BYTES = 10 * 1024 * 1024;
const ADVICE = ': ask for fewer with "limit"';

/**
 * Asks the provider's API in a user's name.
 *
 * Where the token is refused (401) or its address has moved, one refresh and one replay: with the newer token, where
 * its token set points. A refused token that is too young for a refresh is tried again for about three seconds, since
 * it may not be known everywhere yet. 403 and 402 are never about the token. Rate limits and outages are retried
 * inside the deadline, with full jitter, as far as the isolate's retries go: of GET and HEAD. What changes something
 * is sent again only after its token was refused. A caller that leaves ends the call.
 *
 * @throws {PublicError} all of `getAccessToken` and of `askApi`
 *
 * @example
 * ```ts
 * const call = { connection_id, user_id, path: "/api/v2/deals", query: { limit: "10" } };
 * const { body } = await callApi(context, call);
 * ```
 */
export async function callApi(context: Context, call: ApiCall): Promise<ApiResponse> {
  const { signal, connection_id } = call;
  const left = Promise.withResolvers<never>();
  const leave = () => left.reject(new CallerLeft(connection_id));
  if (signal?.aborted) leave();
  signal?.addEventListener("abort", leave, { once: true });
  try {
    return await Promise.race([left.promise, answerTo(context, call)]);
  } finally {
    signal?.removeEventListener("abort", leave);
  }
}

interface Progress {
  /** Of the clock. */
  readonly ends: number;
  attempts: number;
}

async function answerTo(context: Context, call: ApiCall): Promise<ApiResponse> {
  const progress = { ends: context.clock.now() + CALL_MS, attempts: 0 };
  context.memory.retries.request();
  const { token, answer } = await begin(context, call, progress);
  try {
    return await answer();
  } catch (error) {
    const moved = error instanceof AddressMoved && isRepeatable(call);
    if (!(error instanceof TokenRefused || moved)) throw error;
    const newer = await getAccessToken(context, call, token.version);
    if (moved && isAt(newer, token)) throw error;
    const again = () => ask(context, call, newer, progress);
    try {
      if (newer.version === token.version) throw error;
      return await again();
    } catch (refusal) {
      if (!(refusal instanceof TokenRefused)) throw refusal;
      const key = `${newer.connection_id}:${newer.version}`;
      return await askUntilAccepted(context, key, { refusal, ends: progress.ends, again });
    }
  }
}

/** What may be sent twice, and before it is known whether it may be sent at all. */
function isRepeatable({ method = "GET", changes = false }: ApiCall): boolean {
  return (method === "GET" || method === "HEAD") && !changes;
}

/** Whether both are sent to the same place. */
function isAt(one: Token, other: Token): boolean {
  return JSON.stringify(one.values) === JSON.stringify(other.values);
}

/**
 * A token that works now, and the answer that it brings. With one that this isolate knows already the request goes out
 * while the door is looked at. What it brings is thrown away if the door is shut, or the token another by now.
 */
async function begin(context: Context, call: ApiCall, progress: Progress) {
  const opened = isRepeatable(call) ? openedToken(context, call) : undefined;
  if (!opened) {
    const token = await getAccessToken(context, call);
    return { token, answer: () => ask(context, call, token, progress) };
  }
  const unwanted = new AbortController();
  const signal = call.signal ? AbortSignal.any([call.signal, unwanted.signal]) : unwanted.signal;
  const sent = ask(context, { ...call, signal }, opened, progress);
  // It is waited for below, or unwanted.
  sent.catch(() => {});
  const current = (token: Token) =>
    token.connection_id === opened.connection_id && token.version === opened.version;
  try {
    const token = await getAccessToken(context, call);
    if (current(token)) return { token, answer: () => sent };
    unwanted.abort();
    return { token, answer: () => ask(context, call, token, progress) };
  } catch (error) {
    unwanted.abort();
    throw error;
  }
}

/** Asks with one token until there is an answer that repeating cannot better. */
async function ask(context: Context, call: ApiCall, token: Token, progress: Progress): Promise<ApiResponse> {
  const { client, clock, fetch, memory, random } = context;
  const { signal: caller } = call;
  const { connection_id, version } = token;
  const request = requestOf(client, call, token);
  const worthRetrying = (error: unknown): number | null => {
    if (!(error instanceof Retryable) || error instanceof TokenRefused || caller?.aborted) return null;
    const fits = clock.now() + error.least_ms + LEAST_LEFT_MS <= progress.ends;
    const allowed = isRepeatable(call) && progress.attempts < MOST_ATTEMPTS;
    return allowed && fits && memory.retries.take() ? error.least_ms : null;
  };
  const answer = await retry(clock, backOff(random, MOST_ATTEMPTS), worthRetrying, () => {
    progress.attempts += 1;
    const left_ms = Math.max(0, Math.min(ATTEMPT_MS, progress.ends - clock.now()));
    return withDeadline(clock, left_ms, (deadline) => {
      const signal = caller ? AbortSignal.any([deadline, caller]) : deadline;
      return askApi(client, token, request, { fetch, signal });
    });
  }).catch(passed);
  return { ...answer, connection_id, version, attempts: progress.attempts };
}

/** What the API has refused and nothing here could mend is the caller's to see, where everything passes. */
function passed(error: unknown): ApiAnswer {
  if (error instanceof Retryable && error.answer) return error.answer;
  throw error;
}

function requestOf(client: Context["client"], call: ApiCall, token: Token): ApiRequest {
  const { base, path, query = {}, method, headers, body, takes = "json" } = call;
  const url = apiUrl(client, token.values, { base });
  if (url) {
    url.pathname = url.pathname.replace(/\/$/, "") + path;
    // A blank as `+` is form encoding (https://url.spec.whatwg.org/#urlencoded-serializing); `%20` is understood everywhere.
    url.search = typeof query === "string"
      ? query
      : new URLSearchParams(query).toString().replaceAll("+", "%20");
  }
  const { connection_id } = token;
  return { url, method, headers, body, takes, limit: MAX_RESPONSE_BYTES, advice: ADVICE, connection_id };
}
