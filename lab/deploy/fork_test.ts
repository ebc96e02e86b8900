/** A fork may delete lab/: what the root offers works without it, and what wants it says so. */
import { projectFiles } from "../../tests/support/project.ts";
import { assert, assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { copyProject } from "./project_copy.ts";
import { addOwnThings } from "./own_things.ts";
import { addFunction, addLines, addProvider, readRecipes } from "./recipes.ts";

/** What says that it may not be there, and that nothing imports it. Pages may point to it; nothing else knows of it. */
const KNOW_OF_IT = [".ci/run", "deno.json", "tests/ok.ts", "tests/unit/import_rules_test.ts"];
/** The stack from end to end, the database, a script's own test: each kind of what a fork keeps. And all that could count. */
const SOME_TESTS = [
  ...["tests/e2e/story_test.ts", "tests/database/pgtap_test.ts", "tests/unit/versions_test.ts"],
  ...["tests/own_test.ts", "tests/database/grants_test.ts", "tests/unit/import_rules_test.ts"],
  ...["tests/unit/providers", "tests/unit/proxy", "tests/unit/support", "tests/functions"],
];
/** Of the lab: what describes or counts functions, providers and migrations. */
const DESCRIPTIONS = [
  ...["docs/architecture_test.ts", "docs/openapi_test.ts", "docs/upgrading_test.ts"],
  ...["deploy/db_push_test.ts", "deploy/deploy_test.ts"],
];

Deno.test("nothing that a fork keeps knows of lab/, but for what says that it may be gone", async () => {
  const found: string[] = [];
  for (const path of await projectFiles()) {
    if (/^lab\/|\.(md|png)$/.test(path)) continue;
    const text = await Deno.readTextFile(new URL(`../../${path}`, import.meta.url));
    if (/\blab\//.test(text)) found.push(path);
  }
  assertEquals(found, KNOW_OF_IT);
});

Deno.test("with both recipes of docs/ followed, and things of its own beside ours, a fork's gate is green; without lab/ everything else passes", async (t) => {
  const fork = await Deno.makeTempDir({ prefix: "fork-" });
  try {
    await copyProject(fork);
    const recipes = await readRecipes();
    for (const follow of [addProvider, addLines, addFunction]) await follow(fork, recipes);
    await addOwnThings(fork);
    const task = async (...args: string[]) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", ...args],
        cwd: fork,
        env: { NO_COLOR: "1" },
      }).output();
      return { code, printed: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
    };
    await t.step("the pages that describe functions and providers are as true as before", async () => {
      const { code, printed } = await task("lab", ...DESCRIPTIONS);
      assertEquals(code, 0, printed);
    });
    await Deno.remove(`${fork}/lab`, { recursive: true });
    await t.step(
      "deno task ok: formatting, lint, import rules, versions, types; and it skips the lab",
      async () => {
        const { code, printed } = await task("ok", "checks", "lab");
        assertEquals(code, 0, printed);
        for (const name of ["formatting", "lint", "import rules", "versions", "types"]) {
          assert(printed.includes(`── ${name}\n`), printed);
        }
        assertMatch(printed, /── how we know: skipped, there is no lab\/\n\n0 passed, 0 failed\n/);
      },
    );
    await t.step("deno task test", async () => {
      const { code, printed } = await task("test", ...SOME_TESTS);
      assertEquals(code, 0, printed);
      assertMatch(printed, /\n[1-9]\d* passed, 0 failed\n/);
    });
    for (const name of ["lab", "model", "chaos", "bench"]) {
      await t.step(`deno task ${name} says what is missing`, async () => {
        const { code, printed } = await task(name);
        assertEquals(code, 1, printed);
        assertMatch(printed, /^cd: lab: /m);
      });
    }
  } finally {
    await Deno.remove(fork, { recursive: true });
  }
});
