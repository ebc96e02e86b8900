import type { Context } from "../context.ts";
import {
  notFound,
  PublicError,
  reauthorizationRequired,
  refreshInProgress,
  refreshUnavailable,
} from "../errors.ts";
import type { Refreshed } from "../keep/memory.ts";
import type { Claim, Peek } from "../keep/store.ts";
import { openAccessToken } from "../keep/token_set.ts";
import { withPatience } from "../time.ts";
import { spend } from "./spend.ts";
import { leaseTimings, PATIENCE_MS } from "./timings.ts";

/** The token set that a caller has seen and wants to be rid of. */
export interface Seen {
  readonly id: string;
  readonly version: number;
  /** Also before its time: somebody knows better than the clock. */
  readonly force: boolean;
  /** The API refused this version: its access token is of no more use. */
  readonly refused: boolean;
}

/** Pauses between a waiter's polls, in milliseconds: growing and drawn at random, so that a herd spreads. */
const POLL = { least: 50, growth: 1.7, most: 400 };

/**
 * Waits for the one refresh of what was seen, as long as a caller can be kept waiting; the refresh goes on without it.
 *
 * @param ends the clock when patience ends
 * @throws {PublicError} `REFRESH_IN_PROGRESS` then; never "refresh anyway"
 */
export async function refresh(
  context: Context,
  seen: Seen,
  ends: number = context.clock.now() + PATIENCE_MS,
): Promise<Refreshed> {
  const { clock, memory } = context;
  const joined = memory.refreshes.has(keyOf(seen));
  try {
    const refreshed = await withPatience(clock, ends - clock.now(), startRefresh(context, seen), () => {
      throw refreshInProgress(seen.id);
    });
    return joined && refreshed.outcome === "refreshed"
      ? { ...refreshed, outcome: "held_elsewhere" }
      : refreshed;
  } catch (error) {
    // Whoever started the refresh has lost patience; we joined later and have some left.
    const again = joined && clock.now() < ends && error instanceof PublicError &&
      error.code === "REFRESH_IN_PROGRESS";
    if (again) return refresh(context, seen, ends);
    throw error;
  }
}

/** Starts the refresh, or joins the one that this isolate has under way. It outlives the caller. */
export function startRefresh(context: Context, seen: Seen): Promise<Refreshed> {
  const { refreshes } = context.memory;
  const key = keyOf(seen);
  const under_way = refreshes.get(key);
  if (under_way) return under_way;
  const started = claimUntilRefreshed(context, seen).finally(() => refreshes.delete(key));
  refreshes.set(key, started);
  context.waitUntil(started.then(() => {}, context.report));
  return started;
}

async function claimUntilRefreshed(context: Context, seen: Seen): Promise<Refreshed> {
  const { clock, store, memory, client, keyring } = context;
  const ends = clock.now() + PATIENCE_MS;
  for (;;) {
    const started = clock.now();
    const shut_ms = memory.breaker.wait(started, seen.id);
    if (shut_ms > 0) throw refreshUnavailable(seen.id, shut_ms);
    const claim = await store.claimRefresh({
      id: seen.id,
      seen_version: seen.version,
      force: seen.force,
      key_ids: [...keyring.key_ids],
      ...leaseTimings(client.provider),
    });
    const result = await actOn(context, seen, claim, { started, ends });
    if (!(result instanceof PublicError)) return result;
    const wait_ms = (result.details.retry_after ?? 0) * 1000;
    if (clock.now() + wait_ms > ends) throw result;
    await clock.sleep(wait_ms);
  }
}

/** @returns an error, not thrown, where it is worth claiming again after its `retry_after` */
async function actOn(
  context: Context,
  seen: Seen,
  claim: Claim,
  { started, ends }: { started: number; ends: number },
): Promise<Refreshed | PublicError> {
  switch (claim.outcome) {
    case "fresh":
      return await found(context, seen.id, "fresh", claim);
    case "claimed":
      return await spend(context, { ...claim, id: seen.id }, { started, refused: seen.refused });
    case "busy":
      return await waitForHolder(context, seen, ends);
    case "backoff":
      return refreshUnavailable(seen.id, claim.retry_in_ms);
    case "unreadable":
      throw unreadable(seen.id);
    case "reauthorization_required":
      throw reauthorizationRequired(seen.id);
    case "disconnected":
    case "not_found":
      throw notFound(seen.id);
  }
}

/** Polls without a lock or a connection until the holder has committed or let go. */
async function waitForHolder(context: Context, seen: Seen, ends: number): Promise<Refreshed | PublicError> {
  const { clock, random, store } = context;
  for (let poll = 1; clock.now() < ends; poll++) {
    const most = Math.min(POLL.most, POLL.least * POLL.growth ** poll);
    await clock.sleep(POLL.least + random() * (most - POLL.least));
    const [row] = await store.peek({ id: seen.id, user_id: null, seen_version: seen.version });
    if (!row || row.status === "disconnected") throw notFound(seen.id);
    if (row.status === "reauthorization_required") throw reauthorizationRequired(seen.id);
    if (row.version > seen.version) return found(context, seen.id, "held_elsewhere", row);
    if (row.busy_ms <= 0) return refreshInProgress(seen.id);
  }
  throw refreshInProgress(seen.id);
}

type StoredToken = Pick<Peek, "version" | "access_expires_at" | "access_token_sealed">;

async function found(
  { client, keyring }: Context,
  id: string,
  outcome: Refreshed["outcome"],
  { version, access_expires_at, access_token_sealed }: StoredToken,
): Promise<Refreshed> {
  const owner = { id, provider: client.provider.name };
  const access_token = await openAccessToken(keyring, owner, access_token_sealed);
  return { outcome, version, access_token, access_expires_at };
}

/** The log learns why, a caller learns no key id. */
function unreadable(connection_id: string): PublicError {
  const message = "the stored tokens do not open with TOKEN_ENCRYPTION_KEYS";
  const reason = `${message}: there is no key of their key id`;
  return new PublicError("CONFIGURATION_INVALID", message, { connection_id, reason });
}

function keyOf({ id, version, force }: Seen): string {
  return `${id}:${version}:${force}`;
}
