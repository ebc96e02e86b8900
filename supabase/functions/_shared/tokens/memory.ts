import { Breaker } from "./breaker.ts";
import type { Refreshed } from "./refresh.ts";
import { RetryBudget } from "./retry_budget.ts";

/**
 * What one isolate remembers of one provider between requests. Nothing depends on it: the lease in the database
 * decides; this only saves asking.
 */
export class Memory {
  /** Refreshes under way, by connection, version seen and force: whoever asks meanwhile joins. */
  readonly flights: Map<string, Promise<Refreshed>> = new Map();
  /** Of the token endpoint. */
  readonly breaker: Breaker = new Breaker();
  /** Of the API. */
  readonly retries: RetryBudget = new RetryBudget();
}
