import type postgres from "postgres";
import { supabaseStore } from "../../../supabase/functions/_shared/keep/store.ts";
import { connect, contextOn } from "../../../tests/support/make.ts";
import { openSqlRpc } from "../../../tests/support/sql_rpc.ts";

/** The ids of the connection of this number, and of its user, in SQL. */
export const IDS = {
  id: "md5('connection ' || n)::uuid",
  user_id: "md5('user ' || n)::uuid",
  account_key: "'account ' || n",
} as const;

/**
 * Brings a database to so many connections, each with a user, tokens and two events, and one in ten of their
 * users with an authorization under way. They are copies of one that was
 * connected as every other is, with ids and times of their own, so that this knows few columns: none of their seals
 * opens, which no SQL can tell. None is due, expired or past its time.
 *
 * @param from how many there are, made by this before
 */
export async function fill(sql: postgres.Sql, url: string, from: number, to: number): Promise<void> {
  const model = await modelConnection(sql, url);
  await sql.unsafe(`
    insert into auth.users (id) select ${IDS.user_id} from generate_series(${from + 1}, ${to}) n;
    insert into oauth.connections
      select row.*
        from oauth.connections model
       cross join generate_series(${from + 1}, ${to}) n
       cross join lateral jsonb_populate_record(model, jsonb_build_object(
         'id', ${IDS.id},
         'user_id', ${IDS.user_id},
         'account_key', ${IDS.account_key},
         'refreshed_at', now() - n % 28 * interval '1 day' - interval '1 hour'
       )) row
       where model.id = '${model}';
    insert into oauth.token_sets
      select row.*
        from oauth.token_sets model
       cross join generate_series(${from + 1}, ${to}) n
       cross join lateral jsonb_populate_record(model, jsonb_build_object('connection_id', ${IDS.id})) row
       where model.connection_id = '${model}';
    insert into oauth.events (connection_id, user_id, kind, version, created_at)
      select ${IDS.id}, ${IDS.user_id}, kind, version, now() - n % 28 * interval '1 day' - interval '1 hour'
        from generate_series(${from + 1}, ${to}) n
       cross join (values ('connected', 1), ('refresh_failed', 1)) events (kind, version);
    insert into oauth.authorization_requests (
      id, user_id, provider, binding_hash, redirect_uri, return_to, created_at, expires_at
    )
      select 'request ' || n, ${IDS.user_id}, 'pipedrive', 'binding', 'https://project.example/',
             'https://app.example/', now(), now() + interval '10 minutes'
        from generate_series(${from + 1}, ${to}) n
       where n % 10 = 0;
  `).simple();
  // What autovacuum would have done by then.
  await sql.unsafe("vacuum (analyze)");
}

/** Connected by the store itself; there from the first call on. */
async function modelConnection(sql: postgres.Sql, url: string): Promise<string> {
  const account_key = "the model";
  const [known] = await sql`select id from oauth.connections where account_key = ${account_key}`;
  if (known) return known.id;
  const user_id = crypto.randomUUID();
  await sql`insert into auth.users (id) values (${user_id})`;
  const rpc = await openSqlRpc(url);
  try {
    const { id } = await connect(await contextOn(supabaseStore(rpc)), { user_id, account_key });
    return id;
  } finally {
    await rpc.close();
  }
}
