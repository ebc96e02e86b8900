import type { Provider } from "../oauth/client.ts";
import type { LeaseTimings } from "../keep/store.ts";

/** How long one token request may take, in milliseconds. Long on purpose: a slow refresh costs latency, an aborted one may cost the connection. */
const REQUEST_MS = 20_000;
/** How long an answer that left within that time may take to be read; one of the two seconds by which SQL demands that a lease lasts longer. */
export const HAND_OVER_MS = 1_000;
/** The request's deadline and the 2 s that SQL demands on top, with 3 s to spare; longer only delays recovery after a crash. */
const LEASE_MS = 25_000;
/** Where a provider revokes everything on reuse, the settle time comes too late for a paused holder; the lease must outlast it. */
const LEASE_MS_REVOKED_ON_REUSE = 55_000;
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

export function leaseTimings(provider: Provider): LeaseTimings {
  return {
    request_ms: REQUEST_MS,
    lease_ms: provider.revokes_on_reuse ? LEASE_MS_REVOKED_ON_REUSE : LEASE_MS,
    settle_ms: SETTLE_MS,
  };
}
