/**
 * `deno task fuzz [--paths N] [--seed S]`: hostile calls, a million unless told otherwise, before the policy of `proxy`.
 * Prints how many passed, why the others did not, and after how many paths the judge without one of its parts is
 * found out. Exits 1 where a call passed that some server reads as one that is not on the list, or a mutant went by.
 */
import { fuzz, type Fuzzed } from "./fuzz.ts";
import { MUTANTS } from "./mutants.ts";

function readOptions(args: readonly string[]): { readonly paths: number; readonly seed: number } {
  const number = (name: string, otherwise: number) => {
    const read = args.includes(name) ? Number(args[args.indexOf(name) + 1]) : otherwise;
    if (!Number.isSafeInteger(read) || read < 1) throw new Error(`${name} wants a number`);
    return read;
  };
  return { paths: number("--paths", 1_000_000), seed: number("--seed", 20261101) };
}

function row(...cells: readonly (string | number)[]): void {
  const texts = cells.map((cell) => typeof cell === "number" ? cell.toLocaleString("en") : cell);
  console.log(`| ${texts.join(" | ")} |`);
}

function told({ harmful }: Fuzzed): string {
  return harmful ? `${JSON.stringify(harmful.call)}: ${harmful.harm}` : "nothing";
}

const { paths, seed } = readOptions(Deno.args);
const whole = fuzz(paths, seed);
const harmful = whole.harmful ? 1 : 0;
row("Calls", "Times");
row("---", "---:");
row("tried", whole.tried);
row("passed", whole.allowed);
row("passed, as one that changes something", whole.changing);
for (const [why, times] of [...whole.refused].sort((a, b) => b[1] - a[1])) row(`refused: ${why}`, times);
row("passed, and some server reads it otherwise", harmful);
if (harmful > 0) console.log(`\n${told(whole)}`);

console.log("");
row("A judge where", "is found out after", "by");
row("---", "---:", "---");
const mutants = MUTANTS.map(({ name, judge }) => ({ name, found: fuzz(paths, seed, judge) }));
for (const { name, found } of mutants) row(name, found.tried, told(found).replaceAll("|", "\\|"));

const undetected = mutants.filter(({ found }) => !found.harmful).length;
console.log(`\nSeed ${seed}: ${harmful} harmful; ${undetected} of ${mutants.length} mutants went by.`);
if (harmful + undetected > 0) Deno.exitCode = 1;
