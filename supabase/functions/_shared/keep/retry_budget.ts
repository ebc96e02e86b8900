/** Retries that may be ahead of the requests, as when an API fails all at once. */
const AHEAD = 20;
/** Requests that pay for one retry. */
const REQUESTS = 10;

/**
 * Keeps retries from becoming the load that holds a struggling API down: a few at first, then one for every ten
 * requests. Per isolate and provider. Requests pay and not successes, so that an outage makes a tenth more of them,
 * not three times as many, and its end needs no luck to be noticed.
 */
export class RetryBudget {
  #paid = AHEAD * REQUESTS;

  /** Counts a request that is no retry. */
  request(): void {
    this.#paid = Math.min(AHEAD * REQUESTS, this.#paid + 1);
  }

  /** Pays for one retry. False: there is not enough left, the failure stands. */
  take(): boolean {
    if (this.#paid < REQUESTS) return false;
    this.#paid -= REQUESTS;
    return true;
  }
}
