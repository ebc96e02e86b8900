/** docs/operating.md is what people paste at night: every statement on it is run, in its order, and does what it says. */
import type postgres from "postgres";
import { splitStatements } from "../../local/stack/statements.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { withDatabase } from "../../tests/support/database.ts";
import { type StandIn, standIn, takeQueued } from "./stand_ins.ts";
import { send } from "./sweep_request.ts";

const page = await Deno.readTextFile(new URL("../../docs/operating.md", import.meta.url));
const ALICE = "a11ce000-0000-4000-8000-000000000000";

/** The statements, in the page's order, with its placeholders filled in. */
const statements = Array.from(page.matchAll(/^ *```sql\n([\s\S]*?)^ *```$/gm), ([, block = ""]) => block)
  .flatMap(splitStatements)
  .map((statement) => statement.replaceAll("<project>", "abcdefghijklmnopqrst").replaceAll("_…", "_x"));

/** Runs the one statement on the page that matches. */
async function paste(sql: postgres.Sql, pattern: RegExp): Promise<Record<string, unknown>[]> {
  const found = statements.filter((statement) => pattern.test(statement));
  assertEquals(found.length, 1, `${pattern} on the page`);
  done.add(found[0] ?? "");
  const [extension] = found[0]?.match(/(?<=^create extension if not exists )\w+$/) ?? [];
  if (extension !== undefined) return await standIn(sql, extension as StandIn).then(() => []);
  return [...await sql.unsafe(found[0] ?? "")];
}
const done = new Set<string>();

async function connect(sql: postgres.Sql): Promise<string> {
  const id = crypto.randomUUID();
  await sql`select public.oauth_connect(${id}, ${ALICE}, 'pipedrive', ${id}, null, null, 'base',
    'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, null)`;
  return id;
}

async function failRefresh(sql: postgres.Sql, id: string, how: "transient" | "permanent"): Promise<void> {
  const [claim] =
    await sql`select lease_id from public.oauth_claim_refresh(${id}, 1, true, '{k1}', 20000, 25000, 0)`;
  await sql`select public.oauth_fail_refresh(${id}, ${claim?.lease_id}, ${how}, 60000, 'http_503')`;
}

/** An authorization request whose code waits under this seal. */
async function parked(sql: postgres.Sql, code_sealed: string): Promise<void> {
  const [id, ticket] = [crypto.randomUUID(), crypto.randomUUID()];
  await sql`select public.oauth_begin_authorization(${id}, ${ALICE}, 'pipedrive', 'binding',
    'https://x.example/callback', '/', null, 600000, 5)`;
  await sql`select public.oauth_receive_authorization_response(${id}, 'pipedrive', ${ticket}, ${code_sealed})`;
}

const due = (sql: postgres.Sql, failed = false) =>
  sql`select id, lease_id from public.oauth_claim_due('pipedrive', 10, ${failed}, 2592000000, '{k1}', 20000, 25000, 30000)`;

