/**
 * Counts calls of one kind, and the time during which at least one of them was under way: of calls side by side it is
 * the time that the request spent, not their sum.
 */
export class Meter {
  #calls = 0;
  #under_way = 0;
  #since = 0;
  #ended = 0;

  /** @param now milliseconds, monotonic */
  constructor(private readonly now: () => number = () => performance.now()) {}

  get calls(): number {
    return this.#calls;
  }

  get milliseconds(): number {
    return Math.round(this.#ended + (this.#under_way > 0 ? this.now() - this.#since : 0));
  }

  /** Makes the call; one that fails counts as well. */
  async measure<T>(call: () => Promise<T>): Promise<T> {
    if (this.#under_way === 0) this.#since = this.now();
    this.#calls += 1;
    this.#under_way += 1;
    try {
      return await call();
    } finally {
      this.#under_way -= 1;
      if (this.#under_way === 0) this.#ended += this.now() - this.#since;
    }
  }
}

/** What one request costs elsewhere. */
export interface Meters {
  /** Calls of our SQL functions, through PostgREST. */
  readonly database: Meter;
  /** Requests to the provider, of whatever kind, until their answer begins. */
  readonly provider: Meter;
}

/**
 * The value of a `Server-Timing` header (https://www.w3.org/TR/server-timing/): whole milliseconds in all, and of
 * them at the database and at the provider. A kind that was not called is left out.
 */
export function serverTiming({ database, provider }: Meters, total_ms: number): string {
  const metrics = [["db", database], ["provider", provider]] as const;
  const used = metrics.filter(([, meter]) => meter.calls > 0);
  return [...used.map(([name, meter]) => `${name};dur=${meter.milliseconds}`), `total;dur=${total_ms}`].join(
    ", ",
  );
}
