import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import type { Lease } from "../keep/store.ts";
import type { Provider } from "../oauth/provider.ts";
import { keepReadable } from "./readable.ts";
import { revokePending } from "./revoke.ts";
import { spend } from "./spend.ts";
import { leaseTimings } from "./timings.ts";

/** Refreshes side by side. Each starts as soon as it is leased, so that no lease runs while its request waits. */
const CONCURRENCY = 40;
/** What failed before takes at most a quarter of the places, however long each of it hangs. */
const LANES = [
  { failed: false, places: CONCURRENCY * 3 / 4 },
  { failed: true, places: CONCURRENCY / 4 },
];
type Lane = (typeof LANES)[number];
/**
 * Nothing is claimed after this many milliseconds. The platform gives an isolate no new request in the second half of
 * its wall clock (75 of 150 s on the free plan), so whoever claims within 45 s has 30 s left to ask and to commit.
 */
const BATCHES_MS = 45_000;
/** What is purged in one call, of each kind: far below what a call has the time for. */
const PURGE_LIMIT = 10_000;

export interface Swept {
  readonly due: number;
  readonly refreshed: number;
  readonly failed: number;
  readonly reauthorization_required: number;
  /** Authorizations that their users had ended. */
  readonly revoked: number;
  /** Such that could not be revoked in seven days. */
  readonly abandoned: number;
  readonly resealed: number;
  /** Token sets that do not open with the keys at hand. */
  readonly unreadable: number;
  /** The key ids under which they lie. */
  readonly unreadable_key_ids: readonly string[];
  /** Authorization requests, events and token sets that nothing can refresh any more, together. */
  readonly purged: number;
}

/**
 * Does what is due for one provider: refreshes what would otherwise die of disuse or was left unfinished, revokes what
 * users have ended, reseals what lies under an old key and counts what does not open, purges what nobody came back for
 * and what was kept for its time. Two sweeps at once share the work.
 */
export async function sweep(context: Context): Promise<Swept> {
  const ends = context.clock.now() + BATCHES_MS;
  const [kept, purged] = await together([upkeep(context, ends), purge(context, ends)]);
  return { ...kept, purged };
}

/** Not all(): what is under way in one must end before a fault of another is told, and the isolate with it. */
async function together<Works extends readonly unknown[]>(
  works: { [At in keyof Works]: Promise<Works[At]> },
) {
  await Promise.allSettled(works);
  return await Promise.all(works);
}

async function upkeep(context: Context, ends: number): Promise<Omit<Swept, "purged">> {
  const refreshes = await refreshDue(context, ends);
  const revocations = await revokePending(context);
  return { ...refreshes, ...revocations, ...await keepReadable(context) };
}

/**
 * Beside the rest, so that however much is due, what is written does not overtake it: a million connections that are
 * refreshed hourly write 83,000 events in the five minutes between two sweeps.
 */
async function purge({ clock, store }: Context, ends: number): Promise<number> {
  for (let purged = 0;;) {
    const once = await store.purge({ limit: PURGE_LIMIT });
    purged += once;
    if (once < PURGE_LIMIT || clock.now() >= ends) return purged;
  }
}

type Count = Record<"due" | Awaited<ReturnType<typeof refreshOne>>, number>;

async function refreshDue(context: Context, ends: number): Promise<Count> {
  const count: Count = { due: 0, refreshed: 0, failed: 0, reauthorization_required: 0 };
  await together(LANES.map((lane) => work(context, lane, count, ends)));
  return count;
}

/** Keeps the lane's places taken while there is something due. Where the endpoint is down only what was begun is ended. */
async function work(context: Context, lane: Lane, count: Count, ends: number): Promise<void> {
  const { clock, memory } = context;
  const under_way = new Set<Promise<unknown>>();
  const begin = (lease: Lease, started: number) => {
    const refresh = refreshOne(context, lease, started)
      .then((outcome) => (count.due += 1, count[outcome] += 1))
      .finally(() => under_way.delete(refresh));
    under_way.add(refresh);
  };
  try {
    for (let more = true;;) {
      const started = clock.now();
      if (more && started < ends && memory.breaker.wait(started) === 0) {
        const places = lane.places - under_way.size;
        const leases = await claim(context, lane, places);
        for (const lease of leases) begin(lease, started);
        more = leases.length === places;
      }
      if (under_way.size === 0) return;
      await Promise.race(under_way);
    }
  } finally {
    await Promise.all(under_way);
  }
}

async function claim({ client: { provider }, keyring, store }: Context, lane: Lane, limit: number) {
  const due = await store.claimDue({
    provider: provider.name,
    limit,
    failed: lane.failed,
    idle_ms: idleOf(provider),
    key_ids: [...keyring.key_ids],
    ...leaseTimings(provider),
  });
  return due.filter((one): one is Lease => one.outcome === "claimed");
}

/** Half of the time after which a refresh token dies of disuse, in milliseconds. Null: it does not. */
function idleOf({ refresh_token_idle_lifetime }: Provider): number | null {
  return refresh_token_idle_lifetime === undefined ? null : refresh_token_idle_lifetime * 1000 / 2;
}

async function refreshOne(
  context: Context,
  lease: Lease,
  started: number,
): Promise<"refreshed" | "failed" | "reauthorization_required"> {
  try {
    const result = await spend(context, lease, { started, refused: false });
    return result instanceof PublicError ? "failed" : "refreshed";
  } catch (error) {
    if (error instanceof PublicError && error.code === "REAUTHORIZATION_REQUIRED") {
      return "reauthorization_required";
    }
    context.report(error);
    return "failed";
  }
}