Deno.test("docs/operating.md", async (test) => {
  await withDatabase(async (database) => {
    const sql = database.connect();
    await sql`insert into auth.users (id) values (${ALICE})`;
    // On every Supabase project from the start.
    await standIn(sql, "supabase_vault", "realtime");

    await test.step("schedules the sweep, changes it, looks at it and ends it", async () => {
      await paste(sql, /pg_cron$/);
      await paste(sql, /pg_net$/);
      await paste(sql, /'project_url'/);
      await paste(sql, /create_secret\('sb_secret_/);
      await paste(sql, / oauth\.schedule_sweep\(\)$/m);
      await paste(sql, /schedule_sweep\('17/);
      const jobs = await sql`select schedule, command from cron.job`;
      assertEquals(jobs.map((job) => ({ ...job })), [
        { schedule: "17 * * * *", command: "select oauth.request_sweep(10000)" },
      ]);
      assert(page.includes("`select oauth.request_sweep(10000)`"));
      await sql`insert into cron.job_run_details (command, username, status)
        values ('select oauth.request_sweep(10000)', current_user, 'succeeded'), ('select 1', current_user, 'succeeded')`;
      assertEquals((await paste(sql, /from cron\.job_run_details/)).length, 1);
      await paste(sql, /from net\._http_response/);
      assertEquals(await paste(sql, /unschedule_sweep/), [{ unschedule_sweep: true }]);
    });

    await test.step("gives the schedule another key", async () => {
      await sql`select vault.update_secret(id, 'sb_secret_old') from vault.secrets where name = 'cron_secret_key'`;
      await paste(sql, /update_secret/);
      const [row] = await sql`select headers ->> 'apikey' as key from oauth.sweep_request()`;
      assertEquals(row?.key, "sb_secret_x");
    });

    await test.step("says what a schedule costs, and what a sweep asks of the database", async () => {
      const [settings] =
        await sql`select pg_get_function_arguments('oauth.schedule_sweep'::regproc) as arguments`;
      const minutes = Number(/\*\/(\d+) \* \* \* \*/.exec(settings?.arguments)?.[1]);
      const days = (runs: number) => runs.toLocaleString("en");
      const runs = 24 * 60 / minutes;
      assert(page.includes(`${runs} invocations a day, ${days(runs * 30)} in 30 days`), `${runs} a day`);
      await sql`select oauth.request_sweep(10000)`;
      const [request] = await takeQueued(sql);
      assert(request);
      const { calls } = await send({ ...request, headers: { ...request.headers, apikey: "sb_secret_cron" } });
      const [first, ...own] = calls;
      assertEquals(first, "begin_sweep");
      assert(
        page.includes(`makes ${own.length} short database calls a provider and one for all`),
        calls.join(),
      );
    });

    await test.step("shows what is not well, and nothing else", async () => {
      await connect(sql);
      const failing = await connect(sql);
      await failRefresh(sql, failing, "transient");
      const [provider] = await paste(sql, /from oauth\.provider_health/);
      assertEquals([provider?.provider, provider?.active, provider?.degraded], ["pipedrive", "2", "1"]);
      const unwell = await paste(sql, /where health not in/);
      assertEquals(unwell.map(({ id, last_error }) => [id, last_error]), [[failing, "http_503"]]);
      const failures = await paste(sql, /as failures/);
      assertEquals(failures.map(({ provider, code, failures }) => [provider, code, failures]), [
        ["pipedrive", "http_503", "1"],
      ]);
    });

    await test.step("shows under which key id tokens do not open", async () => {
      assertEquals((await paste(sql, /unreadable_key_id is not null/)).length, 0);
      await sql`select public.oauth_mark_unreadable('pipedrive', '{k1}', '{}', '{}')`;
      const [found] = await paste(sql, /unreadable_key_id is not null/);
      assertEquals([found?.provider, found?.unreadable_key_id, found?.count], ["pipedrive", "k1", "2"]);
      await sql`select public.oauth_mark_unreadable('pipedrive', '{}', '{}', '{}')`;
    });

    await test.step("shows what is still to be revoked", async () => {
      const id = await connect(sql);
      await sql`select public.oauth_disconnect(${id}, ${ALICE}, 'pipedrive')`;
      const pending = await paste(sql, /as oldest from oauth\.revocations/);
      assertEquals(pending.map(({ provider, count }) => [provider, count]), [["pipedrive", "1"]]);
    });

    await test.step("explains every word that the view uses", async () => {
      const [view] = await sql`select pg_get_viewdef('oauth.connection_health'::regclass) as text`;
      const words = Array.from(
        view?.text.matchAll(/THEN '(\w+)'|ELSE '(\w+)'/g),
        ([, one, other]) => one ?? other,
      );
      assert(words.length >= 6, words.join());
      for (const word of words) assert(page.includes(`\`${word}\``), word);
    });

    await test.step("tells of lost connections, and not while tokens are stored", async () => {
      await standIn(sql, "webhooks");
      await paste(sql, /create trigger/);
      const id = await connect(sql);
      assertEquals(await takeQueued(sql), []);
      await failRefresh(sql, id, "permanent");
      const [told] = await takeQueued(sql);
      const { record } = JSON.parse(told?.body ?? "{}");
      assertEquals([told?.url, record.connection_id, record.code], [
        "https://alerts.example/oauth",
        id,
        "grant_refused",
      ]);
      assert(!told?.body.includes("v1.k1"));
    });

    await test.step("starts and stops live events", async () => {
      await paste(sql, /start_live_events/);
      await connect(sql);
      await paste(sql, /stop_live_events/);
      await connect(sql);
      assertEquals((await sql`select from realtime.messages`).count, 1);
    });

    await test.step("knows when an old key is gone", async () => {
      const keys = await paste(sql, /group by key_id/);
      assertEquals(keys.map(({ key_id }) => key_id), ["k1"]);
      await parked(sql, "v1.k1.iv.code");
      await parked(sql, "v1.k2.iv.code");
      assertEquals(await paste(sql, /'k1' in/), [{ count: "1" }]);
      assertEquals(await paste(sql, /from oauth\.revocations where key_id/), [{ count: "1" }]);
      assertEquals(await paste(sql, /select distinct key_id/), [{ key_id: "k1" }]);
    });

    await test.step("brings back what was refused without a code, and nothing else", async () => {
      const id = await connect(sql);
      await sql`update oauth.connections
        set status = 'reauthorization_required', failure_code = 'refused_without_code' where id = ${id}`;
      assertEquals(await paste(sql, /oauth\.reactivate/), [{ id, reactivate: true }]);
      const [row] = await sql`select status from oauth.connections where id = ${id}`;
      assertEquals(row?.status, "active");
    });

    await test.step("makes every connection due after a theft", async () => {
      await sql`update oauth.connections set next_attempt_at = null, attempts = 0`;
      assertEquals((await due(sql)).length, 0);
      await paste(sql, /least\(refreshed_at/);
      const [{ active } = { active: "0" }] =
        await sql`select count(*) as active from oauth.connections where status = 'active'`;
      assertEquals(String((await due(sql)).length), active);
    });

    await test.step("blames no user for what a restored backup lost", async () => {
      await paste(sql, /set lease_id = null/);
      const all = await due(sql, true);
      assert(all.length > 0);
      for (const { id, lease_id } of all) {
        await sql`select public.oauth_fail_refresh(${id}, ${lease_id}, 'permanent', 0, null)`;
      }
      const causes = await sql`select distinct failure_code from oauth.connections where id in ${
        sql(all.map(({ id }) => id))
      }`;
      assertEquals(causes.map(({ failure_code }) => failure_code), ["rotation_lost"]);
    });

    await test.step("shows what is kept and until when", async () => {
      const kept = await paste(sql, /as next_to_go/);
      assert(kept.length > 0 && kept.every(({ next_to_go }) => next_to_go instanceof Date));
    });

    await test.step("has no statement that was not run here", () => {
      assertEquals(statements.filter((statement) => !done.has(statement)), []);
    });
  });
});
