/**
 * `supabase db push` with the real CLI, onto an empty PostgreSQL 17 dressed as a new Supabase project: what comes out
 * keeps every promise that the database makes, and the types checked in are its types.
 */
import { join } from "node:path";
import postgres from "postgres";
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { OURS } from "../../local/stack/migrations.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { openRest } from "../../local/stack/rest.ts";
import { assert, assertEquals, assertMatch, assertNotEquals } from "../../tests/support/assert.ts";
import { complaints, pgtapFiles, readPgtapFile } from "../../tests/support/pgtap.ts";
import { generateTypes, TYPES_FILE } from "../../tools/database_types.ts";
import type { SupabaseCli } from "../../tools/supabase_cli.ts";
import { type Clone, warnings, withClone } from "./clone.ts";
import { copyProject, write } from "./project_copy.ts";

/** What the advisors say of us and we keep, by `cache_key`, each with its reason. Empty: nothing. */
const REVIEWED: Readonly<Record<string, string>> = {};

Deno.test("db push builds the database, once", async (t) => {
  await withEmptyProject(async ({ supabase, url, server_url, folder, connect }) => {
    const push = () => supabase("db", "push", `--remote=${url}`, "--yes");
    const files = [...Deno.readDirSync(join(folder, "supabase/migrations"))].map(({ name }) => name).sort();

    const first = await push();
    await t.step("every migration is applied, in order", async () => {
      const applied = [...first.stderr.matchAll(/^Applying migration (\S+\.sql)/gm)].map(([, name]) => name);
      assertEquals(applied, files);
      const sql = connect();
      const history = await sql`select version || '_' || name || '.sql' as file
        from supabase_migrations.schema_migrations order by version`;
      assertEquals(history.map(({ file }) => file), files);
    });
    await t.step("config.toml brings no warning", () => assertEquals(warnings(first.stderr), []));
    await t.step("the second time there is nothing to do", async () => {
      const second = await push();
      assertMatch(second.stdout, /Remote database is up to date/);
      assert(!second.stderr.includes("Applying"));
    });
    await t.step("the advisors have nothing to say that was not reviewed", async () => {
      const found = await advisors(supabase, url);
      assertEquals(found.filter((key) => !(key in REVIEWED)), []);
      assertEquals(Object.keys(REVIEWED).filter((key) => !found.includes(key)), []);
    });
    await t.step("the types checked in are the database's", async () => {
      const generated = await generateTypes(supabase, server_url);
      const hint = "the migrations offer something else: deno task types";
      assertEquals(await Deno.readTextFile(TYPES_FILE), generated, hint);
    });
    await t.step(
      "with a fork's own migrations, whenever they were made, every pgTAP file passes",
      async () => {
        await copyProject(folder, (path) => /^supabase\/migrations\//.test(path));
        await supabase("db", "push", "--include-all", `--remote=${url}`, "--yes");
        // As `supabase test db` does before it runs any.
        await connect()`create extension if not exists pgtap with schema extensions`;
        const names = await pgtapFiles();
        assert(names.length > 0);
        for (const name of names) {
          assertEquals([name, await complaints(connect(), await readPgtapFile(name))], [name, []]);
        }
      },
    );
    await t.step("a push brings no user; the seed, asked for, brings one who can sign in", async () => {
      const sql = connect();
      const users = async () => (await sql`select email from auth.users`).map(({ email }) => email);
      assertEquals(await users(), []);
      // Auth's own, which the library that stands in for it does without.
      await sql`alter table auth.users add column instance_id uuid`;
      await supabase("db", "push", "--include-seed", `--remote=${url}`, "--yes");
      assertEquals(await users(), ["demo@example.com"]);
      assertEquals(await signIn(server_url, "demo@example.com", "demo-password"), 200);
      assertEquals(await signIn(server_url, "demo@example.com", "another"), 400);
    });
    await t.step("a table open to everyone would have been noticed by both", async () => {
      await write(
        join(folder, "supabase/migrations/20991231235959_open.sql"),
        "create table public.open (id bigint primary key); grant select on public.open to anon;",
      );
      await push();
      const found = await advisors(supabase, url);
      assertEquals(found.filter((key) => key.endsWith("_open")), ["rls_disabled_in_public_public_open"]);
      assertNotEquals(await generateTypes(supabase, server_url), await Deno.readTextFile(TYPES_FILE));
    });
  });
});

interface EmptyProject extends Clone {
  /** Of the superuser. */
  readonly server_url: string;
  /** The same, for `--remote`. */
  readonly url: string;
  /** A connection of one's own, closed with the project. */
  connect(): postgres.Sql;
}

/** A clone, and a database that has only what a new project has. */
async function withEmptyProject(work: (project: EmptyProject) => Promise<void>): Promise<void> {
  const server = await startPostgres();
  const clients: postgres.Sql[] = [];
  const connect = () => {
    const client = postgres(server.url, { max: 1, onnotice: () => {} });
    clients.push(client);
    return client;
  };
  try {
    await prepareDatabase(server.url);
    const url = `${server.url}?sslmode=disable`;
    await withClone((clone) => work({ ...clone, server_url: server.url, url, connect }), isOurs);
  } finally {
    await Promise.all(clients.map((client) => client.end()));
    await server.stop();
  }
}

/** All but a fork's own migrations. */
function isOurs(path: string): boolean {
  const [, migration] = /^supabase\/migrations\/(.+)/.exec(path) ?? [];
  return migration === undefined || OURS.test(migration);
}

/** The status of Auth's answer to a password. */
async function signIn(database_url: string, email: string, password: string): Promise<number> {
  const publishable_key = `sb_publishable_${crypto.randomUUID()}`;
  const secret_key = `sb_secret_${crypto.randomUUID()}`;
  const rest = await openRest({ database_url, publishable_key, secret_key, jwt_secret: "x".repeat(32) });
  try {
    const answer = await rest.fetch(
      new Request("http://localhost/auth/v1/token?grant_type=password", {
        method: "POST",
        headers: { apikey: publishable_key, "content-type": "application/json" },
        body: JSON.stringify({ email, password }),
      }),
    );
    await answer.body?.cancel();
    return answer.status;
  } finally {
    await rest.close();
  }
}

/** What is worth a warning or more, by its key. */
async function advisors(supabase: SupabaseCli, url: string): Promise<string[]> {
  const args = ["db", "advisors", "--type=all", "--level=warn", `--remote=${url}`];
  const { stdout, stderr } = await supabase(...args);
  if (stdout === "" && stderr.includes("No issues found")) return [];
  const found: { cache_key: string }[] = JSON.parse(stdout);
  return found.map(({ cache_key }) => cache_key).sort();
}
