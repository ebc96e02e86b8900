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

/** Which connection is meant. */
export interface Wanted {
  /** Left out: the user's only one. */
  readonly connection_id?: string;
  /** The caller's; null: a secret key asks, which must name one. */
  readonly user_id: string | null;
}

export type Token = AccessToken & { readonly connection_id: string; readonly version: number };

/**
 * An access token that works now, refreshed first if it must be.
 *
 * A fresh one costs one read. In its soft window it is served while the refresh runs beside it; expired or refused,
 * the caller waits for the one refresh that everybody waits for.
 *
 * @param failed_version the version that the API has just refused with 401; never served again
 * @returns the same `version` as `failed_version` where no further refresh is allowed: the refusal stands
 * @throws {PublicError} `CONNECTION_NOT_FOUND`, `CONNECTION_AMBIGUOUS`, `REAUTHORIZATION_REQUIRED`,
 * `REFRESH_IN_PROGRESS`, `PROVIDER_UNAVAILABLE`, `STORAGE_UNAVAILABLE`, `CONFIGURATION_INVALID`
 *
 * @example
 * ```ts
 * const { access_token, values, version } = await getAccessToken(context, { connection_id, user_id });
 * // The API answered 401: never this version again.
 * const newer = await getAccessToken(context, { connection_id, user_id }, version);
 * ```
 */
export async function getAccessToken(
  context: Context,
  wanted: Wanted,
  failed_version?: number,
): Promise<Token> {
  const { tokens } = context.memory;
  const key = keyOf(wanted);
  const opened = failed_version === undefined ? tokens.get(key) : undefined;
  try {
    return await tokenBehindTheDoor(context, wanted, { opened, failed_version });
  } catch (error) {
    tokens.delete(key);
    throw error;
  }
}

interface Known {
  readonly opened?: Token;
  readonly failed_version?: number;
}

async function tokenBehindTheDoor(
  context: Context,
  wanted: Wanted,
  { opened, failed_version }: Known,
): Promise<Token> {
  const { client: { provider }, clock, memory: { tokens }, store } = context;
  const key = keyOf(wanted);
  const asked = clock.now();
  const door = { ...wanted, provider: provider.name, seen_version: opened?.version };
  const row = await usableConnection(store, door);
  const { id, version } = row;
  // Another connection, or an older version, as after a backup was restored: its token was not brought.
  const unknown = opened && (id !== opened.connection_id || version < opened.version);
  if (unknown) return tokenBehindTheDoor(context, wanted, {});
  const young = row.age_ms >= 0 && row.age_ms < YOUNG_MS;
  const force = failed_version === version && !young;
  const seen = { id, version, force, refused: force };
  const { fresh_in_ms, refresh_in_ms, expires_in_ms } = lifeOf(row);
  const atHand = async () => {
    const token = opened?.version === version ? opened : await openToken(context, row);
    tokens.set(key, { ...token, due_at: asked + refresh_in_ms });
    return token;
  };
  if (fresh_in_ms > 0 && !force) {
    if (refresh_in_ms <= 0 && row.busy_ms <= 0) startRefresh(context, seen);
    return await atHand();
  }
  tokens.delete(key);
  try {
    const refreshed = await refresh(context, seen);
    return { ...refreshed.access_token, connection_id: id, version: refreshed.version };
  } catch (error) {
    const alive = !force && expires_in_ms > clock.now() - asked;
    if (alive && error instanceof PublicError && SERVE_WHILE_ALIVE.has(error.code)) return await atHand();
    throw error;
  }
}

/** In milliseconds from now; null is never, until the API refuses it. */
function lifeOf({ expires_in_ms, fresh_in_ms, refresh_in_ms }: Peek) {
  return {
    expires_in_ms: expires_in_ms ?? Infinity,
    fresh_in_ms: fresh_in_ms ?? Infinity,
    refresh_in_ms: refresh_in_ms ?? Infinity,
  };
}

/**
 * The token that this isolate has opened before, unless it is due for a refresh. It may be sent while the door is
 * looked at; what it brings counts only if `getAccessToken` then gives the same version.
 */
export function openedToken({ clock, memory }: Context, wanted: Wanted): Token | undefined {
  const opened = memory.tokens.get(keyOf(wanted));
  return opened && opened.due_at > clock.now() ? opened : undefined;
}

function keyOf({ connection_id, user_id }: Wanted): string {
  return `${user_id}:${connection_id}`;
}

async function openToken(
  { client, keyring }: Context,
  { id, version, access_token_sealed }: Peek,
): Promise<Token> {
  const owner = { id, provider: client.provider.name };
  return { ...await openAccessToken(keyring, owner, access_token_sealed), connection_id: id, version };
}

/**
 * Refreshes now what is in its soft window or past it; with `force` whatever its age, within the allowance.
 *
 * @returns `refreshed` by this call, `held_elsewhere` by another one that it waited for, or `fresh`: nothing to do
 */
export async function refreshConnection(
  context: Context,
  { id, version, refresh_in_ms, access_expires_at }: Peek,
  { force }: { readonly force: boolean },
): Promise<Omit<Refreshed, "access_token">> {
  if ((refresh_in_ms ?? Infinity) > 0 && !force) return { outcome: "fresh", version, access_expires_at };
  return await refresh(context, { id, version, force, refused: false });
}

/**
 * The one place where it is decided that a caller may use a connection. One that waits to be connected again counts as
 * well where none was named: the answer must not come from another company because the user's own has ended.
 *
 * @throws {PublicError} `CONNECTION_NOT_FOUND`, `CONNECTION_AMBIGUOUS`, `REAUTHORIZATION_REQUIRED`
 */
export async function usableConnection(store: Store, door: Door): Promise<Peek> {
  const { connection_id, user_id, provider, seen_version = -1 } = door;
  const rows = await store.peek({ id: connection_id ?? null, user_id, seen_version, provider });
  const [row, another] = rows;
  if (!row || row.status === "disconnected") throw notFound(connection_id);
  if (rows.every(({ status }) => status !== "active")) throw reauthorizationRequired(row.id);
  if (!another) return row;
  const message = "you have several connections: name one";
  throw new PublicError("CONNECTION_AMBIGUOUS", message, { connections: rows.map(({ id }) => id) });
}

interface Door extends Wanted {
  /** Left out: of whichever provider the named one is. */
  readonly provider?: string;
  /** Whose access token need not be brought. */
  readonly seen_version?: number;
}
