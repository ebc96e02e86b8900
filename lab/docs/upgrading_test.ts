/** The SQL of docs/upgrading.md does what the page says: it exports, removes one user, removes everything. */
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { applyMigrations, OURS } from "../../local/stack/migrations.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { type ServedSandbox, serveSandbox } from "../../local/sandbox/mod.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { projectVersion } from "../../tools/version.ts";
import { withDatabase } from "../../tests/support/database.ts";
import { connect, contextOn, KEYS } from "../../tests/support/make.ts";
import { standIn } from "../schedule/stand_ins.ts";
import { codeBlocks, read } from "../support/pages.ts";
import { openSqlRpc } from "../../tests/support/sql_rpc.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { readCatalogue } from "../../tests/support/catalogue.ts";

const CLIENT = { client_id: "client", client_secret: crypto.randomUUID() };
const CALLBACK = "https://project.example/functions/v1/oauth-callback";
const ENDER = new URL("../../tools/disconnect_all.ts", import.meta.url).pathname;

Deno.test("docs/upgrading.md: what its SQL says happens", async (t) => {
  const { versions, exporting, removingOne } = await pageSql();
  const sandbox = await serveSandbox({ ...CLIENT, redirect_uri: `${CALLBACK}/pipedrive` });
  try {
    await withDatabase(async (database) => {
      const sql = database.connect();
      await withConnections(sql, database.url, sandbox);

      await t.step("every migration is of the version that the page lists", async () => {
        const listed = await sql.unsafe(versions);
        assertEquals(listed.map(({ version }) => version), await migrationVersions());
      });

      await t.step("the export has every connection with its events, and no token", async () => {
        const [row] = await sql.unsafe(exporting);
        const all: { user_email: string; events: { kind: string }[] }[] = JSON.parse(row?.export);
        assertEquals(all.map(({ user_email }) => user_email).toSorted(), [
          "ana@example.com",
          "somebody@example.com",
        ]);
        for (const { events } of all) assertEquals(events.map(({ kind }) => kind), ["connected"]);
        assert(!/v1\.[\w-]+\.|sealed|\d+:\d+:[0-9a-f]{40}/.test(row?.export));
      });

      await t.step(
        "disconnect_all only counts, then revokes and erases, and names what it could not revoke",
        async () => {
          assertMatch((await endAll(database.url, sandbox)).output, /^2 connections hold tokens\.\n$/);
          await sandbox.control.fail_next({ on: "revoke", how: "503" });
          const partly = await endAll(database.url, sandbox, "--yes");
          assertEquals(partly.code, 1, partly.output);
          assertMatch(partly.output, /is left: [\s\S]*2 ended, 1 left to be revoked/);
          const rest = await endAll(database.url, sandbox, "--yes");
          assertEquals(rest.code, 0, rest.output);
          assertEquals((await sandbox.control.installations()).filter(({ version }) => version > 0), []);
          assertEquals([...await sql`select 1 from oauth.token_sets`], []);
          assertEquals(
            new Set((await sql`select status from oauth.connections`).map(({ status }) => status)),
            new Set(["disconnected"]),
          );
        },
      );

      await t.step("removing a user removes all that was theirs, and nobody else's", async () => {
        await sql.unsafe(removingOne);
        const left = await sql`select u.email from oauth.connections c join auth.users u on u.id = c.user_id`;
        assertEquals(left.map(({ email }) => email), ["ana@example.com"]);
        assertEquals((await sql`select distinct connection_id from oauth.events`).length, 1);
      });
    });
  } finally {
    await sandbox.stop();
  }
});

/** What a project may have that sounds like ours, its own migration of the same day included. */
const THEIRS = `
  create view public.oauth_apps as select 1 as id;
  create table public.oauth_tokens (id bigint generated always as identity primary key, note text default 'x');
  create function public.oauth_sign_in(text) returns text language sql as 'select $1';
  create function public.oauth_count() returns bigint language sql as 'select count(*) from public.oauth_tokens';
  create type public.oauth_flow as enum ('code');
  create schema oauth_of_theirs;
  create table oauth_of_theirs.connections (id bigint primary key);
  create policy "Everybody hears" on realtime.messages for select to authenticated using (true);
  select cron.schedule('oauth-report', '* * * * *', 'select 1');`;

