/** The database under the stack: PostgreSQL from npm, what a new project has, and the migrations' history. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { applyMigrations } from "../../local/stack/migrations.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { splitStatements } from "../../local/stack/statements.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../../tests/support/assert.ts";

async function withFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

async function withServer(
  dir: string,
  work: (sql: postgres.Sql, url: string) => Promise<void>,
): Promise<void> {
  const server = await startPostgres({ dir });
  const sql = postgres(server.url, { max: 1, onnotice: () => {} });
  try {
    await work(sql, server.url);
  } finally {
    await sql.end();
    await server.stop();
  }
}

Deno.test("a database kept in a folder is a new project's, and keeps what it learnt", async (t) => {
  await withFolder(async (dir) => {
    const data = join(dir, "postgres");
    const migrations = pathToFileURL(join(dir, "migrations") + "/");
    const write = (file: string, text: string) => Deno.writeTextFile(new URL(file, migrations), text);
    await Deno.mkdir(migrations);
    await write(
      "20260101000000_notes.sql",
      "create table public.notes (id integer);\n-- a comment; no statement\n",
    );

    await withServer(data, async (sql, url) => {
      await t.step("it is UTF-8 whatever the machine's language, and PostgreSQL 17", async () => {
        const [row] = await sql`select current_setting('server_encoding') as encoding,
          current_setting('server_version') as version`;
        assertEquals([row?.encoding, row?.version.split(".")[0]], ["UTF8", "17"]);
      });

      await t.step("it listens on loopback only, and only with its password", async () => {
        const [row] = await sql`select current_setting('listen_addresses') as addresses`;
        assertEquals(row?.addresses, "127.0.0.1");
        const other = postgres(url.replace(/postgres:[^@]+@/, "postgres:guess@"), { max: 1 });
        await assertRejects(() => other`select 1`, postgres.PostgresError, "password authentication failed");
        await other.end();
      });

      await t.step(
        "preparing it gives the roles, pgcrypto and auth.uid(), and may be done twice",
        async () => {
          await prepareDatabase(url);
          await prepareDatabase(url);
          const uid = crypto.randomUUID();
          const [row] = await sql.begin(async (begun) => {
            await begun.unsafe(`set local role authenticated`);
            await begun.unsafe(`set local request.jwt.claims = '${JSON.stringify({ sub: uid })}'`);
            return await begun.unsafe(
              `select auth.uid() as uid, length(extensions.gen_random_bytes(4)) as bytes`,
            );
          });
          assertEquals([row?.uid, row?.bytes], [uid, 4]);
        },
      );

      await t.step("pgTAP can be installed", async () => {
        await sql`create extension pgtap with schema extensions`;
        const newcomer = postgres(url, { max: 1, onnotice: () => {} });
        const lines = await newcomer.unsafe("select plan(1); select ok(true, 'it counts')").simple();
        await newcomer.end();
        assertEquals(lines.flat().map((row) => row.plan ?? row.ok), ["1..1", "ok 1 - it counts"]);
      });

      await t.step("a migration is applied once and remembered as the CLI remembers it", async () => {
        assertEquals(await applyMigrations(url, { folder: migrations }), ["20260101000000_notes.sql"]);
        assertEquals(await applyMigrations(url, { folder: migrations }), []);
        const rows = await sql`select version, name, statements from supabase_migrations.schema_migrations`;
        const statements = ["create table public.notes (id integer)", "-- a comment; no statement"];
        assertEquals([...rows], [{ version: "20260101000000", name: "notes", statements }]);
      });

      await t.step("a migration that fails names file and line, and leaves nothing behind", async () => {
        await write(
          "20260102000000_broken.sql",
          "create table public.half (id integer);\n\nselect nonsense;\n",
        );
        const { message } = await assertRejects(() => applyMigrations(url, { folder: migrations }), Error);
        assertStringIncludes(message, `"20260102000000_broken.sql" failed: column "nonsense" does not exist`);
        assertStringIncludes(message, "(42703, line 3)");
        const [row] = await sql`select to_regclass('public.half') as half, count(*)::int as applied
          from supabase_migrations.schema_migrations`;
        assertEquals([row?.half, row?.applied], [null, 1]);
      });

      await t.step("a second server on the same folder is refused", async () => {
        await assertRejects(() => startPostgres({ dir: data }), Error, "in use by another program");
      });
    });

    await t.step("the next server finds the tables", async () => {
      await withServer(data, async (sql) => {
        assertEquals((await sql`select count(*)::int as rows from public.notes`)[0]?.rows, 0);
      });
    });
  });
});

Deno.test("a server that cannot start says why in PostgreSQL's words", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { message } = await assertRejects(() => startPostgres({ port: listener.addr.port }), Error);
  listener.close();
  assertStringIncludes(message, "Address already in use");
});

Deno.test("statements end at semicolons that are not inside something", () => {
  const body = "begin; -- one\n select ';'; end";
  const script = `create function f() as $x$${body}$x$; /* ; */ select 'it''s;' as "a;b"; `;
  assertEquals(splitStatements(script), [
    `create function f() as $x$${body}$x$`,
    `/* ; */ select 'it''s;' as "a;b"`,
  ]);
});
