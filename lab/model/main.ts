/**
 * Explores everything at once and prints what it found as Markdown:
 * `deno run lab/model/main.ts --workers 4`, a few minutes and a gigabyte of memory; 3 by default, under a minute.
 *
 * Exits 1 if the protocol breaks a promise where it should not, or a mutant goes undetected.
 */
import { explore, type Explored } from "./explore.ts";
import { type Invariant, INVARIANTS } from "./invariants.ts";
import { MUTANTS } from "./mutants.ts";
import { type Kind, KINDS } from "./provider.ts";
import { CLAIMS, OUTLIVED, OVERTAKEN, PAUSED, type Regime, REGIMES, WAITED_OUT, worldOf } from "./regimes.ts";

const COLUMNS = [
  "Variant",
  "Provider",
  "N",
  "States",
  "Ends",
  "Double spends",
  "Valid token lost",
  "Lasting false deaths",
  "Resurrections",
  "Other broken promises",
  "Taken by crash or lost answer",
];
const WITH_COLUMN: readonly Invariant[] = ["token lost", "false death", "connecting and disconnecting win"];

/** Where an overlap, which only a lease that outlives the request prevents, costs the connection. */
const EXPECTED = new Map<Regime, readonly Kind[]>([
  [OUTLIVED, []],
  [PAUSED, ["revokes on reuse"]],
  [OVERTAKEN, ["revokes on reuse"]],
  [WAITED_OUT, []],
]);

const workers = numberOfWorkers(Deno.args);
let sound = true;
console.log(row(COLUMNS));
console.log(row(COLUMNS.map(() => "---")));
for (const regime of REGIMES) {
  for (const kind of KINDS) {
    const found = explore(worldOf(regime, kind, workers, regime.on_demand));
    console.log(row([regime.name, kind, workers, ...figures(found)]));
    const broken = Object.keys(found.broken).length > 0;
    sound &&= broken === EXPECTED.get(regime)?.includes(kind);
  }
}
const traces: string[] = [];
for (const { name, protocol, provider: caught_at, chances, breaks } of MUTANTS) {
  for (const provider of KINDS) {
    const found = explore({ protocol, provider, workers, claims: CLAIMS, overtaking: false, chances });
    console.log(row([`**mutant:** ${name}`, provider, workers, ...figures(found)]));
    if (provider !== caught_at) continue;
    const trace = found.traces[breaks];
    sound &&= trace !== undefined;
    traces.push(
      `**${name}** breaks ${breaks}, "${INVARIANTS[breaks]}", at a provider of the kind "${provider}":\n`,
      ...(trace ?? ["not found"]).map((words, at) => `${at + 1}. ${words}`),
      "",
    );
  }
}
console.log(`\n${traces.join("\n")}`);
if (!sound) {
  console.error("The protocol breaks a promise that it should keep, or a mutant breaks none.");
  Deno.exitCode = 1;
}

function figures({ states, ends, double_spends, broken, taken }: Explored): (string | number)[] {
  const others = (Object.keys(INVARIANTS) as Invariant[])
    .filter((name) => broken[name] && !WITH_COLUMN.includes(name))
    .map((name) => `${name}: ${broken[name]}`);
  return [
    states,
    ends,
    double_spends,
    ...WITH_COLUMN.map((name) => broken[name] ?? 0),
    others.join(", ") || "none",
    taken,
  ];
}

function row(cells: readonly (string | number)[]): string {
  return `| ${
    cells.map((cell) => typeof cell === "number" ? cell.toLocaleString("en") : cell).join(" | ")
  } |`;
}

function numberOfWorkers(args: readonly string[]): number {
  const given = args.length === 0 ? ["--workers", "3"] : args;
  const workers = Number(given[1]);
  if (given.length === 2 && given[0] === "--workers" && [2, 3, 4].includes(workers)) return workers;
  console.error('The only option is "--workers", 2 to 4');
  Deno.exit(2);
}
