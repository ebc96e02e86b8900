/**
 * `deno task scale`: what so many connections need. Measures what a row and a refresh weigh, on a PostgreSQL of its own,
 * does the arithmetic, and writes docs/scale.md.
 */
import postgres from "postgres";
import { withDatabase } from "../../tests/support/database.ts";
import { openSqlRpc } from "../../tests/support/sql_rpc.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { subjects } from "../bench/sql/calls.ts";
import { fill } from "../bench/sql/rows.ts";
import { only } from "../bench/subject.ts";
import { refresh } from "../bench/subjects/refreshes.ts";
import { page, type Weights, written } from "./page.ts";

const CONNECTIONS = 100_000;
const REFRESHES = 5_000;
const TABLES = ["connections", "token_sets", "events"] as const;

async function weigh(): Promise<Weights> {
  return await withDatabase(async ({ url }) => {
    const owner = postgres(url, { max: 1, onnotice: () => {} });
    const rpc = await openSqlRpc(url);
    try {
      await fill(owner, url, 0, CONNECTIONS);
      const bytes = await Promise.all(TABLES.map(async (table) => {
        const [row] = await owner`
          select pg_total_relation_size(${`oauth.${table}`}::regclass)::float8 / count(*) as bytes from ${
          owner(`oauth.${table}`)
        }`;
        return row?.bytes as number;
      }));
      const store = supabaseStore(rpc);
      const ids = (await subjects(owner, CONNECTIONS, REFRESHES)).map(({ id }) => id);
      const written_wal = async () =>
        Number((await owner`select pg_current_wal_insert_lsn() - '0/0' as bytes`)[0]?.bytes);
      const [before, began] = [await written_wal(), performance.now()];
      for (let n = 0; n < REFRESHES; n += 1) await refresh(store, only(ids, n), 1);
      const refresh_ms = (performance.now() - began) / REFRESHES;
      const wal_bytes = (await written_wal() - before) / REFRESHES;
      const asked = performance.now();
      for (const id of ids) await store.peek({ id, user_id: null, seen_version: 1 });
      const peek_ms = (performance.now() - asked) / REFRESHES;
      // As the page has them, so that it follows from itself.
      const [connection = 0, token_set = 0, event = 0, ...rest] = [...bytes, wal_bytes, refresh_ms, peek_ms]
        .map((value) => Number(written(value).replaceAll(",", "")));
      const [wal = 0, refreshed = 0, peeked = 0] = rest;
      return { connection, token_set, event, wal_bytes: wal, refresh_ms: refreshed, peek_ms: peeked };
    } finally {
      await rpc.close();
      await owner.end();
    }
  });
}

if (import.meta.main) {
  const text = page(await weigh());
  await Deno.writeTextFile(new URL("../../docs/scale.md", import.meta.url), text);
  console.log(text);
}
