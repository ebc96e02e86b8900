import { judgeApiOrigin } from "../oauth/api_origin.ts";
import { getAccessToken } from "./access_token.ts";
import { type ApiAnswer, downstreamHeaders, judgeAnswer, responseInvalid, Retryable } from "./api_answer.ts";
import { retry, withDeadline } from "../time.ts";
import { PublicError } from "../errors.ts";
import type { Context } from "../context.ts";
import { RETRY_COST } from "../keep/retry_budget.ts";

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

export interface ApiResponse {
  readonly status: number;
  /** Only what may travel on. */
  readonly headers: Headers;
  /** As the provider sent it, byte for byte. */
  readonly body: ArrayBuffer;
  /** Of the token set that was accepted. */
  readonly version: number;
  /** Requests that it took. */
  readonly attempts: number;
}

type Token = Awaited<ReturnType<typeof getAccessToken>>;

/** A whole call, waiting for a refresh included, in milliseconds; the platform would give up at 150 s. */
const CALL_MS = 25_000;
const ATTEMPT_MS = 8_000;
const MOST_ATTEMPTS = 3;
/** With less than this left, waiting for another attempt is not worth it. */
const LEAST_LEFT_MS = 500;
const MAX_RESPONSE_BYTES = 2 * 1024 * 1024;
const USER_AGENT = "oauth-tokens-on-supabase";

/**
 * GETs from the provider's API in a user's name.
 *
 * A 401 is answered with one refresh of the version that failed and one replay; what is still refused then is not
 * about the token. 403 and 402 never are. Rate limits and outages are retried inside the deadline, with full jitter.
 *
 * @throws {PublicError} all of `getAccessToken`, `PROVIDER_FORBIDDEN`, `PROVIDER_REJECTED`, `PROVIDER_RATE_LIMITED`,
 * `PROVIDER_UNAVAILABLE`, `PROVIDER_RESPONSE_INVALID`
 */
export async function callApi(context: Context, call: ApiCall): Promise<ApiResponse> {
  const { connection_id, user_id } = call;
  const progress = { ends: context.clock.now() + CALL_MS, attempts: 0 };
  let token = await getAccessToken(context, connection_id, user_id);
  let answer = await ask(context, call, token, progress);
  if (answer.status === 401) {
    const refused = token.version;
    token = await getAccessToken(context, connection_id, user_id, refused);
    if (token.version !== refused) answer = await ask(context, call, token, progress);
  }
  const { status, headers, body } = judgeAnswer(answer, connection_id);
  return {
    status,
    headers: downstreamHeaders(headers),
    body,
    version: token.version,
    attempts: progress.attempts,
  };
}

interface Progress {
  /** Of the clock. */
  readonly ends: number;
  attempts: number;
}

/** Asks with one token until there is an answer that repeating cannot better. */
function ask(context: Context, call: ApiCall, token: Token, progress: Progress): Promise<ApiAnswer> {
  const { clock, memory } = context;
  const worthAnother = (error: unknown): number | null => {
    if (!(error instanceof Retryable) || call.signal?.aborted) return null;
    const fits = clock.now() + error.least_ms + LEAST_LEFT_MS <= progress.ends;
    const again = progress.attempts < MOST_ATTEMPTS && fits && memory.retries.take(error.cost);
    return again ? error.least_ms : null;
  };
  return retry(context, MOST_ATTEMPTS, worthAnother, async () => {
    progress.attempts += 1;
    const answer = await send(context, call, token, progress.ends);
    if (answer.status !== 401) judgeAnswer(answer, call.connection_id);
    memory.retries.success();
    return answer;
  });
}

/** Sends once. Nothing of the caller's request travels: the headers are built from nothing, redirects end here. */
async function send(context: Context, call: ApiCall, token: Token, ends: number): Promise<ApiAnswer> {
  const { connection_id, signal: caller } = call;
  const url = addressOf(context, call, token);
  const headers = {
    authorization: `Bearer ${token.access_token}`,
    accept: "application/json",
    "user-agent": USER_AGENT,
  };
  const left_ms = Math.max(0, Math.min(ATTEMPT_MS, ends - context.clock.now()));
  try {
    return await withDeadline(context.clock, left_ms, async (deadline) => {
      const signal = caller ? AbortSignal.any([deadline, caller]) : deadline;
      signal.throwIfAborted();
      const response = await context.fetch(url, { headers, redirect: "manual", signal });
      const { status, headers: answered } = response;
      return {
        status,
        headers: answered,
        body: response.ok ? await readBody(response, connection_id) : await drop(response),
      };
    });
  } catch (error) {
    if (error instanceof PublicError) throw error;
    throw unanswered(error, connection_id, caller);
  }
}

/** @throws {PublicError} `PROVIDER_RESPONSE_INVALID` where the stored origin is not one that a token may be sent to */
function addressOf({ client }: Context, { connection_id, path, query }: ApiCall, { api_origin }: Token): URL {
  const origin = judgeApiOrigin(client, api_origin);
  if (origin === null) throw responseInvalid("it named an API address that is not allowed", connection_id);
  const url = new URL(origin);
  url.pathname = path;
  // A blank as `+` is form encoding (https://url.spec.whatwg.org/#urlencoded-serializing); `%20` is understood everywhere.
  url.search = new URLSearchParams(query).toString().replaceAll("+", "%20");
  return url;
}

/** What the network said is dropped: it may quote the address, and with it the search. */
function unanswered(error: unknown, connection_id: string, caller?: AbortSignal): PublicError {
  if (caller?.aborted) {
    return new PublicError("PROVIDER_UNAVAILABLE", "the caller left before the provider answered", {
      connection_id,
    });
  }
  const late = error instanceof DOMException && error.name === "TimeoutError";
  return new Retryable(
    "PROVIDER_UNAVAILABLE",
    late ? "the provider did not answer in time" : "the provider cannot be reached",
    { connection_id },
    0,
    late ? RETRY_COST.timeout : RETRY_COST.answered,
  );
}

/** Counted as it arrives and after decompression, because no header says how much that will be. */
async function readBody(response: Response, connection_id: string): Promise<ArrayBuffer> {
  const chunks = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > MAX_RESPONSE_BYTES) throw responseInvalid("larger than 2 MiB", connection_id);
    chunks.push(chunk);
  }
  const whole = new ArrayBuffer(size);
  const bytes = new Uint8Array(whole);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return whole;
}

async function drop(response: Response): Promise<null> {
  await response.body?.cancel();
  return null;
}
