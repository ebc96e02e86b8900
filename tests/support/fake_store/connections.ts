import type {
  Connect,
  Connection,
  Disconnected,
  Reseal,
  SealedTokenSet,
  Status,
} from "../../../supabase/functions/_shared/keep/store.ts";
import { finishAuthorization, isFinished } from "./authorizations.ts";
import {
  assertSealed,
  assertUuid,
  type ConnectionRow,
  type FakeDatabase,
  isoTime,
  lifetime,
  raise,
  SETTLED,
} from "./database.ts";

export function connect(database: FakeDatabase, request: Connect): Connection {
  assertUuid(request.id);
  assertUuid(request.user_id);
  const { request_id, expires_in_ms, elapsed_ms, ...columns } = request;
  const stored = database.connections.get(columns.id);
  if (isFinished(database, request_id, columns)) {
    if (stored?.user_id === columns.user_id) return asOwner(stored);
    raise("22023", "the request made another connection");
  }
  const found = [...database.connections.values()].find((row) => row.id === columns.id || same(row, columns));
  if (found && (found.id !== columns.id || !same(found, columns))) raise("23505", "a connection has one id");
  if (!/^[a-z0-9][a-z0-9_-]{0,62}$/.test(columns.provider) || columns.account_key === "") {
    raise("23514", "a connection is one account's at a provider");
  }
  assertSealed(columns.access_token_sealed, columns.key_id);
  assertSealed(columns.refresh_token_sealed, columns.key_id);
  const row: ConnectionRow = {
    ...found,
    ...columns,
    ...SETTLED,
    ...lifetime(database, expires_in_ms, elapsed_ms),
    status: "active",
    version: (found?.version ?? 0) + 1,
    committed_lease_id: null,
    failure_code: null,
    forced_until: found?.forced_until ?? null,
    connected_at: database.now(),
    created_at: found?.created_at ?? database.now(),
  };
  database.connections.set(row.id, row);
  finishAuthorization(database, request_id);
  database.record(row, "connected");
  return asOwner(row);
}

export function disconnect(
  database: FakeDatabase,
  id: string,
  user_id: string,
  provider: string,
): Disconnected | null {
  assertUuid(id);
  assertUuid(user_id);
  const row = database.connections.get(id);
  if (!row || row.user_id !== user_id || row.provider !== provider) return null;
  const { refresh_token_sealed } = row;
  if (row.status !== "disconnected") erase(database, row, "disconnected");
  return { ...asOwner(row), refresh_token_sealed };
}

export function uninstall(
  database: FakeDatabase,
  provider: string,
  account_key: string,
  occurred_at: string | null,
): number {
  const before = occurred_at === null ? Infinity : Date.parse(occurred_at);
  if (Number.isNaN(before)) raise("22007", "invalid input syntax for type timestamp with time zone");
  const rows = [...database.connections.values()].filter((row) =>
    row.provider === provider && row.account_key === account_key && row.status !== "disconnected" &&
    row.connected_at < before
  );
  for (const row of rows) erase(database, row, "uninstalled");
  return rows.length;
}

export function connection(database: FakeDatabase, id: string, user_id: string | null): Connection | null {
  assertUuid(id);
  assertUuid(user_id);
  const row = database.connections.get(id);
  if (!row || (user_id !== null && row.user_id !== user_id)) return null;
  return asOwner(row);
}

function asOwner(row: ConnectionRow): Connection {
  return {
    id: row.id,
    provider: row.provider,
    status: row.status,
    account: {
      id: row.account_key,
      ...(row.account_name === null ? {} : { name: row.account_name }),
      ...(row.account_email === null ? {} : { email: row.account_email }),
    },
    scope: row.scope,
    created_at: new Date(row.created_at).toISOString(),
    updated_at: new Date(row.updated_at).toISOString(),
    access_expires_at: isoTime(row.access_expires_at),
  };
}

export function connectionsOf(
  database: FakeDatabase,
  user_id: string,
  provider: string,
): { id: string; status: Status }[] {
  assertUuid(user_id);
  return [...database.connections.values()]
    .filter((row) => row.user_id === user_id && row.provider === provider && row.status !== "disconnected")
    .sort((one, other) => one.created_at - other.created_at || (one.id < other.id ? -1 : 1))
    .map(({ id, status }) => ({ id, status }));
}

export function sealedUnderOtherKeys(
  database: FakeDatabase,
  provider: string,
  key_id: string,
  limit: number,
): SealedTokenSet[] {
  return [...database.connections.values()].flatMap((row) =>
    row.provider === provider && hasTokens(row) && row.key_id !== key_id ? [sealedTokenSet(row)] : []
  ).slice(0, limit);
}

export function reseal(database: FakeDatabase, request: Reseal): boolean {
  assertUuid(request.id);
  const row = database.connections.get(request.id);
  if (!row || !hasTokens(row) || row.version !== request.version || row.key_id !== request.key_id) {
    return false;
  }
  row.access_token_sealed = request.access_token_sealed;
  row.refresh_token_sealed = request.refresh_token_sealed;
  row.key_id = request.new_key_id;
  return true;
}

type WithTokens = ConnectionRow & SealedTokenSet;

function hasTokens(row: ConnectionRow): row is WithTokens {
  return row.key_id !== null && row.access_token_sealed !== null && row.refresh_token_sealed !== null;
}

function sealedTokenSet(row: WithTokens): SealedTokenSet {
  const { id, version, key_id, access_token_sealed, refresh_token_sealed } = row;
  return { id, version, key_id, access_token_sealed, refresh_token_sealed };
}

function erase(database: FakeDatabase, row: ConnectionRow, kind: "disconnected" | "uninstalled"): void {
  Object.assign(row, SETTLED, {
    status: "disconnected",
    version: row.version + 1,
    access_expires_at: null,
    leeway_ms: 0,
    refresh_after: null,
    committed_lease_id: null,
    failure_code: null,
    access_token_sealed: null,
    refresh_token_sealed: null,
    key_id: null,
    updated_at: database.now(),
  });
  database.record(row, kind);
}

function same(
  one: { provider: string; account_key: string; user_id: string },
  other: { provider: string; account_key: string; user_id: string },
): boolean {
  return one.provider === other.provider && one.account_key === other.account_key &&
    one.user_id === other.user_id;
}
