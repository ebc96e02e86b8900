/** docs/refresh-protocol.md says what holds: its numbers, names and figures are those of code, model and report. */
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { walk } from "../../tests/support/walk.ts";
import { explore } from "../model/explore.ts";
import { MUTANTS as IN_THE_MODEL } from "../model/mutants.ts";
import { KINDS } from "../model/provider.ts";
import { CLAIMS, REGIMES, worldOf } from "../model/regimes.ts";
import type { World } from "../model/state.ts";
import { MUTANTS as IN_SQL } from "../property/mutants.ts";
import { INVARIANTS } from "../support/invariants.ts";
import { read, ROOT, tableRows } from "../support/pages.ts";

const WORKERS = 3;
const page = await read("docs/refresh-protocol.md");

Deno.test("docs/refresh-protocol.md has every invariant by its name, with a mutant that breaks it", () => {
  const rows = tableRows(page, "The invariants");
  assertEquals(rows.map(({ Name }) => Name), [...INVARIANTS]);
  const mutants = [...IN_THE_MODEL, ...IN_SQL];
  for (const { Name = "", "A mutant that breaks it": quoted = "" } of rows) {
    const mutant = mutants.find(({ name }) => `"${name}"` === quoted);
    assert(mutant, `${quoted} is a mutant`);
    assert([mutant.breaks].flat().some((broken) => broken === Name), `${quoted} breaks ${Name}`);
  }
});

Deno.test("docs/refresh-protocol.md has the timings of the code", async () => {
  const code: string[] = [];
  for (const folder of ["supabase/functions/_shared", "supabase/migrations"]) {
    for await (const path of walk(ROOT, folder)) code.push(await read(path));
  }
  const rows = tableRows(page, "Timings");
  assert(rows.length > 10);
  for (const { Value = "", "In the code": quoted = "" } of rows) {
    const line = quoted.replaceAll("`", "");
    assert(code.some((source) => source.includes(line)), `${line} is in the code`);
    const ms = /_MS\w* = ([\d_]+)$/.exec(line)?.[1]?.replaceAll("_", "");
    if (ms) assert(Value.endsWith(`${Number(ms) / 1000} s`), `${Value} is ${line}`);
  }
});

Deno.test("docs/refresh-protocol.md has what the model counts", () => {
  const rows = tableRows(page, "What the model counts");
  assert(rows.length >= 4);
  for (const row of rows) {
    const { states, double_spends, broken } = explore(variant(row.Variant ?? "", row.Provider ?? ""));
    const counts = [states, double_spends, broken["token lost"] ?? 0, broken["false death"] ?? 0];
    const [, , ...shown] = Object.values(row);
    assertEquals(shown, counts.map((count) => count.toLocaleString("en")), row.Variant);
  }
});

Deno.test("docs/refresh-protocol.md repeats what docs/reliability.md measured", async () => {
  const measured = await read("docs/reliability.md");
  const figures = Array.from(page.matchAll(/`(p50 [^`]+|\d+ of \d+ [^`]+)`/g), ([, figure = ""]) => figure);
  assert(figures.length >= 3);
  for (const figure of figures) assert(measured.includes(figure), figure);
});

/** What `deno task model` explores under these names. */
function variant(name: string, kind: string): World {
  const provider = KINDS.find((known) => known === kind);
  assert(provider, kind);
  const regime = REGIMES.find((known) => known.name === name);
  if (regime) return worldOf(regime, provider, WORKERS, regime.on_demand);
  const mutant = IN_THE_MODEL.find((known) => `**mutant:** ${known.name}` === name);
  assert(mutant, name);
  const { protocol, chances } = mutant;
  return { protocol, provider, workers: WORKERS, claims: CLAIMS, overtaking: false, chances };
}
