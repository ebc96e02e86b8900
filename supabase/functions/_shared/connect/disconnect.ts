import type { Context } from "../context.ts";
import { notFound, PublicError } from "../errors.ts";
import type { Connection, Store } from "../keep/store.ts";
import { revokePending } from "../refresh/revoke.ts";
import { untilStored } from "./until_stored.ts";

/**
 * Ends a connection of this user: the tokens are erased at once, and the refresh token is revoked at the provider behind
 * the answer, now or by a later sweep. Disconnecting again changes nothing.
 *
 * @param contextOf throws where the provider is not offered: then nothing is revoked until it is again
 * @throws {PublicError} `CONNECTION_NOT_FOUND`, also when it belongs to someone else
 */
export async function disconnectConnection(
  store: Store,
  named: { readonly id: string; readonly user_id: string; readonly provider: string },
  contextOf: () => Context,
): Promise<Connection> {
  const { id } = named;
  const context = tried(contextOf);
  const connection = await store.disconnect(named);
  // Of a provider that never was nobody has a connection.
  if (!connection) throw context instanceof PublicError ? context : notFound(id);
  if (!(context instanceof PublicError)) {
    context.waitUntil(revokePending(context, { id }).catch(context.report));
  }
  return connection;
}

function tried(contextOf: () => Context): Context | PublicError {
  try {
    return contextOf();
  } catch (error) {
    if (error instanceof PublicError) return error;
    throw error;
  }
}

/**
 * Takes a provider's notice that an account has ended its authorization: the tokens of all its connections are erased.
 * It comes once, so that a database that stumbles is asked again.
 *
 * @param occurred_at ISO 8601; what was connected later stays. Null: the notice names no time, and all that there are when it comes are erased
 * @returns how many connections it ended; a repeated notice ends none
 */
export function uninstall(
  context: Context,
  { account_key, occurred_at }: { readonly account_key: string; readonly occurred_at: string | null },
): Promise<number> {
  const { client, clock, store } = context;
  const notice = { provider: client.provider.name, account_key, occurred_at };
  const came = clock.now();
  return untilStored(
    context,
    () => store.uninstall({ ...notice, age_ms: Math.round(clock.now() - came) }),
  );
}
