import { PublicError } from "./errors.ts";

export interface Clock {
  /** Milliseconds, monotonic; only differences mean something. */
  now(): number;
  /** Rejects with the signal's reason when it fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** A timer this late, in milliseconds, means that the process was paused. */
const PAUSED_MS = 1_000;

/**
 * Runs `work` with a signal that fires after `ms`.
 *
 * A process that was paused past its deadline may already have the answer in its socket: it gets one more second to
 * read it, since an answer thrown away can cost the connection.
 *
 * @param hand_over_ms how much longer it always listens, for what was sent in time and is still on its way. A busy
 * process needs it: its timer fires before it has read what lies in the socket
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  hand_over_ms = 0,
): Promise<T> {
  const deadline = new AbortController();
  const done = new AbortController();
  const due = clock.now() + ms;
  const timer = clock.sleep(ms, done.signal)
    .then(() => clock.now() - due > PAUSED_MS ? Math.max(PAUSED_MS, hand_over_ms) : hand_over_ms)
    .then((more_ms) => more_ms > 0 ? clock.sleep(more_ms, done.signal) : undefined)
    .then(() => deadline.abort(new DOMException("the deadline has passed", "TimeoutError")));
  try {
    return await work(deadline.signal);
  } finally {
    done.abort(FINISHED);
    await timer.catch(ignoreFinished);
  }
}

/** What `work` gives, or `late()` if it takes longer than `ms`. The work itself goes on. */
export async function withPatience<T>(
  clock: Clock,
  ms: number,
  work: Promise<T>,
  late: () => T | Promise<T>,
): Promise<T> {
  const done = new AbortController();
  const timer = clock.sleep(ms, done.signal).then(() => LATE);
  try {
    const first = await Promise.race([work, timer]);
    return first === LATE ? late() : first as T;
  } finally {
    done.abort(FINISHED);
    timer.catch(ignoreFinished);
  }
}

/** The real one. */
export const systemClock: Clock = {
  now: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal?.addEventListener("abort", stop, { once: true });
    }),
};

const LATE = Symbol("late");
const FINISHED = new DOMException("finished in time", "AbortError");

function ignoreFinished(reason: unknown): void {
  if (reason !== FINISHED) throw reason;
}

/** Bounds of the pauses, in milliseconds: the first is below the first, each next below its double. */
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;

/** The pauses between `attempts` tries, with full jitter so that many callers do not come back at once. */
export function* backOff(random: () => number, attempts: number): Generator<number> {
  for (let tried = 1; tried < attempts; tried += 1) {
    yield random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tried - 1));
  }
}

/** @returns milliseconds to wait at least before another try makes sense; null: the failure is final */
export type WorthRetrying = (error: unknown) => number | null;

/**
 * Tries once, and again after each of the pauses while the failure is worth it.
 *
 * @param pauses milliseconds
 * @throws the last failure
 */
export async function retry<T>(
  clock: Clock,
  pauses: Iterable<number>,
  worthRetrying: WorthRetrying,
  attempt: () => Promise<T>,
): Promise<T> {
  for (const pause_ms of pauses) {
    try {
      return await attempt();
    } catch (error) {
      const least_ms = worthRetrying(error);
      if (least_ms === null) throw error;
      await clock.sleep(Math.max(least_ms, pause_ms));
    }
  }
  return await attempt();
}

/** Only the database stumbled; all of its functions may be called again. */
export const storageUnavailable: WorthRetrying = (error) =>
  error instanceof PublicError && error.code === "STORAGE_UNAVAILABLE" ? 0 : null;
