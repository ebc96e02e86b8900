/** With nothing given back, this is enough for a hundred retries. */
const MOST = 500;
/** What a success gives back: with a retry at 5, one request in five may be one, and soon fewer in an outage. */
const SUCCESS = 1;
const RETRY = 5;
/** After no answer came in time: twice as much, because it has already kept a caller waiting. */
const LATE_RETRY = 10;

/**
 * Keeps retries from becoming the load that holds a struggling API down. Per isolate and provider; while requests
 * succeed it is never felt.
 */
export class RetryBudget {
  #left = MOST;

  /** Pays for one retry. False: there is not enough left, the failure stands. */
  take({ late }: { readonly late: boolean }): boolean {
    const cost = late ? LATE_RETRY : RETRY;
    if (cost > this.#left) return false;
    this.#left -= cost;
    return true;
  }

  success(): void {
    this.#left = Math.min(MOST, this.#left + SUCCESS);
  }
}
