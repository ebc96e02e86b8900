/** Failures in a row after which asking is pointless for a while. */
const THRESHOLD = 5;
/** Milliseconds until one probe may ask again. */
const OPEN_MS = 15_000;

/**
 * Keeps a broken token endpoint from being asked by everyone: after `THRESHOLD` failures in a row it stays shut for
 * `OPEN_MS`, then lets one probe through. Per isolate, because a shared row would be the hottest of the database.
 */
export class Breaker {
  #failures = 0;
  #shut_until = -Infinity;

  /** Milliseconds until asking may make sense; 0: now. */
  wait(now: number): number {
    return this.#failures < THRESHOLD ? 0 : Math.max(0, this.#shut_until - now);
  }

  /** Whether this caller may ask. Where the pause is over, the first to enter is the probe and the others wait for it. */
  enter(now: number): boolean {
    if (this.wait(now) > 0) return false;
    this.#shut_until = now + OPEN_MS;
    return true;
  }

  success(): void {
    this.#failures = 0;
  }

  failure(now: number): void {
    this.#failures += 1;
    this.#shut_until = now + OPEN_MS;
  }
}
