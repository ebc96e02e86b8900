import type postgres from "postgres";
import { FakeClock } from "../../tests/support/clock.ts";

/**
 * One time for all isolates and the database. It stands still while anything can happen, goes on to the next sleeper
 * when nothing can, and jumps when a test says so.
 */
export class WorldClock extends FakeClock {
  readonly #due = new Set<{ readonly at: number }>();

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const sleeper = { at: this.now() + Math.max(0, ms) };
    this.#due.add(sleeper);
    return super.sleep(ms, signal).finally(() => this.#due.delete(sleeper));
  }

  /** Time goes on until somebody wakes. False: nobody sleeps. */
  async wakeNext(): Promise<boolean> {
    if (this.#due.size === 0) return false;
    const next = Math.min(...Array.from(this.#due, ({ at }) => at));
    await this.advance(Math.max(0, next - this.now()));
    return true;
  }

  /** Everybody stands still for `ms`, as if stopped: whoever was to wake meanwhile wakes late. */
  async jump(ms: number): Promise<void> {
    this.pause(ms);
    await this.advance(0);
  }
}

/**
 * Puts the database on a clock of the test. The functions stay as the migrations made them; only where they look a
 * name up is changed, and there `clock_timestamp` is ours before it is PostgreSQL's.
 */
export async function takeOverDatabaseTime(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create schema test_time;
    create function test_time.clock_timestamp() returns timestamptz language sql stable as $$
      select timestamptz '2030-01-01 00:00:00Z'
        + pg_catalog.current_setting('test_time.now_ms')::double precision * interval '1 millisecond'
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

/** Tells a connection what time it is, in milliseconds since the test's beginning. */
export async function tellTime(sql: postgres.Sql, now_ms: number): Promise<void> {
  await sql`select set_config('test_time.now_ms', ${String(now_ms)}, false)`;
}
