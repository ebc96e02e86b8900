import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { openRefreshToken } from "../keep/token_set.ts";
import { classifyFailure, publicErrorOf } from "../oauth/failure.ts";
import { revoke } from "../oauth/revocation.ts";
import { backOff, retry, storageUnavailable, withDeadline } from "../time.ts";

/** How often it is tried, and how long one try may take, in milliseconds. */
const ATTEMPTS = 6;
const ATTEMPT_MS = 5_000;

/**
 * Revokes the refresh token of a connection that has ended, best effort. What still fails at last is reported: with
 * the tokens erased, nothing of ours can use the authorization any more.
 *
 * @returns after the first try, however it went; further ones go on behind the answer
 */
export async function revokeEnded(context: Context, id: string, refresh_token_sealed: string): Promise<void> {
  const { client, clock, random, report } = context;
  const tried = Promise.withResolvers<void>();
  const work = retry(
    clock,
    backOff(random, ATTEMPTS),
    (error) => worthRetrying(context, error),
    () => revokeOnce(context, id, refresh_token_sealed).finally(tried.resolve),
  );
  context.waitUntil(work.catch((error) => report(publicErrorOf(error, client.provider))));
  await tried.promise;
}

/**
 * RFC 7009. Asks first whether the user has connected again meanwhile: revoking a refresh token may end the whole
 * authorization (at Pipedrive it uninstalls the client for this user), and with it the new connection.
 */
async function revokeOnce(context: Context, id: string, refresh_token_sealed: string): Promise<void> {
  const { client, clock, fetch, keyring, store } = context;
  const connection = await store.connection({ id, user_id: null });
  if (connection !== null && connection.status !== "disconnected") return;
  const owner = { id, provider: client.provider.name };
  const refresh_token = await openRefreshToken(keyring, owner, refresh_token_sealed);
  const send = (signal: AbortSignal) => revoke(client, refresh_token, "refresh_token", { fetch, signal });
  await withDeadline(clock, ATTEMPT_MS, send);
}

/** An operator's fault does not mend itself in seconds; whatever else went wrong may. */
function worthRetrying({ client }: Context, error: unknown): number | null {
  if (error instanceof PublicError) return storageUnavailable(error);
  const { class: kind, operator, retry_after_ms } = classifyFailure(error, client.provider);
  return kind === "permanent" || operator ? null : retry_after_ms ?? 0;
}
