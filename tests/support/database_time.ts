import type postgres from "postgres";

/** Where the database's clock stands when a test's clock stands at 0, in milliseconds since 1970. */
export const EPOCH = Date.parse("2026-01-01T00:00:00Z");

/**
 * Puts the database on a clock of the test. The functions stay as the migrations made them; only where they look a
 * name up is changed, and there `clock_timestamp` is ours before it is PostgreSQL's.
 */
export async function takeOverDatabaseTime(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create schema test_time;
    create function test_time.clock_timestamp() returns timestamptz language sql stable as $$
      select timestamptz '${new Date(EPOCH).toISOString()}'
        + coalesce(pg_catalog.current_setting('test_time.now_ms', true), '0')::double precision * interval '1 millisecond'
    $$;
    grant usage on schema test_time to public;
    grant execute on function test_time.clock_timestamp() to public;
    do $$
    declare
      v_function regprocedure;
    begin
      for v_function in
        select oid from pg_proc
         where pronamespace in ('oauth'::regnamespace, 'public'::regnamespace) and proconfig is not null
      loop
        execute format('alter function %s set search_path = test_time, pg_catalog', v_function);
      end loop;
    end $$;
  `).simple();
}

/** Tells a connection what time it is by a clock, whenever that has changed. To be called before each of its calls. */
export function timeTeller(sql: postgres.Sql<{ bigint: number }>, now: () => number): () => Promise<void> {
  let told: number | null = null;
  return async () => {
    if (told === now()) return;
    told = now();
    await sql`select set_config('test_time.now_ms', ${String(told)}, false)`;
  };
}
