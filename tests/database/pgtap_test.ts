import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { type TestDatabase, withDatabase } from "../support/database.ts";

const FOLDER = new URL("../../supabase/tests/", import.meta.url);

Deno.test("the database keeps its promises", async (test) => {
  await withDatabase(async (database) => {
    const files = await sqlFiles();
    assert(files.length > 0, "there are no pgTAP files");
    for (const file of files) {
      await test.step(file, async () => {
        assertEquals(await complaints(database, await Deno.readTextFile(new URL(file, FOLDER))), []);
      });
    }
  });
});

Deno.test("a pgTAP file that is not in order is noticed", async (test) => {
  await withDatabase(async (database) => {
    const run = (body: string) =>
      complaints(
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
      assertEquals(await complaints(database, "begin; select 1; rollback;"), ["no assertion was made"]);
    });
    await test.step("an error", async () => {
      await assertRejects(() => run("select plan(1); select 1 / 0"), Error, "division by zero");
    });
  });
});

async function sqlFiles(): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(FOLDER)) {
    if (isFile && name.endsWith(".sql")) names.push(name);
  }
  return names.sort();
}

/** Runs a file on a connection of its own, as `supabase test db` does, and returns what is wrong. */
async function complaints(database: TestDatabase, text: string): Promise<string[]> {
  const sql = database.connect();
  try {
    const answers: unknown = await sql.unsafe(text).simple();
    const lines = texts(answers).flatMap((answer) => answer.split("\n"));
    const failed = lines.filter((line) => /^not ok|^# (Looks like|Failed| +have:| +want:)/.test(line));
    return lines.some((line) => /^(not )?ok\b/.test(line)) ? failed : [...failed, "no assertion was made"];
  } finally {
    await sql.end();
  }
}

/** One result is an array of rows; of several statements there is an array of results. */
function texts(value: unknown): string[] {
  if (typeof value === "string") return [value];
  return value !== null && typeof value === "object" ? Object.values(value).flatMap(texts) : [];
}
