import { OAuthError, ProviderUnreachable } from "../oauth/errors.ts";

/** Different connections that meet an outage, with no success between, after which asking is pointless for a while. */
const THRESHOLD = 5;
/** Milliseconds until one probe may ask again. */
const OPEN_MS = 15_000;
/** Of connections, whose outages are remembered; forgotten ones are counted again. */
const MOST = 1_000;

/**
 * Keeps a broken token endpoint from being asked by everyone. Each connection counts once until it succeeds, so that
 * no few dead grants shut out the others; and while it is open, whoever has not met the outage itself may still ask
 * and is the probe: nobody waits for somebody else's grant. Per isolate, because a shared row would be the hottest of
 * the database.
 */
export class Breaker {
  /** The connections that met an outage since they last succeeded, the longest known first. */
  readonly #met = new Set<string>();
  /** How many of them since anybody's last success. */
  #outages = 0;
  #shut_until = -Infinity;

  /** Milliseconds until asking may make sense for this connection, or without one for a sweep; 0: now. */
  wait(now: number, id?: string): number {
    const open = this.#outages >= THRESHOLD && (id === undefined || this.#met.has(id));
    return open ? Math.max(0, this.#shut_until - now) : 0;
  }

  /** Whether this connection may ask. Where the pause is over, the first to enter is the probe and the others wait for it. */
  enter(now: number, id: string): boolean {
    if (this.wait(now, id) > 0) return false;
    if (this.#met.has(id)) this.#shut_until = now + OPEN_MS;
    return true;
  }

  /** The endpoint works. */
  success(id: string): void {
    this.#met.delete(id);
    this.#outages = 0;
  }

  /** @param error what the request threw; an answer about one grant says nothing of the endpoint */
  failure(now: number, id: string, error: unknown): void {
    const limited = error instanceof ProviderUnreachable && error.status === 429;
    const opens = limited || (error instanceof OAuthError && error.error === "invalid_client");
    if (!opens && !isOutage(error)) return;
    if (opens) this.#outages = THRESHOLD;
    else if (!this.#met.has(id)) this.#outages += 1;
    this.#met.add(id);
    const [oldest] = this.#met;
    if (this.#met.size > MOST && oldest !== undefined) this.#met.delete(oldest);
    const pause_ms = limited ? error.retry_after_ms ?? OPEN_MS : OPEN_MS;
    this.#shut_until = Math.max(this.#shut_until, now + pause_ms);
  }
}

/** No answer, in time or at all, or one that the endpoint gives when it is down. */
function isOutage(error: unknown): boolean {
  if (!(error instanceof ProviderUnreachable)) return false;
  const { status = 0, reason } = error;
  const unanswered = reason === "not_reached" || reason === "timeout" || reason === "connection_lost";
  return unanswered || status === 408 || status >= 500;
}
