import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import type { Lease, SealedTokenSet } from "../keep/store.ts";
import { openAccessToken, openRefreshToken, sealTokenSet } from "../keep/token_set.ts";
import { spend } from "./spend.ts";
import { leaseTimings } from "./timings.ts";

/** Refreshes that start together: as many as are leased at once, so that no lease runs while its request waits. */
const CONCURRENCY = 10;
/**
 * No new batch after this many milliseconds. The platform gives an isolate no new request in the second half of its wall
 * clock (75 of 150 s on the free plan), so whoever claims within 45 s has 30 s left to ask and to commit.
 */
const BATCHES_MS = 45_000;
/** Token sets resealed in one call. */
const RESEAL_LIMIT = 500;
/** Authorization requests purged in one call, and as many events. */
const PURGE_LIMIT = 1_000;

export interface Swept {
  readonly due: number;
  readonly refreshed: number;
  readonly failed: number;
  readonly reauthorization_required: number;
  readonly resealed: number;
  /** Authorization requests and events together. */
  readonly purged: number;
}

/**
 * Does what is due for one provider: refreshes what would otherwise die of disuse or was left unfinished, reseals
 * what lies under an old key, purges what nobody came back for and what was kept for its time. Two sweeps at once share the work.
 */
export async function sweep(context: Context): Promise<Swept> {
  const refreshes = await refreshDue(context);
  const resealed = await resealAll(context);
  const purged = await context.store.purge({ limit: PURGE_LIMIT });
  return { ...refreshes, resealed, purged };
}

async function refreshDue(context: Context): Promise<Omit<Swept, "resealed" | "purged">> {
  const { clock, client: { provider }, keyring, memory, store } = context;
  const count = { due: 0, refreshed: 0, failed: 0, reauthorization_required: 0 };
  const ends = clock.now() + BATCHES_MS;
  while (clock.now() < ends && memory.breaker.wait(clock.now()) === 0) {
    const started = clock.now();
    const batch = await store.claimDue({
      provider: provider.name,
      limit: CONCURRENCY,
      idle_ms: provider.keep_alive_ms,
      key_ids: [...keyring.key_ids],
      ...leaseTimings(provider),
    });
    const leases = batch.filter((due) => due.outcome === "claimed");
    if (leases.length === 0) break;
    for (const outcome of await Promise.all(leases.map((lease) => refreshOne(context, lease, started)))) {
      count.due += 1;
      count[outcome] += 1;
    }
  }
  return count;
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

/** Reseals under the key that seals now. What does not open is reported and left as it is. */
async function resealAll(context: Context): Promise<number> {
  const { client, keyring: { key_id }, report, store } = context;
  const under_others = { provider: client.provider.name, key_id, limit: RESEAL_LIMIT };
  let resealed = 0;
  for (const row of await store.sealedUnderOtherKeys(under_others)) {
    try {
      if (await resealOne(context, row)) resealed += 1;
    } catch (error) {
      report(error);
    }
  }
  return resealed;
}

async function resealOne({ client, keyring, store }: Context, row: SealedTokenSet): Promise<boolean> {
  const { id, version, key_id } = row;
  const owner = { id, provider: client.provider.name };
  const access_token = await openAccessToken(keyring, owner, row.access_token_sealed);
  const refresh_token = await openRefreshToken(keyring, owner, row.refresh_token_sealed);
  const { key_id: new_key_id, ...seals } = await sealTokenSet(keyring, owner, {
    ...access_token,
    refresh_token,
  });
  return store.reseal({ id, version, key_id, ...seals, new_key_id });
}