Deno.test("docs/upgrading.md: with everything removed, a database is what it was before", async (t) => {
  const { removingAll, forgettingSecrets } = await pageSql();
  const project = await Deno.makeTempDir();
  const server = await startPostgres();
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  const migrate = async (text: string) => {
    await Deno.writeTextFile(`${project}/20261101000150_theirs.sql`, text);
    await applyMigrations(server.url, { folder: pathToFileURL(`${project}/`) });
  };
  try {
    await prepareDatabase(server.url);
    await standIn(sql, "pg_cron", "pg_net", "supabase_vault", "realtime");
    await migrate(THEIRS);
    const before = await readCatalogue(sql);
    await applyMigrations(server.url, { only: OURS });
    const installed = await readCatalogue(sql);
    await useAll(sql);

    await t.step("what of theirs refers to ours is told, and nothing has changed", async () => {
      await sql`create view public.oauth_report as select id from public.oauth_connections`;
      const found = await readCatalogue(sql);
      const refused = await assertRejects(() => sql.unsafe(removingAll).simple(), postgres.PostgresError);
      assertMatch(String(refused.detail), /view (public\.)?oauth_report depends on view/);
      await sql`rollback`;
      assertEquals(await readCatalogue(sql), found);
      await sql`drop view public.oauth_report`;
    });

    await t.step("what is ours is gone, and what is theirs is there, a namesake too", async () => {
      await sql`create function public.oauth_peek(text) returns text language sql as 'select $1'`;
      await sql.unsafe(removingAll).simple();
      await sql`drop function public.oauth_peek(text)`;
      assertEquals(await readCatalogue(sql), before);
      assertEquals(await names(sql`select jobname as name from cron.job`), ["oauth-report"]);
      const history = sql`select name from supabase_migrations.schema_migrations`;
      assertEquals(await names(history), ["theirs"]);
    });

    await t.step("the secrets of the schedule go when they are told to", async () => {
      await sql.unsafe(forgettingSecrets);
      assertEquals(await names(sql`select name from vault.secrets`), ["another"]);
    });

    await t.step("it can be installed again, as the first time", async () => {
      assertEquals(
        (await applyMigrations(server.url, { only: OURS })).length,
        (await migrationVersions()).length,
      );
      assertEquals(await readCatalogue(sql), installed);
    });
  } finally {
    await sql.end();
    await server.stop();
    await Deno.remove(project, { recursive: true });
  }
});

Deno.test("CHANGELOG.md and the document agree on the version, which is written once", async () => {
  const version = await projectVersion();
  assertEquals(JSON.parse(await read("docs/openapi.json")).info.version, version);
  assertMatch(await read("CHANGELOG.md"), new RegExp(`^## \\[${version}\\] - \\d{4}-\\d{2}-\\d{2}$`, "m"));
});

/** The page's SQL, in its order. */
async function pageSql() {
  const [versions, exporting, removingOne, removingAll, forgettingSecrets, ...more] = await codeBlocks(
    "upgrading.md",
    "sql",
  );
  assert(versions && exporting && removingOne && removingAll && forgettingSecrets);
  assertEquals(more, []);
  return { versions, exporting, removingOne, removingAll, forgettingSecrets };
}

async function names(asked: Promise<readonly postgres.Row[]>): Promise<string[]> {
  return (await asked).map(({ name }) => name);
}

/** A connection, its history, the schedule and the live events, and what the import leaves. */
async function useAll(sql: postgres.Sql): Promise<void> {
  const [id, user_id] = [crypto.randomUUID(), crypto.randomUUID()];
  await sql`select vault.create_secret('https://project.supabase.co', 'project_url'),
    vault.create_secret('sb_secret_x', 'cron_secret_key'), vault.create_secret('x', 'another')`;
  await sql`select oauth.schedule_sweep(), oauth.start_live_events()`;
  await sql`insert into auth.users (id) values (${user_id})`;
  await sql`select public.oauth_connect(${id}, ${user_id}, 'pipedrive', '1:2', null, null, 'base',
    'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, null)`;
  await sql`create table oauth.imported_rows (id text primary key)`;
}

/** Two users with one connection each, whose tokens the sandbox knows. */
async function withConnections(sql: postgres.Sql, url: string, { control }: ServedSandbox): Promise<void> {
  const rpc = await openSqlRpc(url);
  try {
    const context = await contextOn(supabaseStore(rpc));
    for (
      const [email, user] of [["ana@example.com", "7100201:11"], [
        "somebody@example.com",
        "7100302:23",
      ]] as const
    ) {
      const user_id = crypto.randomUUID();
      await sql`insert into auth.users (id, email) values (${user_id}, ${email})`;
      const { refresh_token } = await control.grant({ user });
      await connect(context, { user_id, account_key: user, refresh_token });
    }
  } finally {
    await rpc.close();
  }
}

async function endAll(url: string, { origin }: ServedSandbox, ...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ENDER, "--to", url, ...args],
    env: {
      PIPEDRIVE_CLIENT_ID: CLIENT.client_id,
      PIPEDRIVE_CLIENT_SECRET: CLIENT.client_secret,
      PIPEDRIVE_OAUTH_ORIGIN: origin,
      TOKEN_ENCRYPTION_KEYS: KEYS,
      APP_URL: "https://app.example",
      OAUTH_CALLBACK_URL: CALLBACK,
      NO_COLOR: "1",
    },
  }).output();
  return { code, output: new TextDecoder().decode(stderr) + new TextDecoder().decode(stdout) };
}

async function migrationVersions(): Promise<string[]> {
  const files = [];
  for await (const { name } of Deno.readDir(new URL("../../supabase/migrations/", import.meta.url))) {
    files.push(name);
  }
  return files.filter((name) => OURS.test(name)).map((name) => name.slice(0, 14)).toSorted();
}
