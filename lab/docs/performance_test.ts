/** docs/performance.md is what the bench wrote: every subject on every runtime, each figure with what limits it. */
import { HOSTED_DENO } from "../../tests/hosted_runtime.ts";
import { assert, assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { GOALS } from "../bench/goals.ts";
import { SUBJECTS } from "../bench/subjects/all.ts";
import { read, tableRows } from "../support/pages.ts";

const page = await read("docs/performance.md");

Deno.test("docs/performance.md says which sizes it has, and how to measure them again", () => {
  const command = /^Written by `deno task (bench(?: --quick)?)`/m.exec(page)?.[1];
  assertMatch(
    page,
    command === "bench" ? /This is a full run/ : /This is a quick run .*take no figure from it/,
  );
  assertMatch(page, /^\| Date \| \d{4}-\d{2}-\d{2} \|$/m);
  const versions = /^\| Versions \| (.*) \|$/m.exec(page)?.[1];
  for (const version of [Deno.version.deno, HOSTED_DENO]) {
    assert(versions?.includes(`Deno ${version}`), version);
  }
});

Deno.test("docs/performance.md has each subject, on each runtime that it is about", () => {
  const headings = Array.from(page.matchAll(/^## (.*)$/gm), ([, heading]) => heading);
  assertEquals(headings.slice(1, -2), SUBJECTS.map(({ title }) => title));
  for (const { title, on_each_runtime } of SUBJECTS) {
    const runtimes = on_each_runtime ? [`, Deno ${Deno.version.deno}`, `, Deno ${HOSTED_DENO}`] : [""];
    for (const runtime of runtimes) assert(tableRows(page, title + runtime).length > 0, title + runtime);
  }
});

Deno.test("docs/performance.md sets each figure that is to be reached beside what was measured", () => {
  const rows = tableRows(page, "The figures to reach");
  assertEquals(rows.map(({ Figure: what }) => what), GOALS.map(({ what }) => what));
  for (const { "To reach": limit = "", Measured: measured = "", "What limits it": says = "" } of rows) {
    const [side, most, least] = [limit[0], numberIn(limit), numberIn(measured)];
    const reached = side === "≤" ? least <= most : least >= most;
    assertMatch(says, reached ? /^reached$/ : /^missed: .{10,}/);
  }
});

Deno.test("docs/performance.md has no figure without its control, its n and what limits it", () => {
  const rows = Array.from(page.matchAll(/^\| (.*) \|$/gm), ([, row = ""]) => row.split(" | "))
    .filter((cells) => cells.length > 6 && cells[0] !== "Figure" && cells[0] !== "---");
  assert(rows.length > 50);
  for (const cells of rows) {
    assertEquals(cells.length, 8, cells.join());
    assert(cells.every((cell) => cell !== "" && !cell.includes("NaN")) && Number(cells[2]) > 0, cells.join());
  }
});

function numberIn(cell: string): number {
  return Number(/[+−]?[\d,.]+/.exec(cell)?.[0]?.replaceAll(",", "").replace("−", "-"));
}
