/** The schedule, from asking for it to the request that arrives, on stand-ins for pg_cron, pg_net and Vault. */
import type postgres from "postgres";
import { SECRET_KEYS } from "../../tests/functions/callers.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { withDatabase } from "../../tests/support/database.ts";
import { runJob, standIn, takeQueued } from "./stand_ins.ts";
import { send } from "./sweep_request.ts";

const URL_SETTING = "https://abcdefghijklmnopqrst.supabase.co";

const jobs = (sql: postgres.Sql) =>
  sql`select jobname, schedule, command from cron.job`.then((rows) => [...rows]);
const setSecret = (sql: postgres.Sql, name: string, value: string) =>
  sql`select vault.update_secret(id, ${value}) from vault.secrets where name = ${name}`;

async function complaint(work: Promise<unknown>): Promise<string> {
  const { message, hint } = await assertRejects(() => work) as Error & { hint?: string };
  return `${message} ${hint ?? ""}`;
}

Deno.test("the sweep on a schedule", async (test) => {
  await withDatabase(async (database) => {
    const sql = database.connect();
    const schedule = () => sql`select oauth.schedule_sweep()`;

    await test.step("is refused, by name, for each extension that is missing", async () => {
      assertMatch(await complaint(schedule()), /does not have: pg_cron, pg_net, supabase_vault/);
      await standIn(sql, "pg_net");
      assertMatch(await complaint(schedule()), /does not have: pg_cron, supabase_vault/);
      await standIn(sql, "supabase_vault", "pg_cron");
    });

    await test.step("is refused until Vault has both settings, and nothing is scheduled", async () => {
      assertMatch(await complaint(schedule()), /no secret named "project_url".*https:/);
      await sql`select vault.create_secret(${URL_SETTING}, 'project_url')`;
      assertMatch(await complaint(schedule()), /no secret named "cron_secret_key".*sb_secret_/);
      assertEquals(await jobs(sql), []);
    });

    await test.step("is refused where a setting is something else, without repeating it", async () => {
      await sql`select vault.create_secret('canary', 'cron_secret_key')`;
      const keys = [
        "canary",
        "eyJhbGciOi.canary",
        "sb_publishable_canary",
        "sb_secret_canary\n",
        "sb_secret_canary x",
      ];
      for (const key of keys) {
        await setSecret(sql, "cron_secret_key", key);
        const words = await complaint(schedule());
        assertMatch(words, /"cron_secret_key" does not look like/);
        assert(!words.includes("canary"), words);
      }
      await setSecret(sql, "cron_secret_key", SECRET_KEYS.cron);
      const urls = [
        "http://canary.example",
        "https://canary@evil.example",
        "https://canary/path",
        "https://canary?x",
        "canary",
      ];
      for (const url of urls) {
        await setSecret(sql, "project_url", url);
        const words = await complaint(schedule());
        assertMatch(words, /"project_url" does not look like/);
        assert(!words.includes("canary"), words);
      }
      for (const url of ["http://127.0.0.1:54321", "http://kong:8000", `${URL_SETTING}/`]) {
        await setSecret(sql, "project_url", url);
        const [request] = await sql`select url from oauth.sweep_request()`;
        assertEquals(request?.url, `${url.replace(/\/$/, "")}/functions/v1/refresh-token`);
      }
    });

    await test.step("is one job, however often it is asked for, and holds no secret", async () => {
      const [first] = await sql<{ id: string }[]>`select oauth.schedule_sweep() as id`;
      assertEquals(await jobs(sql), [
        { jobname: "oauth-sweep", schedule: "*/5 * * * *", command: "select oauth.request_sweep(10000)" },
      ]);
      const [second] = await sql<{ id: string }[]>`select oauth.schedule_sweep('17 * * * *', 20000) as id`;
      assertEquals(first?.id, second?.id);
      assertEquals(await jobs(sql), [
        { jobname: "oauth-sweep", schedule: "17 * * * *", command: "select oauth.request_sweep(20000)" },
      ]);
      assertMatch(await complaint(sql`select oauth.schedule_sweep('never')`), /invalid schedule/);
      for (const timeout of [999, 60_001, null]) {
        assertMatch(
          await complaint(sql`select oauth.schedule_sweep('* * * * *', ${timeout})`),
          /p_timeout_ms/,
        );
      }
    });

    await test.step("sends what refresh-token answers with a sweep, under the schedule's own key", async () => {
      await runJob(sql);
      const [request, ...others] = await takeQueued(sql);
      assert(request && others.length === 0);
      assertEquals(request, {
        method: "POST",
        url: `${URL_SETTING}/functions/v1/refresh-token`,
        headers: { "content-type": "application/json", apikey: SECRET_KEYS.cron },
        body: "{}",
        timeout_milliseconds: 20_000,
      });
      const { status, answer, line } = await send(request);
      assertEquals([status, answer.due], [200, 0]);
      assertEquals([line?.caller, line?.outcome], ["cron", "swept"]);
    });

    await test.step("takes a changed key at its next run", async () => {
      await setSecret(sql, "cron_secret_key", "sb_secret_changed");
      await runJob(sql);
      assertEquals((await takeQueued(sql)).map(({ headers }) => headers.apikey), ["sb_secret_changed"]);
    });

    await test.step("says at its next run that a setting has gone", async () => {
      await sql`update vault.secrets set name = 'lost' where name = 'project_url'`;
      assertMatch(await complaint(runJob(sql)), /no secret named "project_url"/);
      assertEquals(await takeQueued(sql), []);
      await sql`update vault.secrets set name = 'project_url' where name = 'lost'`;
    });

    await test.step("forgets its own runs after a week, and nobody else's", async () => {
      await sql`select cron.schedule('other', '* * * * *', 'select 1')`;
      await sql`insert into cron.job_run_details (jobid, username, status, end_time)
        select jobid, current_user, jobname || days, now() - days * interval '1 day'
          from cron.job, unnest(array[6, 8]) days`;
      await runJob(sql);
      const runs = await sql`select status from cron.job_run_details order by status`;
      assertEquals(runs.map(({ status }) => status), ["oauth-sweep6", "other6", "other8"]);
    });

    await test.step("ends when it is told to, and only it", async () => {
      const unschedule = () => sql`select oauth.unschedule_sweep() as ended`.then(([row]) => row?.ended);
      assertEquals([await unschedule(), await unschedule()], [true, false]);
      assertEquals((await jobs(sql)).map(({ jobname }) => jobname), ["other"]);
    });
  });
});
