import type { Context } from "../context.ts";
import { notFound } from "../errors.ts";
import type { Connection } from "../keep/store.ts";
import { revokeEnded } from "../refresh/revoke.ts";
import { backOff, retry, storageUnavailable } from "../time.ts";

/** The provider sends its notice once, so that a database that stumbles is asked again. */
const UNINSTALL_ATTEMPTS = 4;

/**
 * Ends a connection of this user: the tokens are erased at once, then the refresh token is revoked at the provider.
 *
 * Only erasing decides the answer. A revocation that fails goes on behind it, and at last is reported: without the
 * tokens nothing of ours can use the authorization any more. Disconnecting again changes nothing.
 *
 * @throws {PublicError} `CONNECTION_NOT_FOUND`, also when it belongs to someone else
 */
export async function disconnectConnection(
  context: Context,
  id: string,
  user_id: string,
): Promise<Connection> {
  const { client, store } = context;
  const erased = await store.disconnect({ id, user_id, provider: client.provider.name });
  if (!erased) throw notFound(id);
  const { refresh_token_sealed, ...connection } = erased;
  if (refresh_token_sealed !== null) await revokeEnded(context, id, refresh_token_sealed);
  return connection;
}

/**
 * Takes a provider's notice that an account has ended its authorization: the tokens of all its connections are erased.
 *
 * @param occurred_at ISO 8601; what was connected later stays. Null: the notice names no time, and all are erased
 * @returns how many connections it ended; a repeated notice ends none
 */
export function uninstall(
  { client, clock, random, store }: Context,
  { account_key, occurred_at }: { readonly account_key: string; readonly occurred_at: string | null },
): Promise<number> {
  const notice = { provider: client.provider.name, account_key, occurred_at };
  const pauses = backOff(random, UNINSTALL_ATTEMPTS);
  return retry(clock, pauses, storageUnavailable, () => store.uninstall(notice));
}
