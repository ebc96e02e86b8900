import { FakeClock } from "../../tests/support/clock.ts";

/**
 * One time for all isolates and the database. It stands still while anything can happen, goes on to the next sleeper
 * when nothing can, and jumps when a test says so.
 */
export class WorldClock extends FakeClock {
  readonly #due = new Set<{ readonly at: number }>();

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const sleeper = { at: this.now() + Math.max(0, ms) };
    this.#due.add(sleeper);
    return super.sleep(ms, signal).finally(() => this.#due.delete(sleeper));
  }

  /** Time goes on until somebody wakes. False: nobody sleeps. */
  async wakeNext(): Promise<boolean> {
    if (this.#due.size === 0) return false;
    const next = Math.min(...Array.from(this.#due, ({ at }) => at));
    await this.advance(Math.max(0, next - this.now()));
    return true;
  }

  /** Everybody stands still for `ms`, as if stopped: whoever was to wake meanwhile wakes late. */
  async jump(ms: number): Promise<void> {
    this.pause(ms);
    await this.advance(0);
  }
}
