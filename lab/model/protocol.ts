/**
 * The deciding SQL functions as pure functions of the row, to be held beside `supabase/migrations/*_refreshing.sql` and
 * `*_connecting.sql`: same names, same order of questions.
 *
 * Times are only ahead or past. When one passes is a step of its own (`surroundings.ts`), taken in every order, so a
 * model without a clock sees more than any clock would allow.
 */
import type { Token } from "./provider.ts";

export type Status = "active" | "reauthorization_required" | "disconnected";
export type Time = "ahead" | "past" | null;

/** `oauth.connections` and its `oauth.token_sets`, reduced to what decides. */
export interface Row {
  readonly status: Status;
  readonly version: number;
  readonly refresh_after: Time;
  readonly lease_id: string | null;
  readonly lease_until: Time;
  readonly attempts: number;
  readonly unsettled_until: Time;
  /** Null also when past: nothing tells the two apart. `unsettled_until`: passes together with that. */
  readonly next_attempt_at: "ahead" | "unsettled_until" | null;
  readonly committed_lease_id: string | null;
  readonly failure_code: "grant_refused" | "rotation_lost" | null;
  readonly refresh_token: Token | null;
}

/** What the caller passes as milliseconds, reduced to how the times compare. */
export interface Timings {
  /** `p_lease_ms >= p_request_ms + 2000` */
  readonly lease_outlives_request: boolean;
  /** `p_settle_ms > 0` */
  readonly settles: boolean;
}

export interface ClaimRequest extends Timings {
  /** `gen_random_uuid()`, drawn by the caller so that the function stays pure. */
  readonly lease_id: string;
  readonly seen_version: number;
}

export interface Claimed {
  readonly row: Row;
  readonly outcome: Status | "fresh" | "busy" | "backoff" | "claimed";
}

/** Without `p_force`: a forced claim is one for which `refresh_after` has passed early, which the model does anyway. */
export function claimRefresh(row: Row, claim: ClaimRequest): Claimed {
  if (!claim.lease_outlives_request) throw new RangeError("22023: the lease must outlive the request");
  if (row.status !== "active") return { row, outcome: row.status };
  if (row.version > claim.seen_version || row.refresh_after === "ahead") return { row, outcome: "fresh" };
  if (row.lease_until === "ahead") return { row, outcome: "busy" };
  if (row.next_attempt_at !== null) return { row, outcome: "backoff" };
  return grantLease(row, claim);
}

/** The `update` at the end of `oauth_claim_refresh`. */
export function grantLease(row: Row, { lease_id, settles }: ClaimRequest): Claimed {
  const takeover = row.lease_id !== null;
  return {
    outcome: "claimed",
    row: {
      ...row,
      lease_id,
      lease_until: "ahead",
      attempts: row.attempts + 1,
      unsettled_until: takeover
        ? latest(row.unsettled_until, settles ? "ahead" : "past")
        : row.unsettled_until,
    },
  };
}

export interface Commit {
  readonly lease_id: string;
  readonly base_version: number;
  readonly refresh_token: Token;
}

export interface Committed {
  readonly row: Row;
  readonly outcome: "committed" | "already_committed" | "superseded" | "disconnected";
}

export function commitRefresh(row: Row, { lease_id, base_version, refresh_token }: Commit): Committed {
  if (row.status === "disconnected") return { row, outcome: "disconnected" };
  if (row.version !== base_version) {
    return { row, outcome: row.committed_lease_id === lease_id ? "already_committed" : "superseded" };
  }
  return { row: storeTokenSet(row, lease_id, refresh_token), outcome: "committed" };
}

export interface Failure {
  readonly lease_id: string;
  /** `unexplained`: here as where no other connection is accepted. Where one is, the last of them is as `permanent`. */
  readonly class: "permanent" | "unexplained" | "ambiguous" | "transient";
}

export interface Failed {
  readonly row: Row;
  readonly outcome: "retry" | "reauthorization_required" | "superseded";
}

export function failRefresh(row: Row, failure: Failure): Failed {
  if (row.lease_id !== failure.lease_id) return { row, outcome: "superseded" };
  if (failure.class === "permanent" && row.unsettled_until !== "ahead") return requireReauthorization(row);
  return {
    outcome: "retry",
    row: {
      ...row,
      lease_id: null,
      lease_until: null,
      unsettled_until: failure.class === "ambiguous"
        ? latest(row.unsettled_until, "past")
        : row.unsettled_until,
      next_attempt_at: failure.class === "permanent" ? "unsettled_until" : "ahead",
    },
  };
}

/** The first `update` of `oauth_fail_refresh`. */
export function requireReauthorization(row: Row): Failed {
  return {
    outcome: "reauthorization_required",
    row: {
      ...row,
      status: "reauthorization_required",
      lease_id: null,
      lease_until: null,
      failure_code: row.unsettled_until === null ? "grant_refused" : "rotation_lost",
    },
  };
}

export function connect(row: Row, refresh_token: Token): Row {
  return storeTokenSet(row, null, refresh_token);
}

/** `oauth_disconnect` and `oauth_uninstall`: both end in `oauth.erase_token_set`. */
export function disconnect(row: Row): Row {
  if (row.status === "disconnected") return row;
  return {
    ...CLEARED,
    status: "disconnected",
    version: row.version + 1,
    refresh_after: null,
    committed_lease_id: null,
    refresh_token: null,
  };
}

/** `oauth.store_token_set`: every write of tokens but the erasing one. */
export function storeTokenSet(row: Row, lease_id: string | null, refresh_token: Token): Row {
  return {
    ...CLEARED,
    status: "active",
    version: row.version + 1,
    refresh_after: "ahead",
    committed_lease_id: lease_id,
    refresh_token,
  };
}

const CLEARED = {
  lease_id: null,
  lease_until: null,
  attempts: 0,
  unsettled_until: null,
  next_attempt_at: null,
  failure_code: null,
} as const;

/** SQL's `greatest`, which passes over null. */
function latest(one: Time, other: Time): Time {
  if (one === "ahead" || other === "ahead") return "ahead";
  return one ?? other;
}

/** What decides, as one value: a mutant is this with one part exchanged. */
export interface Protocol {
  readonly claimRefresh: typeof claimRefresh;
  readonly commitRefresh: typeof commitRefresh;
  readonly failRefresh: typeof failRefresh;
  readonly connect: typeof connect;
  readonly disconnect: typeof disconnect;
  readonly timings: Timings;
  /** Whether a caller that heard no answer asks the provider again under the same lease. */
  readonly asks_again: boolean;
  /** Whether a commit that was answered, but not with what became of it, is given up. */
  readonly gives_up: boolean;
  /** Whether an ambiguous end is waited out, so that no request follows one that the provider may still be working on. */
  readonly waits_out: boolean;
}

export const PROTOCOL: Protocol = {
  claimRefresh,
  commitRefresh,
  failRefresh,
  connect,
  disconnect,
  timings: { lease_outlives_request: true, settles: true },
  asks_again: false,
  gives_up: false,
  waits_out: false,
};
