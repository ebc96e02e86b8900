import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { type TestDatabase, withDatabase } from "../support/database.ts";
import { complaints, pgtapFiles, readPgtapFile } from "../support/pgtap.ts";

Deno.test("the database keeps its promises", async (test) => {
  await withDatabase(async (database) => {
    const files = await pgtapFiles();
    assert(files.length > 0, "there are no pgTAP files");
    // As `supabase test db` does before it runs any.
    await database.connect()`create extension if not exists pgtap with schema extensions`;
    for (const file of files) {
      await test.step(file, async () => {
        assertEquals(await complaintsOf(database, await readPgtapFile(file)), []);
      });
    }
    await test.step("and nothing of the tests stays", async () => {
      const [left] = await database.connect()`
        select count(*)::int as schemas from pg_namespace where nspname = 'oauth_tests'`;
      assertEquals(left?.schemas, 0);
    });
  });
});

Deno.test("a pgTAP file that is not in order is noticed", async (test) => {
  await withDatabase(async (database) => {
    const run = (body: string) =>
      complaintsOf(
        database,
        `begin; create extension pgtap with schema extensions; ${body}; select * from finish(); rollback;`,
      );
    await test.step("one that is in order brings no complaint", async () => {
      assertEquals(await run("select plan(1); select ok(true, 'fine')"), []);
    });
    await test.step("a promise that is not kept", async () => {
      const [first] = await run("select plan(1); select ok(false, 'broken')");
      assert(first?.startsWith("not ok 1 - broken"), first);
    });
    await test.step("fewer promises than planned", async () => {
      assertEquals(await run("select plan(2); select ok(true)"), [
        "# Looks like you planned 2 tests but ran 1",
      ]);
    });
    await test.step("no promise at all", async () => {
      assertEquals(await complaintsOf(database, "begin; select 1; rollback;"), ["no assertion was made"]);
    });
    await test.step("an error", async () => {
      await assertRejects(() => run("select plan(1); select 1 / 0"), Error, "division by zero");
    });
  });
});

/** On a connection of its own, as `supabase test db` gives each file one. */
async function complaintsOf(database: TestDatabase, text: string): Promise<string[]> {
  const sql = database.connect();
  try {
    return await complaints(sql, text);
  } finally {
    await sql.end();
  }
}
