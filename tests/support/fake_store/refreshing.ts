import type {
  Claim,
  ClaimDueRequest,
  ClaimOutcome,
  ClaimRequest,
  Commit,
  CommitOutcome,
  DueClaim,
  FailOutcome,
  Failure,
  Peek,
} from "../../../supabase/functions/_shared/keep/store.ts";
import {
  ahead,
  assertSealed,
  assertUuid,
  type ConnectionRow,
  type FakeDatabase,
  isoTime,
  lifetime,
  msUntil,
  raise,
  SETTLED,
} from "./database.ts";

const FORCED_EVERY_MS = 60_000;
const FORCED_AT_ONCE = 10;
const LONGEST_LEASE_MS = 600_000;
const LONGEST_WAIT_MS = 86_400_000;

export function peek(
  database: FakeDatabase,
  id: string,
  user_id: string | null,
  seen_version: number,
): Peek | null {
  assertUuid(id);
  assertUuid(user_id);
  const row = database.connections.get(id);
  if (!row || (user_id !== null && row.user_id !== user_id)) return null;
  const now = database.now();
  const { access_expires_at: expires_at } = row;
  return {
    provider: row.provider,
    status: row.status,
    version: row.version,
    expires_in_ms: msUntil(expires_at, now),
    fresh_in_ms: msUntil(expires_at === null ? null : expires_at - row.leeway_ms, now),
    refresh_in_ms: msUntil(row.refresh_after, now),
    busy_ms: Math.max(0, msUntil(row.lease_until, now)),
    access_expires_at: isoTime(expires_at),
    access_token_sealed: row.version > seen_version ? row.access_token_sealed : null,
  };
}

export function claimRefresh(database: FakeDatabase, request: ClaimRequest): Claim {
  assertUuid(request.id);
  const { request_ms, lease_ms, settle_ms } = request;
  if (!(request_ms > 0 && lease_ms >= request_ms + 2_000)) {
    raise("22023", "the lease has to outlive the request");
  }
  if (lease_ms > LONGEST_LEASE_MS || settle_ms < 0 || settle_ms > LONGEST_LEASE_MS) {
    raise("22023", "too long");
  }
  const row = database.connections.get(request.id);
  if (!row) return claimed("not_found", null, database);
  if (row.status !== "active") return claimed(row.status, row, database);

  const now = database.now();
  const early = ahead(row.refresh_after, now);
  const forced = request.force && row.version === request.seen_version && mayForce(row, now);
  if (row.version > request.seen_version || (early && !forced)) return claimed("fresh", row, database);
  if (ahead(row.lease_until, now)) return claimed("busy", row, database, row.lease_until);
  if (ahead(row.next_attempt_at, now)) return claimed("backoff", row, database, row.next_attempt_at);

  if (row.lease_id !== null) row.unsettled_until = Math.max(row.unsettled_until ?? 0, now + settle_ms);
  if (early) row.forced_until = Math.max(row.forced_until ?? 0, now) + FORCED_EVERY_MS;
  row.lease_id = crypto.randomUUID();
  row.lease_until = now + lease_ms;
  row.attempts += 1;
  return claimed("claimed", row, database);
}

export function commitRefresh(
  database: FakeDatabase,
  commit: Commit,
): { outcome: CommitOutcome; access_expires_at: string | null } {
  assertUuid(commit.id);
  assertUuid(commit.lease_id);
  const row = database.connections.get(commit.id);
  if (!row || row.status === "disconnected") return { outcome: "disconnected", access_expires_at: null };
  if (row.version !== commit.base_version) {
    const outcome = row.committed_lease_id === commit.lease_id ? "already_committed" : "superseded";
    return { outcome, access_expires_at: isoTime(row.access_expires_at) };
  }
  assertSealed(commit.access_token_sealed, commit.key_id);
  assertSealed(commit.refresh_token_sealed, commit.key_id);
  const kind = row.status === "active" ? "refreshed" : "recovered";
  const code = scopeChange(row.scope, commit.scope);
  Object.assign(row, SETTLED, lifetime(database, commit.expires_in_ms, commit.elapsed_ms), {
    status: "active",
    version: row.version + 1,
    scope: commit.scope ?? row.scope,
    access_token_sealed: commit.access_token_sealed,
    refresh_token_sealed: commit.refresh_token_sealed,
    key_id: commit.key_id,
    committed_lease_id: commit.lease_id,
    failure_code: null,
  });
  database.record(row, kind, code);
  return { outcome: "committed", access_expires_at: isoTime(row.access_expires_at) };
}

