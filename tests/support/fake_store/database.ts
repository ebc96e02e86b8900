import type { Clock } from "../../../supabase/functions/_shared/time.ts";
import type { Status } from "../../../supabase/functions/_shared/keep/store.ts";

/** A row of `oauth.connections` with its token set. Times are milliseconds since the epoch. */
export interface ConnectionRow {
  readonly id: string;
  readonly user_id: string;
  readonly provider: string;
  readonly account_key: string;
  account_name: string | null;
  account_email: string | null;
  scope: readonly string[];
  status: Status;
  version: number;
  leeway_ms: number;
  access_expires_at: number | null;
  refresh_after: number | null;
  lease_id: string | null;
  lease_until: number | null;
  attempts: number;
  unsettled_until: number | null;
  next_attempt_at: number | null;
  committed_lease_id: string | null;
  failure_code: string | null;
  refreshed_at: number | null;
  forced_until: number | null;
  connected_at: number;
  readonly created_at: number;
  updated_at: number;
  access_token_sealed: string | null;
  refresh_token_sealed: string | null;
  key_id: string | null;
}

/** A row of `oauth.authorization_requests`. */
export interface AuthorizationRow {
  readonly id: string;
  readonly user_id: string;
  readonly provider: string;
  readonly binding_hash: string;
  readonly redirect_uri: string;
  readonly return_to: string;
  code_verifier_sealed: string | null;
  status: "started" | "parked" | "taken" | "finished" | "denied";
  ticket_hash: string | null;
  code_sealed: string | null;
  expires_at: number;
}

export interface EventRow {
  readonly connection_id: string;
  readonly kind:
    | "connected"
    | "refreshed"
    | "refresh_failed"
    | "reauthorization_required"
    | "recovered"
    | "disconnected"
    | "uninstalled";
  readonly version: number;
  readonly code: string | null;
  at: number;
}

const DAY_MS = 86_400_000;

/** Where the database's clock stands when a test's clock stands at 0. */
const EPOCH = Date.parse("2026-01-01T00:00:00Z");

/** What the functions of the fake store work on: rows, the database's own clock, its `random()`. */
export class FakeDatabase {
  readonly connections = new Map<string, ConnectionRow>();
  readonly authorizations = new Map<string, AuthorizationRow>();
  readonly events: EventRow[] = [];

  constructor(readonly clock: Clock, readonly random: () => number) {}

  /** `clock_timestamp()`. */
  now(): number {
    return EPOCH + this.clock.now();
  }

  record(row: ConnectionRow, kind: EventRow["kind"], code: string | null = null): void {
    const { id: connection_id, version } = row;
    this.events.push({ connection_id, kind, version, code, at: this.now() });
  }

  purgeEvents(limit: number): number {
    const gone = this.events.filter((event) => keptUntil(event) <= this.now()).slice(0, limit);
    for (const event of gone) this.events.splice(this.events.indexOf(event), 1);
    return gone.length;
  }
}

/** What repeats is kept for 90 days, what was granted, lost or ended for two years. */
function keptUntil({ kind, code, at }: EventRow): number {
  const repeats = kind === "refresh_failed" || (kind === "refreshed" && code === null);
  return at + (repeats ? 90 : 730) * DAY_MS;
}

/** What the database raises: a bug of the caller's, with its SQLSTATE. */
export function raise(sqlstate: string, message: string): never {
  throw new Error(`${sqlstate}: ${message}`);
}

/** Refuses what a `uuid` parameter refuses. */
export function assertUuid(value: string | null): void {
  if (value !== null && !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value)) {
    raise("22P02", "invalid input syntax for type uuid");
  }
}

/** Refuses what is not the form of a seal, or sealed under another key than it says. */
export function assertSealed(value: string | null, key_id?: string): void {
  if (value === null) return;
  if (!/^v1(\.[A-Za-z0-9_-]+){3}$/.test(value)) raise("23514", "a token is stored sealed");
  if (key_id !== undefined && value.split(".")[1] !== key_id) raise("23514", "the key id is the seal's");
}

/** What the table's checks refuse. */
export function assertConsistent(row: ConnectionRow): void {
  if ((row.lease_id === null) !== (row.lease_until === null)) {
    raise("23514", "a lease has a holder and an end");
  }
  if (row.lease_id !== null && (row.status !== "active" || row.attempts < 1)) {
    raise("23514", "a lease is claimed");
  }
  if ((row.status === "disconnected") !== (row.access_expires_at === null)) {
    raise("23514", "tokens have times");
  }
  if ((row.access_expires_at === null) !== (row.refresh_after === null)) raise("23514", "tokens have times");
  if ((row.refresh_after ?? 0) > (row.access_expires_at ?? 0)) {
    raise("23514", "the soft window precedes expiry");
  }
}

export function isoTime(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}

/** Callers get durations, rounded up: whoever waits as long as it says finds the moment past. */
export function msUntil(time: number | null, now: number): number {
  return time === null ? 0 : Math.ceil(time - now);
}

/** Whether a time is ahead; null never is. */
export function ahead(time: number | null, now: number): time is number {
  return time !== null && time > now;
}

/** What every write of tokens leaves behind: nobody refreshes, nothing is unsettled. */
export const SETTLED = {
  lease_id: null,
  lease_until: null,
  attempts: 0,
  unsettled_until: null,
  next_attempt_at: null,
} as const;

/** Expiry, leeway and soft window of a token set, fixed at its commit. */
export function lifetime(database: FakeDatabase, expires_in_ms: number, elapsed_ms: number) {
  const life_ms = Math.min(Math.max(expires_in_ms, 0), TEN_YEARS_MS);
  const access_expires_at = database.now() + life_ms - Math.max(elapsed_ms, 0);
  const window_ms = Math.min(300_000, 0.2 * life_ms) * (0.8 + 0.4 * database.random());
  return {
    access_expires_at,
    leeway_ms: Math.min(60_000, 0.1 * life_ms),
    refresh_after: access_expires_at - window_ms,
    refreshed_at: database.now(),
    updated_at: database.now(),
  };
}

const TEN_YEARS_MS = 315_360_000_000;
