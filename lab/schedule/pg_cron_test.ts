/** The schedule on the real pg_cron, where it can be had (`get_pg_cron.ts`): what the stand-in promises, it does. */
import { SECRET_KEYS } from "../../tests/functions/callers.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { installedVersion, pgCronFor, startCronServer } from "./cron_server.ts";
import { standIn, takeQueued } from "./stand_ins.ts";
import { send } from "./sweep_request.ts";

const version = await installedVersion();
const root = version === null ? null : await pgCronFor(version);
const missing = root === null ? " (not run: deno run -A lab/schedule/get_pg_cron.ts brings it)" : "";

Deno.test({
  name: `the real pg_cron runs the sweep${missing}`,
  ignore: root === null,
  async fn(test) {
    if (version === null || root === null) return;
    const server = await startCronServer(version, root);
    try {
      await test.step("the schedule is one job, changed in place, refused where it makes no sense", async () => {
        const { sql } = server;
        await standIn(sql, "pg_net", "supabase_vault");
        await assertRejects(() => sql`select oauth.schedule_sweep()`, Error, "does not have: pg_cron");
        await sql`create extension pg_cron`;
        await sql`select vault.create_secret('https://abcdefghijklmnopqrst.supabase.co', 'project_url'),
          vault.create_secret(${SECRET_KEYS.cron}, 'cron_secret_key')`;
        await sql`select oauth.schedule_sweep('17 * * * *')`;
        await sql`select oauth.schedule_sweep()`;
        const jobs = await sql`select jobname, schedule, command, active from cron.job`;
        assertEquals(jobs.map((job) => ({ ...job })), [{
          jobname: "oauth-sweep",
          schedule: "*/5 * * * *",
          command: "select oauth.request_sweep(10000)",
          active: true,
        }]);
        await assertRejects(() => sql`select oauth.schedule_sweep('never')`, Error, "invalid schedule");
      });

      await test.step("pg_cron runs it, and the function answers what it sends", async () => {
        // At the server's start instead of at the next fifth minute; the rest is as scheduled.
        await server.sql`select cron.alter_job(jobid, schedule => '@reboot') from cron.job`;
        await server.restartUntil("cron job 1 COMMAND completed");
        const [request, ...others] = await takeQueued(server.sql);
        assert(request && others.length === 0);
        const { status, line } = await send(request);
        assertEquals([status, line?.caller, line?.outcome], [200, "cron", "swept"]);
      });

      await test.step("no table of pg_cron's and no log has the key", async () => {
        const runs = await server.sql`select * from cron.job_run_details`;
        assertEquals(runs.map(({ command }) => command), ["select oauth.request_sweep(10000)"]);
        const tables = JSON.stringify([await server.sql`select * from cron.job`, runs]);
        assert(!tables.includes(SECRET_KEYS.cron));
        assertMatch(server.log(), /oauth\.request_sweep/);
        assert(!server.log().includes(SECRET_KEYS.cron));
      });

      await test.step("a run that fails says why, and not what", async () => {
        await server
          .sql`select vault.update_secret(id, 'canary') from vault.secrets where name = 'cron_secret_key'`;
        await server.restartUntil("does not look like sb_secret_");
        assert(!server.log().includes("canary"));
        assertEquals(await takeQueued(server.sql), []);
      });

      await test.step("old runs are forgotten, and the schedule ends when it is told to", async () => {
        const { sql } = server;
        await sql`select vault.update_secret(id, 'sb_secret_x') from vault.secrets where name = 'cron_secret_key'`;
        await sql`insert into cron.job_run_details (jobid, username, status, end_time)
          select jobid, username, 'old', now() - interval '8 days' from cron.job`;
        await sql`select oauth.request_sweep(10000)`;
        assertEquals((await sql`select from cron.job_run_details where status = 'old'`).count, 0);
        assert((await sql`select from cron.job_run_details`).count > 0);
        const unschedule = () => sql`select oauth.unschedule_sweep() as ended`.then(([row]) => row?.ended);
        assertEquals([await unschedule(), await unschedule()], [true, false]);
        assertEquals((await sql`select from cron.job`).count, 0);
      });
    } finally {
      await server.stop();
    }
  },
});
