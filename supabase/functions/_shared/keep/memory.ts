import { Latest } from "../latest.ts";
import type { AccessToken } from "../oauth/client.ts";
import { Breaker } from "./breaker.ts";
import { RetryBudget } from "./retry_budget.ts";

/** The token set that a refresh ended with. */
export interface Refreshed {
  /** `refreshed` by this isolate, `held_elsewhere` by the lease of another caller, or found `fresh`. */
  readonly outcome: "refreshed" | "held_elsewhere" | "fresh";
  readonly version: number;
  readonly access_token: AccessToken;
  /** ISO 8601; null while the database has not said that it is stored. */
  readonly access_expires_at: string | null;
}

/** An access token that has been opened, and what the door said of it. */
export interface OpenedToken extends AccessToken {
  readonly connection_id: string;
  readonly version: number;
  /** Of the clock: from then on a newer one may be there at any time. */
  readonly due_at: number;
}

/**
 * What one isolate remembers of one provider between requests. Nothing depends on it: the lease in the database
 * decides; this only saves asking.
 */
export class Memory {
  /** Refreshes under way, by connection, version seen and force: whoever asks meanwhile joins. */
  readonly refreshes: Map<string, Promise<Refreshed>> = new Map();
  /** Of the token endpoint. */
  readonly breaker: Breaker = new Breaker();
  /** Refused access tokens that somebody tries again, by connection and version: whoever is refused meanwhile waits. */
  readonly trials: Map<string, Promise<unknown>> = new Map();
  /** By caller and connection. What one of them brings counts only once the door has been seen open. */
  readonly tokens: Latest<OpenedToken> = new Latest(1_000);
  /** Of the API. */
  readonly retries: RetryBudget = new RetryBudget();
}
