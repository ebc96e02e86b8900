/** The SQL of docs/upgrading.md does what the page says: it exports, removes one user, removes everything. */
import type postgres from "postgres";
import { applyMigrations } from "../../local/stack/migrations.ts";
import { type ServedSandbox, serveSandbox } from "../../local/sandbox/mod.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { projectVersion } from "../../tools/version.ts";
import { withDatabase } from "../../tests/support/database.ts";
import { connect, contextOn, KEYS } from "../../tests/support/make.ts";
import { codeBlocks, read } from "../support/pages.ts";
import { openSqlRpc } from "../../tests/support/sql_rpc.ts";
import { assert, assertEquals, assertMatch } from "../../tests/support/assert.ts";

const CLIENT = { client_id: "client", client_secret: crypto.randomUUID() };
const CALLBACK = "https://project.example/functions/v1/oauth-callback";
const ENDER = new URL("../../tools/disconnect_all.ts", import.meta.url).pathname;

Deno.test("docs/upgrading.md: what its SQL says happens", async (t) => {
  const [versions, exporting, removingOne, removingAll, ...more] = await codeBlocks("upgrading.md", "sql");
  assert(versions && exporting && removingOne && removingAll);
  assertEquals(more, []);
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
          assertMatch(partly.output, /is left: [\s\S]*1 ended, 1 left/);
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

      await t.step("removing everything leaves nothing of ours, and it can be installed again", async () => {
        const before = await othersObjects(sql);
        await sql.unsafe(removingAll).simple();
        assertEquals(await ourObjects(sql), []);
        assertEquals(await othersObjects(sql), before);
        assertEquals((await applyMigrations(database.url)).length, (await migrationVersions()).length);
        assert((await ourObjects(sql)).length > 10);
      });
    });
  } finally {
    await sandbox.stop();
  }
});

Deno.test("CHANGELOG.md and the document agree on the version, which is written once", async () => {
  const version = await projectVersion();
  assertEquals(JSON.parse(await read("docs/openapi.json")).info.version, version);
  assertMatch(await read("CHANGELOG.md"), new RegExp(`^## \\[${version}\\] - \\d{4}-\\d{2}-\\d{2}$`, "m"));
});

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
  return files.filter((name) => name.endsWith(".sql")).map((name) => name.slice(0, 14)).toSorted();
}

/** Whatever bears our name, wherever it is. */
function ourObjects(sql: postgres.Sql): Promise<string[]> {
  return objects(sql, true);
}

function othersObjects(sql: postgres.Sql): Promise<string[]> {
  return objects(sql, false);
}

async function objects(sql: postgres.Sql, ours: boolean): Promise<string[]> {
  const rows = await sql<{ name: string; ours: boolean }[]>`
    select name, name ~ '(^|\\.)oauth[._]|^oauth$' as ours from (
      select nspname::text as name from pg_namespace where nspname !~ '^pg_(temp|toast_temp)'
      union all select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname !~ '^pg_|^information_schema$' and c.relkind in ('r', 'v', 'S', 'i')
      union all select n.nspname || '.' || p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace
      where n.nspname !~ '^pg_|^information_schema$'
      union all select 'job ' || version from supabase_migrations.schema_migrations where version not like '20261101%'
    ) as found order by name`;
  return rows.filter((row) => row.ours === ours).map(({ name }) => name);
}
