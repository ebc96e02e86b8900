import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { askApi } from "../oauth/api.ts";
import { type ApiAnswer, Retryable } from "../oauth/api_answer.ts";
import type { AccessToken } from "../oauth/client.ts";
import { backOff, retry, withDeadline } from "../time.ts";
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
const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;

/**
 * GETs from the provider's API in a user's name.
 *
 * A 401 is answered with one refresh of the version that failed and one replay; what is still refused then is not
 * about the token. 403 and 402 never are. Rate limits and outages are retried inside the deadline, with full jitter.
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
  const { connection_id, user_id } = call;
  const progress = { ends: context.clock.now() + CALL_MS, attempts: 0 };
  let token = await getAccessToken(context, connection_id, user_id);
  let answer: ApiAnswer;
  try {
    answer = await ask(context, call, token, progress);
  } catch (error) {
    if (!isTokenRefused(error)) throw error;
    const refused = token.version;
    token = await getAccessToken(context, connection_id, user_id, refused);
    if (token.version === refused) throw error;
    answer = await ask(context, call, token, progress);
  }
  const { status, headers, body } = answer;
  return { status, headers, body, version: token.version, attempts: progress.attempts };
}

interface Progress {
  /** Of the clock. */
  readonly ends: number;
  attempts: number;
}

/** Asks with one token until there is an answer that repeating cannot better. */
function ask(
  context: Context,
  { connection_id, path, query, signal: caller }: ApiCall,
  token: AccessToken,
  progress: Progress,
): Promise<ApiAnswer> {
  const { client, clock, fetch, memory, random } = context;
  const worthRetrying = (error: unknown): number | null => {
    if (!(error instanceof Retryable) || caller?.aborted) return null;
    const fits = clock.now() + error.least_ms + LEAST_LEFT_MS <= progress.ends;
    const again = progress.attempts < MOST_ATTEMPTS && fits && memory.retries.take(error);
    return again ? error.least_ms : null;
  };
  return retry(clock, backOff(random, MOST_ATTEMPTS), worthRetrying, async () => {
    progress.attempts += 1;
    const left_ms = Math.max(0, Math.min(ATTEMPT_MS, progress.ends - clock.now()));
    const answer = await withDeadline(clock, left_ms, (deadline) => {
      const signal = caller ? AbortSignal.any([deadline, caller]) : deadline;
      const request = { path, query, limit: MAX_RESPONSE_BYTES, connection_id };
      return askApi(client, token, request, { fetch, signal });
    });
    memory.retries.success();
    return answer;
  });
}

function isTokenRefused(error: unknown): boolean {
  return error instanceof PublicError && error.code === "PROVIDER_REJECTED" && error.status === 401;
}