export function failRefresh(
  database: FakeDatabase,
  failure: Failure,
): { outcome: FailOutcome; retry_in_ms: number } {
  assertUuid(failure.id);
  assertUuid(failure.lease_id);
  if (!["permanent", "ambiguous", "transient"].includes(failure.class)) raise("22023", "no such class");
  const row = database.connections.get(failure.id);
  if (!row || row.lease_id !== failure.lease_id) return { outcome: "superseded", retry_in_ms: 0 };
  const now = database.now();
  row.lease_id = null;
  row.lease_until = null;
  if (failure.class === "permanent" && !ahead(row.unsettled_until, now)) {
    row.status = "reauthorization_required";
    row.failure_code = row.unsettled_until === null ? "grant_refused" : "rotation_lost";
    row.updated_at = now;
    database.record(row, "reauthorization_required", row.failure_code);
    return { outcome: "reauthorization_required", retry_in_ms: 0 };
  }
  row.failure_code = /^[A-Za-z0-9_.-]{1,64}$/.test(failure.code) ? failure.code : "unrecognized";
  if (failure.class === "ambiguous") row.unsettled_until = Math.max(row.unsettled_until ?? 0, now);
  row.next_attempt_at = failure.class === "permanent"
    ? row.unsettled_until
    : now + backOff(database, failure, row);
  database.record(row, "refresh_failed", row.failure_code);
  return { outcome: "retry", retry_in_ms: msUntil(row.next_attempt_at, now) };
}

export function claimDue(database: FakeDatabase, due: ClaimDueRequest): DueClaim[] {
  const now = database.now();
  const { provider, limit, idle_ms, ...timings } = due;
  return [...database.connections.values()]
    .filter((row) => row.provider === provider && row.status === "active")
    .filter((row) =>
      (row.refreshed_at ?? 0) <= now - idle_ms || row.attempts > 0 || row.unsettled_until !== null
    )
    .filter((row) => !ahead(row.lease_until, now) && !ahead(row.next_attempt_at, now))
    .filter((row) => !ahead(row.refresh_after, now) || mayForce(row, now))
    .sort((one, other) => (one.refreshed_at ?? 0) - (other.refreshed_at ?? 0))
    .slice(0, limit)
    .map(({ id, version: seen_version }) => ({
      id,
      ...claimRefresh(database, { id, seen_version, force: true, ...timings }),
    }));
}

/** Ten at once, then one a minute (GCRA in one column). */
function mayForce(row: ConnectionRow, now: number): boolean {
  return (row.forced_until ?? 0) - now <= (FORCED_AT_ONCE - 1) * FORCED_EVERY_MS;
}

function backOff(database: FakeDatabase, failure: Failure, row: ConnectionRow): number {
  const wait_ms = Math.min(failure.wait_ms, LONGEST_WAIT_MS);
  return Math.max(wait_ms, database.random() * Math.min(60_000, 500 * 2 ** row.attempts));
}

function scopeChange(before: readonly string[], after: readonly string[] | null): string | null {
  if (after?.some((name) => !before.includes(name))) return "scope_widened";
  return after && before.some((name) => !after.includes(name)) ? "scope_narrowed" : null;
}

function claimed(
  outcome: ClaimOutcome,
  row: ConnectionRow | null,
  database: FakeDatabase,
  retry_at: number | null = null,
): Claim {
  const now = database.now();
  const mayUse = outcome === "fresh" || outcome === "claimed";
  return {
    outcome,
    version: row?.version ?? 0,
    lease_id: outcome === "claimed" ? row?.lease_id ?? null : null,
    retry_in_ms: msUntil(retry_at, now),
    expires_in_ms: msUntil(row?.access_expires_at ?? null, now),
    access_expires_at: isoTime(row?.access_expires_at ?? null),
    access_token_sealed: mayUse ? row?.access_token_sealed ?? null : null,
    refresh_token_sealed: outcome === "claimed" ? row?.refresh_token_sealed ?? null : null,
  };
}
