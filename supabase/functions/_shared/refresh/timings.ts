import type { LeaseTimings } from "../keep/store.ts";
import type { Provider } from "../oauth/provider.ts";

/** How long one token request may take, in milliseconds. Long on purpose: a slow refresh costs latency, an aborted one may cost the connection. */
const REQUEST_MS = 20_000;
/** How long an answer that left within that time may take to be read. */
export const HAND_OVER_MS = 1_000;
/** A request has ended this long before its lease, to notice that its time is up. */
const GUARD_MS = 2_000;
/** The 5 s that a claim may take, the request, its hand-over, the guard, with 2 s to spare; longer only delays recovery after a crash. */
const LEASE_MS = 30_000;
/** Where a provider revokes everything on reuse, the settle time comes too late for a paused holder; the lease must outlast it. */
const LEASE_MS_REVOKED_ON_REUSE = 60_000;
/** After a takeover, how long the earlier holder's success may still arrive before a refusal counts. */
const SETTLE_MS = 30_000;

/** With less than this left of the request's time, the lease is given back unsent. */
export const MINIMUM_LEFT_MS = 5_000;
/** How long a caller waits for a refresh before it is told to come back. */
export const PATIENCE_MS = 10_000;
/** Pauses between attempts to commit, before the caller is answered from memory. */
export const COMMIT_PAUSES_MS: readonly number[] = [50, 150, 400, 1_000];
/** How long the commit goes on behind the answer: lease and settle time, after which nobody waits for it. */
export const COMMIT_LATE_MS = LEASE_MS + SETTLE_MS;
/** The wait after an operator's fault, such as a wrong client secret. */
export const OPERATOR_WAIT_MS = 30_000;

/**
 * When a request that is sent now must be over: it has its whole time, and in the database's time still ends before
 * its lease does, which began after the claim was sent.
 */
export function requestEnds(
  provider: Provider,
  { claim_sent, now }: { claim_sent: number; now: number },
): number {
  const { request_ms, lease_ms } = leaseTimings(provider);
  return Math.min(now + request_ms, claim_sent + lease_ms - GUARD_MS - HAND_OVER_MS);
}

export function leaseTimings(provider: Provider): LeaseTimings {
  return {
    request_ms: REQUEST_MS,
    lease_ms: provider.revokes_on_reuse ? LEASE_MS_REVOKED_ON_REUSE : LEASE_MS,
    settle_ms: SETTLE_MS,
  };
}
