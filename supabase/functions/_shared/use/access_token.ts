import type { Context } from "../context.ts";
import { notFound, type PublicCode, PublicError, reauthorizationRequired } from "../errors.ts";
import type { Refreshed } from "../keep/memory.ts";
import type { Peek, Store } from "../keep/store.ts";
import { openAccessToken } from "../keep/token_set.ts";
import type { AccessToken } from "../oauth/client.ts";
import { refresh, startRefresh } from "../refresh/refresh.ts";

/** Codes over which a token that still lives is served: its refresh failed, and not for good. */
const SERVE_WHILE_ALIVE: ReadonlySet<PublicCode> = new Set([
  "CONFIGURATION_INVALID",
  "PROVIDER_UNAVAILABLE",
  "REFRESH_IN_PROGRESS",
  "STORAGE_UNAVAILABLE",
]);

/** A token set that is younger, in milliseconds, is not refreshed because it was refused: it may not be known everywhere yet, and another would fare no better. */
const YOUNG_MS = 5_000;

type UsableConnection = Peek & { readonly id: string };

/**
 * An access token that works now, refreshed first if it must be.
 *
 * A fresh one costs one read. In its soft window it is served while the refresh runs beside it; expired or refused,
 * the caller waits for the one refresh that everybody waits for.
 *
 * @param user_id the caller, or null for a secret key: another user's connection is not found
 * @param failed_version the version that the API has just refused with 401; never served again
 * @returns the same `version` as `failed_version` where no further refresh is allowed: the refusal stands
 * @throws {PublicError} `CONNECTION_NOT_FOUND`, `REAUTHORIZATION_REQUIRED`, `REFRESH_IN_PROGRESS`,
 * `PROVIDER_UNAVAILABLE`, `STORAGE_UNAVAILABLE`, `CONFIGURATION_INVALID`
 *
 * @example
 * ```ts
 * const { access_token, api_origin, version } = await getAccessToken(context, connection_id, user_id);
 * // The API answered 401: never this version again.
 * const newer = await getAccessToken(context, connection_id, user_id, version);
 * ```
 */
export async function getAccessToken(
  context: Context,
  id: string,
  user_id: string | null,
  failed_version?: number,
): Promise<AccessToken & { readonly version: number }> {
  const { clock, keyring, client } = context;
  const { name: provider } = client.provider;
  const row = await usableConnection(context.store, id, user_id);
  if (row.provider !== provider) throw notFound(id);
  const young = row.age_ms >= 0 && row.age_ms < YOUNG_MS;
  const force = failed_version === row.version && !young;
  const seen = { id, version: row.version, force, refused: force };
  const atHand = async () => ({
    ...await openAccessToken(keyring, { id, provider }, row.access_token_sealed),
    version: row.version,
  });
  if (row.fresh_in_ms > 0 && !force) {
    if (row.refresh_in_ms <= 0 && row.busy_ms <= 0) startRefresh(context, seen);
    return atHand();
  }
  const asked = clock.now();
  try {
    const { access_token, version } = await refresh(context, seen);
    return { ...access_token, version };
  } catch (error) {
    const alive = !force && row.expires_in_ms > clock.now() - asked;
    if (alive && error instanceof PublicError && SERVE_WHILE_ALIVE.has(error.code)) return atHand();
    throw error;
  }
}

/**
 * Refreshes now what is in its soft window or past it; with `force` whatever its age, within the allowance.
 *
 * @returns `refreshed` by this call, `held_elsewhere` by another one that it waited for, or `fresh`: nothing to do
 */
export async function refreshConnection(
  context: Context,
  { id, version, refresh_in_ms, access_expires_at }: UsableConnection,
  { force }: { readonly force: boolean },
): Promise<Omit<Refreshed, "access_token">> {
  if (refresh_in_ms > 0 && !force) return { outcome: "fresh", version, access_expires_at };
  return await refresh(context, { id, version, force, refused: false });
}

/**
 * The one place where it is decided that a caller may use a connection.
 *
 * @throws {PublicError} `CONNECTION_NOT_FOUND`, `REAUTHORIZATION_REQUIRED`
 */
export async function usableConnection(
  store: Store,
  id: string,
  user_id: string | null,
): Promise<UsableConnection> {
  const row = await store.peek({ id, user_id, seen_version: -1 });
  if (!row || row.status === "disconnected") throw notFound(id);
  if (row.status === "reauthorization_required") throw reauthorizationRequired(id);
  return { ...row, id };
}
