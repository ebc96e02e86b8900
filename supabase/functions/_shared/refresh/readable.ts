import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import type { SampleOfKey, SealedTokenSet } from "../keep/store.ts";
import { openGrant, sealTokenSet } from "../keep/token_set.ts";

/** Seals tried under each key. One that is damaged must not be taken for a missing key. */
const SAMPLES = 3;
/** Token sets resealed in one call. */
const RESEAL_LIMIT = 500;

interface Readable {
  readonly resealed: number;
  readonly unreadable: number;
  readonly unreadable_key_ids: readonly string[];
}

/**
 * Reseals under the key that seals now, and finds out what does not open before a customer does: a few token sets
 * under each key id in use are opened. What does not open is left as it is, counted, and reported by its key id.
 */
export async function keepReadable(context: Context): Promise<Readable> {
  const { client: { provider }, keyring, report, store } = context;
  const samples = await store.keysInUse({ samples: SAMPLES });
  const closed = await closedOf(context, samples);
  const key_ids = [...new Set(samples.map(({ key_id }) => key_id))];
  const opens = (key_id: string) => samples.some((one) => one.key_id === key_id && !closed.includes(one));
  const others = key_ids.filter((key_id) => key_id !== keyring.key_id && opens(key_id));
  const { resealed, left } = others.length > 0 ? await reseal(context, others) : { resealed: 0, left: [] };

  const unopened = key_ids.filter((key_id) => !opens(key_id));
  const damaged = [...closed.filter(({ key_id }) => opens(key_id)), ...left];
  const nothing = unopened.length === 0 && damaged.length === 0 && samples.every(({ marked }) => !marked);
  if (nothing) return { resealed, unreadable: 0, unreadable_key_ids: [] };
  const found = await store.markUnreadable({
    provider: provider.name,
    key_ids: unopened,
    ids: damaged.map(({ id }) => id),
    refresh_tokens_sealed: damaged.map(({ refresh_token_sealed }) => refresh_token_sealed),
  });
  for (const { key_id, unreadable } of found) report(unreadableUnder(key_id, unreadable));
  return {
    resealed,
    unreadable: found.reduce((sum, { unreadable }) => sum + unreadable, 0),
    unreadable_key_ids: found.map(({ key_id }) => key_id),
  };
}

/** Those that do not open. */
async function closedOf({ keyring }: Context, samples: readonly SampleOfKey[]): Promise<SampleOfKey[]> {
  const closed: SampleOfKey[] = [];
  for (const sample of samples) {
    const opened = await ifOpens(() => openGrant(keyring, sample, sample.refresh_token_sealed));
    if (opened === null) closed.push(sample);
  }
  return closed;
}

async function reseal(
  context: Context,
  key_ids: string[],
): Promise<{ resealed: number; left: SealedTokenSet[] }> {
  const { client: { provider }, store } = context;
  const rows = await store.sealedUnderOtherKeys({ provider: provider.name, key_ids, limit: RESEAL_LIMIT });
  const left: SealedTokenSet[] = [];
  let resealed = 0;
  for (const row of rows) {
    const done = await ifOpens(() => resealOne(context, row));
    if (done === null) left.push(row);
    else if (done) resealed += 1;
  }
  return { resealed, left };
}

async function resealOne({ client, keyring, store }: Context, row: SealedTokenSet): Promise<boolean> {
  const { id, access_token_sealed, refresh_token_sealed: sealed } = row;
  const owner = { id, provider: client.provider.name };
  const seals = await sealTokenSet(keyring, owner, await openGrant(keyring, owner, sealed));
  // What is left to be revoked is used no more.
  return store.reseal({ id, sealed, ...seals, ...(access_token_sealed === null && { access_token_sealed }) });
}

/** Null: a seal does not open. */
async function ifOpens<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof PublicError && error.code === "CONFIGURATION_INVALID") return null;
    throw error;
  }
}

function unreadableUnder(key_id: string, count: number): PublicError {
  const reason = `unreadable: ${count} under key id "${key_id}" do not open with TOKEN_ENCRYPTION_KEYS`;
  return new PublicError("CONFIGURATION_INVALID", "stored tokens do not open", { reason });
}
