/**
 * Whatever a project grants by default: our objects are granted to the same roles everywhere, the defaults stay, and
 * the project's own next objects get what they would have got without us.
 */
import postgres from "postgres";
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { applyMigrations, OURS } from "../../local/stack/migrations.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { Undo } from "../../local/stack/undo.ts";
import { assert, assertEquals, assertNotEquals } from "../support/assert.ts";
import { readPrivileges } from "../support/catalogue.ts";
import { complaints, readPgtapFile } from "../support/pgtap.ts";

const OLD = `
  alter default privileges in schema public grant all on tables to anon, authenticated, service_role;
  alter default privileges in schema public grant all on sequences to anon, authenticated, service_role;
  alter default privileges in schema public grant all on functions to anon, authenticated, service_role;`;

/** What a project has before its first migration, by what it is known for. */
const PROJECTS: Readonly<Record<string, string>> = {
  "without defaults of its own": "",
  "made before the end of May 2026": OLD,
  // What does not read or write by the API is left by Supabase: truncate, references, trigger.
  "made since": `${OLD}
    alter default privileges in schema public
      revoke select, insert, update, delete on tables from anon, authenticated, service_role;
    alter default privileges in schema public
      revoke usage, select on sequences from anon, authenticated, service_role;
    alter default privileges in schema public
      revoke execute on functions from anon, authenticated, service_role;`,
  "that lets nobody execute what is new": "alter default privileges revoke execute on functions from public;",
  "that grants everything to everyone, wherever it is": `
    alter default privileges grant all on schemas to anon, authenticated, service_role;
    alter default privileges grant all on tables to public, anon, authenticated, service_role;
    alter default privileges grant all on sequences to public, anon, authenticated, service_role;
    alter default privileges grant all on functions to anon, authenticated, service_role;
    alter default privileges grant all on types to anon, authenticated, service_role;`,
};

/** What the project makes next, in its own schemas. */
const NEXT = `
  create table public.theirs (id bigint generated always as identity, note text);
  create view public.of_theirs as select id from public.theirs;
  create sequence public.counted;
  create function public.done() returns integer language sql as 'select 1';
  create function extensions.done() returns integer language sql as 'select 1';
  create domain public.word as text;
  create schema theirs;
  create table theirs.more (id bigint primary key);`;

/** For every role to assert with, also where nobody may execute what is new. */
const PGTAP = `
  create extension pgtap with schema extensions;
  grant execute on all functions in schema extensions to public;`;

Deno.test("whatever a project grants by default, ours is granted the same and its own as if we were not there", async (t) => {
  const stop = new Undo();
  try {
    const server = await startPostgres();
    stop.add(() => server.stop());
    const admin = open(server.url);
    stop.add(() => admin.end());
    const next = new Map<string, string[]>();
    const ours = new Map<string, string[]>();
    for (const [index, [project, defaults]] of Object.entries(PROJECTS).entries()) {
      await t.step(`a project ${project}`, async () => {
        await admin.unsafe(`create database project_${index}`);
        const url = server.url.replace(/[^/]+$/, `project_${index}`);
        await prepareDatabase(url);
        const sql = open(url);
        stop.add(() => sql.end());
        await sql.unsafe(defaults).simple();
        const [before, own] = [await readPrivileges(sql), await nextOnes(sql)];
        await applyMigrations(url, { only: OURS });
        const after = await readPrivileges(sql);
        assertEquals(ofDefaults(after), ofDefaults(before));
        assertEquals(await nextOnes(sql), own);
        assertEquals(before.filter((line) => !after.includes(line)), []);
        next.set(project, own);
        ours.set(
          project,
          after.filter((line) => !before.includes(line) && !/ supabase_migrations\b/.test(line)),
        );
        await sql.unsafe(PGTAP).simple();
        for (const file of ["01_schema.sql", "02_roles.sql"]) {
          assertEquals(await complaints(sql, await readPgtapFile(file)), []);
        }
      });
    }
    const [first = [], ...others] = ours.values();
    assert(first.length >= 60, `only ${first.length} objects`);
    for (const other of others) assertEquals(other, first);
    const [bare, ...generous] = next.values();
    for (const own of generous) assertNotEquals(own, bare, "these defaults change nothing: nothing is shown");
  } finally {
    await stop.run();
  }
});

function open(url: string): postgres.Sql {
  return postgres(url, { max: 1, onnotice: () => {} });
}

/** What the project's next objects would be granted, were they made now. */
async function nextOnes(sql: postgres.Sql): Promise<string[]> {
  const before = await readPrivileges(sql);
  await sql.unsafe(`begin; ${NEXT}`).simple();
  const after = await readPrivileges(sql);
  await sql`rollback`;
  return after.filter((line) => !before.includes(line));
}

function ofDefaults(lines: readonly string[]): string[] {
  return lines.filter((line) => line.startsWith("default "));
}
