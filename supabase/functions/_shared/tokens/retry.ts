import { TokenError } from "./errors.ts";
import type { Parts } from "./parts.ts";

/** Bounds of the pauses, in milliseconds: the first is below the first, each next below its double. */
const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 5_000;

/** @returns milliseconds to wait at least before another try makes sense; null: the failure is final */
export type Verdict = (error: unknown) => number | null;

/**
 * Tries up to `attempts` times, with full jitter between the tries so that many callers do not come back at once.
 *
 * @throws the last failure
 */
export async function retry<T>(
  { clock, random }: Pick<Parts, "clock" | "random">,
  attempts: number,
  judge: Verdict,
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tried = 1;; tried += 1) {
    try {
      return await attempt();
    } catch (error) {
      const least_ms = tried < attempts ? judge(error) : null;
      if (least_ms === null) throw error;
      const bound_ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tried - 1));
      await clock.sleep(Math.max(least_ms, random() * bound_ms));
    }
  }
}

/** Only the database stumbled; all of its functions may be called again. */
export const storageUnavailable: Verdict = (error) =>
  error instanceof TokenError && error.code === "STORAGE_UNAVAILABLE" ? 0 : null;
