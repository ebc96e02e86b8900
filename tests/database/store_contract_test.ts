/**
 * What the fake store promises is what the database does: the same list, on PostgreSQL with the migrations. Once as
 * the functions reach it, by supabase-js and REST, and once as the property tests do, by SQL alone.
 */
import { createClient } from "@supabase/supabase-js";
import type postgres from "postgres";
import { openRest } from "../../local/stack/rest.ts";
import { Undo } from "../../local/stack/undo.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/supabase_store.ts";
import { startDatabase } from "../support/database.ts";
import { openSqlRpc, type RpcClient } from "../support/sql_rpc.ts";
import { type MsAgo, testStoreContract } from "../support/store_contract.ts";

interface Reached {
  readonly sql: postgres.Sql;
  readonly rest: RpcClient;
  readonly rpc: RpcClient;
}

const stop = new Undo();
let reached: Reached;

Deno.test.beforeAll(async () => {
  reached = await reachOneDatabase();
});
Deno.test.afterAll(() => stop.run());

testStoreContract("supabaseStore over REST", () => underTest(reached.rest));
testStoreContract("supabaseStore over SQL", () => underTest(reached.rpc));

function underTest(client: RpcClient) {
  const { sql } = reached;
  return Promise.resolve({
    store: supabaseStore(client),
    user: () => newUser(sql),
    backdate: (id: string, ms_ago: MsAgo) => backdate(sql, id, ms_ago),
    close: () => {},
  });
}

async function reachOneDatabase(): Promise<Reached> {
  const database = await startDatabase();
  stop.add(() => database.stop());
  const secret_key = `sb_secret_${crypto.randomUUID()}`;
  const server = await openRest({
    database_url: database.url,
    jwt_secret: crypto.randomUUID() + crypto.randomUUID(),
    publishable_key: `sb_publishable_${crypto.randomUUID()}`,
    secret_key,
  });
  stop.add(() => server.close());
  const rest = createClient("http://127.0.0.1", secret_key, {
    global: { fetch: (input, init) => server.fetch(new Request(input, init)) },
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const rpc = await openSqlRpc(database.url);
  stop.add(() => rpc.close());
  const sql = database.connect();
  // Connections are opened by what first needs one, and that shall be no test.
  await Promise.all([sql`select 1`, rest.rpc("oauth_purge", { p_limit: 0 })]);
  return { sql, rest, rpc };
}

async function newUser(sql: postgres.Sql): Promise<string> {
  const id = crypto.randomUUID();
  await sql`insert into auth.users (id) values (${id})`;
  return id;
}

async function backdate(sql: postgres.Sql, id: string, ms_ago: MsAgo): Promise<void> {
  const times = Object.fromEntries(
    Object.entries(ms_ago).map(([column, ms]) => [column, new Date(Date.now() - ms)]),
  );
  const { count } = ms_ago.expires_at === undefined
    ? await sql`update oauth.connections set ${sql(withSoftWindow(times))} where id = ${id}`
    : await sql`update oauth.authorization_requests set ${sql(times)} where id = ${id}`;
  if (count !== 1) throw new Error(`no row ${id}`);
}

/** The soft window precedes the expiry, wherever that goes. */
function withSoftWindow(times: Record<string, Date>): Record<string, Date> {
  const { access_expires_at, refresh_after } = times;
  return access_expires_at && !refresh_after ? { ...times, refresh_after: access_expires_at } : times;
}
