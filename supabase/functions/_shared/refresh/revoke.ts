import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import type { PendingRevocation } from "../keep/store.ts";
import { openGrant } from "../keep/token_set.ts";
import { publicErrorOf } from "../oauth/failure.ts";
import { revoke } from "../oauth/revocation.ts";
import { withDeadline } from "../time.ts";

/** How long one try may take, in milliseconds. */
const ATTEMPT_MS = 5_000;
/** How many are tried side by side. */
const CONCURRENCY = 10;
/** No new batch after this many milliseconds. */
const BATCHES_MS = 10_000;

/**
 * Revokes (RFC 7009) what ended connections have left to be revoked and is due: of the one with this id, or of any.
 *
 * Each is tried once. What fails is reported and stays, for a later sweep; what is given up at last is reported too.
 * With the tokens erased, nothing of ours can use the authorization meanwhile.
 */
export async function revokePending(
  context: Context,
  { id = null }: { readonly id?: string | null } = {},
): Promise<{ revoked: number; abandoned: number }> {
  const { client, clock, keyring, store } = context;
  const due = { provider: client.provider.name, id, limit: CONCURRENCY, key_ids: [...keyring.key_ids] };
  const count = { revoked: 0, abandoned: 0 };
  const ends = clock.now() + BATCHES_MS;
  let batch: PendingRevocation[];
  do {
    batch = await store.claimRevocations(due);
    for (const outcome of await Promise.all(batch.map((pending) => revokeOne(context, pending)))) {
      if (outcome !== "failed") count[outcome] += 1;
    }
  } while (batch.length === CONCURRENCY && clock.now() < ends);
  return count;
}

async function revokeOne(
  context: Context,
  { outcome, connection_id: id, refresh_token_sealed }: PendingRevocation,
): Promise<"revoked" | "abandoned" | "failed"> {
  const { client, clock, fetch, keyring, report, store } = context;
  if (outcome === "abandoned") {
    const message = `the authorization of connection ${id} could not be revoked in seven days: given up`;
    report(new PublicError("PROVIDER_UNAVAILABLE", message));
    return "abandoned";
  }
  try {
    const owner = { id, provider: client.provider.name };
    const grant = await openGrant(keyring, owner, refresh_token_sealed);
    const send = (signal: AbortSignal) => revoke(client, grant, { fetch, signal });
    await withDeadline(clock, ATTEMPT_MS, send);
    await store.finishRevocation({ id, refresh_token_sealed });
    return "revoked";
  } catch (error) {
    report(publicErrorOf(error, client.provider));
    return "failed";
  }
}
