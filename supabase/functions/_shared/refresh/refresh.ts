import { withPatience } from "../time.ts";
import {
  notFound,
  providerUnavailable,
  PublicError,
  reauthorizationRequired,
  refreshInProgress,
} from "../errors.ts";
import type { Refreshed } from "../keep/memory.ts";
import type { Context } from "../context.ts";
import { type Pause, spend } from "./spend.ts";
import type { Claim, Peek } from "../keep/store.ts";
import { leaseTimings, PATIENCE_MS } from "./timings.ts";
import { openAccessToken } from "../keep/token_set.ts";

/** The token set that a caller has seen and wants to be rid of. */
export interface Seen {
  readonly id: string;
  readonly version: number;
  /** The caller knows better than the clock: the API refused this version. */
  readonly force: boolean;
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
  const joined = memory.flights.has(keyOf(seen));
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
  const { flights } = context.memory;
  const key = keyOf(seen);
  const underWay = flights.get(key);
  if (underWay) return underWay;
  const flight = fly(context, seen).finally(() => flights.delete(key));
  flights.set(key, flight);
  context.waitUntil(flight.then(() => {}, context.report));
  return flight;
}

/** Claims until there is a newer token set or patience ends. */
async function fly(context: Context, seen: Seen): Promise<Refreshed> {
  const { clock, store, memory, client } = context;
  const ends = clock.now() + PATIENCE_MS;
  for (;;) {
    const started = clock.now();
    const shut = memory.breaker.wait(started);
    if (shut > 0) throw providerUnavailable(seen.id, shut);
    const claim = await store.claimRefresh({
      id: seen.id,
      seen_version: seen.version,
      force: seen.force,
      ...leaseTimings(client.provider),
    });
    const step = await follow(context, seen, claim, { started, ends });
    if ("access_token" in step) return step;
    if (clock.now() + step.retry_in_ms > ends) throw step.trouble;
    await clock.sleep(step.retry_in_ms);
  }
}

async function follow(
  context: Context,
  seen: Seen,
  claim: Claim,
  { started, ends }: { started: number; ends: number },
): Promise<Refreshed | Pause> {
  switch (claim.outcome) {
    case "fresh":
      return found(context, seen.id, "fresh", claim);
    case "claimed":
      return await spend(context, { ...claim, id: seen.id }, { started, refused: seen.force });
    case "busy":
      return await waitForHolder(context, seen, ends);
    case "backoff":
      return { retry_in_ms: claim.retry_in_ms, trouble: providerUnavailable(seen.id, claim.retry_in_ms) };
    case "reauthorization_required":
      throw reauthorizationRequired(seen.id);
    case "disconnected":
    case "not_found":
      throw notFound(seen.id);
  }
}

/** Polls without a lock or a connection until the holder has committed or let go. */
async function waitForHolder(context: Context, seen: Seen, ends: number): Promise<Refreshed | Pause> {
  const { clock, random, store } = context;
  for (let poll = 1; clock.now() < ends; poll++) {
    const most = Math.min(POLL.most, POLL.least * POLL.growth ** poll);
    await clock.sleep(POLL.least + random() * (most - POLL.least));
    const row = await store.peek(seen.id, null, seen.version);
    if (!row || row.status === "disconnected") throw notFound(seen.id);
    if (row.status === "reauthorization_required") throw reauthorizationRequired(seen.id);
    if (row.version > seen.version) return found(context, seen.id, "held_elsewhere", row);
    if (row.busy_ms <= 0) return { retry_in_ms: 0, trouble: refreshInProgress(seen.id) };
  }
  throw refreshInProgress(seen.id);
}

async function found(
  context: Context,
  id: string,
  outcome: Refreshed["outcome"],
  row: Pick<Peek, "version" | "access_token_sealed">,
): Promise<Refreshed> {
  const owner = { id, provider: context.client.provider.name };
  return {
    outcome,
    version: row.version,
    access_token: await openAccessToken(context.keyring, owner, row.access_token_sealed),
  };
}

function keyOf({ id, version, force }: Seen): string {
  return `${id}:${version}:${force}`;
}
