import type { Context } from "../context.ts";
import { askApi, CallerLeft } from "../oauth/api.ts";
import { AddressMoved, type ApiAnswer, Retryable, TokenRefused } from "../oauth/api_answer.ts";
import { backOff, retry, withDeadline, withPatience } from "../time.ts";
import { getAccessToken } from "./access_token.ts";

export interface ApiCall {
  readonly connection_id: string;
  /** Null: a secret key asks. */
  readonly user_id: string | null;
  /** From a template of ours, beginning with a slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** The caller's. It ends the call, never a refresh. */
  readonly signal?: AbortSignal;
}

export interface ApiResponse extends Pick<ApiAnswer, "status" | "headers" | "body"> {
  /** Of the token set that was accepted. */
  readonly version: number;
  /** Requests that it took. */
  readonly attempts: number;
}

/** A whole call, waiting for a refresh included, in milliseconds; the platform would give up at 150 s. */
const CALL_MS = 25_000;
const ATTEMPT_MS = 8_000;
const MOST_ATTEMPTS = 3;
/** With less than this left, waiting for another attempt is not worth it. */
const LEAST_LEFT_MS = 500;
/** How often a refused token that no refresh replaces is tried again, and after which pause: its jitter is a half. */
const REFUSED = { tries: 3, pause_ms: 1_000 };
/**
 * Pages of 2.6 MB were seen. They are read whole, because what turns out to be no answer must become an error before a
 * status has gone out: twenty of the largest at once take 160 MB, of the 256 MB that an isolate has.
 */
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;
const ADVICE = ': ask for fewer with "limit"';

/**
 * GETs from the provider's API in a user's name.
 *
 * Where the token is refused (401) or its address has moved, one refresh and one replay: with the newer token, where
 * its token set points. A refused token that is too young for a refresh is tried again for about three seconds, since
 * it may not be known everywhere yet. 403 and 402 are never about the token. Rate limits and outages are retried
 * inside the deadline, with full jitter, as far as the isolate's retries go. A caller that leaves ends the call.
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

type Token = Awaited<ReturnType<typeof getAccessToken>>;

async function answerTo(context: Context, call: ApiCall): Promise<ApiResponse> {
  const { connection_id, user_id } = call;
  const progress = { ends: context.clock.now() + CALL_MS, attempts: 0 };
  context.memory.retries.request();
  const token = await getAccessToken(context, connection_id, user_id);
  try {
    return await ask(context, call, token, progress);
  } catch (error) {
    if (!(error instanceof TokenRefused || error instanceof AddressMoved)) throw error;
    const newer = await getAccessToken(context, connection_id, user_id, token.version);
    if (error instanceof AddressMoved && newer.api_origin === token.api_origin) throw error;
    const again = () => ask(context, call, newer, progress);
    try {
      if (newer.version === token.version) throw error;
      return await again();
    } catch (refusal) {
      if (!(refusal instanceof TokenRefused)) throw refusal;
      const { ends } = progress;
      return await askUntilAccepted(context, `${connection_id}:${newer.version}`, { refusal, ends, again });
    }
  }
}

/** Asks with one token until there is an answer that repeating cannot better. */
async function ask(
  context: Context,
  { connection_id, path, query, signal: caller }: ApiCall,
  token: Token,
  progress: Progress,
): Promise<ApiResponse> {
  const { client, clock, fetch, memory, random } = context;
  const worthRetrying = (error: unknown): number | null => {
    if (!(error instanceof Retryable) || error instanceof TokenRefused || caller?.aborted) return null;
    const fits = clock.now() + error.least_ms + LEAST_LEFT_MS <= progress.ends;
    const again = progress.attempts < MOST_ATTEMPTS && fits && memory.retries.take();
    return again ? error.least_ms : null;
  };
  const { status, headers, body } = await retry(clock, backOff(random, MOST_ATTEMPTS), worthRetrying, () => {
    progress.attempts += 1;
    const left_ms = Math.max(0, Math.min(ATTEMPT_MS, progress.ends - clock.now()));
    return withDeadline(clock, left_ms, (deadline) => {
      const signal = caller ? AbortSignal.any([deadline, caller]) : deadline;
      const request = { path, query, limit: MAX_RESPONSE_BYTES, advice: ADVICE, connection_id };
      return askApi(client, token, request, { fetch, signal });
    });
  });
  return { status, headers, body, version: token.version, attempts: progress.attempts };
}

interface Refused {
  readonly refusal: TokenRefused;
  /** Of the clock. */
  readonly ends: number;
  /** Asks with the same token. */
  readonly again: () => Promise<ApiResponse>;
}

/**
 * Tries a refused token again. One caller does, and whoever else was refused the same token waits for what it finds,
 * so that a herd does not become a storm.
 *
 * @param key of the token
 */
async function askUntilAccepted(context: Context, key: string, refused: Refused): Promise<ApiResponse> {
  const { clock, memory: { trials } } = context;
  const { refusal, ends, again } = refused;
  const under_way = trials.get(key);
  if (!under_way) {
    const trial = tryAgain(context, refused).finally(() => trials.delete(key));
    trials.set(key, trial);
    return await trial;
  }
  try {
    await withPatience(clock, ends - clock.now(), under_way, () => Promise.reject(refusal));
  } catch (error) {
    if (error instanceof TokenRefused) throw error;
    if (error instanceof CallerLeft) return await askUntilAccepted(context, key, refused);
    // Whatever else it was told is about its own request, and says nothing against the token.
  }
  return await again();
}

async function tryAgain(
  { clock, memory, random }: Context,
  { refusal, ends, again }: Refused,
): Promise<ApiResponse> {
  for (let tried = 0; tried < REFUSED.tries; tried += 1) {
    const pause_ms = REFUSED.pause_ms * (0.75 + random() / 2);
    const fits = clock.now() + pause_ms + LEAST_LEFT_MS <= ends;
    if (!fits || !memory.retries.take()) break;
    await clock.sleep(pause_ms);
    try {
      return await again();
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
    }
  }
  throw refusal;
}
