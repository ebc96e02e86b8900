import { classifyFailure } from "../oauth/failure.ts";
import { revoke } from "../oauth/revocation.ts";
import { withDeadline } from "./deadline.ts";
import { notFound, TokenError } from "./errors.ts";
import type { Parts } from "./parts.ts";
import { retry, storageUnavailable } from "./retry.ts";
import type { Connection } from "./store.ts";
import { openRefreshToken } from "./token_set.ts";

/** How often the revocation is tried, and how long one try may take, in milliseconds. The user waits for the first. */
const REVOKE_ATTEMPTS = 6;
const REVOKE_MS = 5_000;
/** The provider sends its notice once, so that a database that stumbles is asked again. */
const UNINSTALL_ATTEMPTS = 4;

/**
 * Ends a connection of this user: the tokens are erased at once, then the refresh token is revoked at the provider.
 *
 * Only erasing decides the answer. A revocation that fails goes on behind it, and at last is reported: without the
 * tokens nothing of ours can use the authorization any more. Disconnecting again changes nothing.
 *
 * @throws {TokenError} `CONNECTION_NOT_FOUND`, also when it belongs to someone else
 */
export async function disconnectConnection(parts: Parts, id: string, user_id: string): Promise<Connection> {
  const { client, store } = parts;
  const found = await store.connection(id, user_id);
  if (found?.provider !== client.provider.name) throw notFound(id);
  const erased = await store.disconnect(id, user_id);
  if (!erased) throw notFound(id);
  if (erased.refresh_token_sealed !== null) {
    await endAuthorization(parts, { id, user_id, refresh_token_sealed: erased.refresh_token_sealed });
  }
  const disconnected = await store.connection(id, user_id);
  if (!disconnected) throw notFound(id);
  return disconnected;
}

/**
 * Takes a provider's notice that an account has ended its authorization: the tokens of all its connections are erased.
 *
 * @param occurred_at ISO 8601; what was connected later stays. Null: the notice names no time, and all are erased
 * @returns how many connections it ended; a repeated notice ends none
 */
export function uninstall(
  parts: Parts,
  { account_key, occurred_at }: { readonly account_key: string; readonly occurred_at: string | null },
): Promise<number> {
  const { client, store } = parts;
  return retry(
    parts,
    UNINSTALL_ATTEMPTS,
    storageUnavailable,
    () => store.uninstall(client.provider.name, account_key, occurred_at),
  );
}

interface Ended {
  readonly id: string;
  readonly user_id: string;
  readonly refresh_token_sealed: string;
}

/** Resolves after the first try, however it went; further ones do not keep the user waiting. */
async function endAuthorization(parts: Parts, ended: Ended): Promise<void> {
  const tried = Promise.withResolvers<void>();
  const work = retry(
    parts,
    REVOKE_ATTEMPTS,
    (error) => worthAnotherTry(parts, error),
    () => revokeOnce(parts, ended).finally(tried.resolve),
  );
  parts.waitUntil(work.catch(parts.report));
  await tried.promise;
}

/**
 * RFC 7009. Asks first whether the user has connected again meanwhile: revoking a refresh token may end the whole
 * authorization (at Pipedrive it uninstalls the client for this user), and with it the new connection.
 */
async function revokeOnce(parts: Parts, { id, user_id, refresh_token_sealed }: Ended): Promise<void> {
  const { client, clock, fetch, keyring, store } = parts;
  const connection = await store.connection(id, user_id);
  if (connection !== null && connection.status !== "disconnected") return;
  const owner = { id, provider: client.provider.name };
  const refresh_token = await openRefreshToken(keyring, owner, refresh_token_sealed);
  await withDeadline(
    clock,
    REVOKE_MS,
    (signal) => revoke(client, refresh_token, "refresh_token", { fetch, signal }),
  );
}

/** An operator's fault does not mend itself in seconds; whatever else went wrong may. */
function worthAnotherTry({ client }: Parts, error: unknown): number | null {
  if (error instanceof TokenError) return storageUnavailable(error);
  const { class: kind, operator, retry_after_ms } = classifyFailure(error, client.provider);
  return kind === "permanent" || operator ? null : retry_after_ms ?? 0;
}
