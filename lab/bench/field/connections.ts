import { supabaseStore } from "../../../supabase/functions/_shared/keep/store.ts";
import { connect, contextOn, makeClient, makeKeyring } from "../../../tests/support/make.ts";
import { openSqlRpc } from "../../../tests/support/sql_rpc.ts";
import { CLIENT, type Field } from "./field.ts";

export interface Connection {
  readonly id: string;
  readonly user_id: string;
  readonly access_token: string;
  /** Of its user, for the gateway and the functions. */
  readonly headers: Readonly<Record<string, string>>;
}

/** As many connections to the database as commits are to wait for the disk together. */
const AT_ONCE = 8;

/** Connections of as many users, with tokens that the provider issued, stored as a completed authorization stores them. */
export async function makeConnections(field: Field, count: number): Promise<Connection[]> {
  const { database: { sql, url }, keys, provider_origin: api_origin } = field;
  const granted = [...await field.grants(count)];
  const keyring = await makeKeyring(keys.token_encryption_keys);
  const made: Connection[] = [];
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, async () => {
    const rpc = await openSqlRpc(url);
    const context = await contextOn(supabaseStore(rpc), { keyring, client: makeClient(CLIENT) });
    for (let tokens = granted.pop(); tokens !== undefined; tokens = granted.pop()) {
      const user_id = crypto.randomUUID();
      await sql`insert into auth.users (id) values (${user_id})`;
      const { id, access_token } = await connect(context, { ...tokens, user_id, api_origin });
      const headers = { apikey: keys.publishable_key, authorization: `Bearer ${await field.jwt(user_id)}` };
      made.push({ id, user_id, access_token, headers });
    }
    await rpc.close();
  }));
  return made;
}

/**
 * Moves the life of access tokens: they end so long from now by the database's clock, and become due for a refresh
 * then, milliseconds. Nothing that was tried before counts.
 */
export async function moveExpiry(
  { database: { sql } }: Field,
  connections: readonly Connection[],
  { ends_in_ms, due_in_ms, idle_days = 0 }: { ends_in_ms: number; due_in_ms: number; idle_days?: number },
): Promise<void> {
  await sql`
    update oauth.connections
    set access_expires_at = clock_timestamp() + ${ends_in_ms} * interval '1 ms',
        refresh_after = clock_timestamp() + ${due_in_ms} * interval '1 ms',
        refreshed_at = refreshed_at - ${idle_days} * interval '1 day',
        forced_until = null
    where id = any(${connections.map(({ id }) => id)})`;
}
