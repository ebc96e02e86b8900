/**
 * The whole gate, in the order in which it fails fastest. Closes with one line, `N passed, N failed`. Arguments
 * narrow it to parts: `deno task ok checks test`.
 */
import { exists } from "../local/stack/process.ts";
import { close, counted, type Counts, plus } from "./support/counted.ts";

/** A fork may do without it. */
const LAB = "lab/main.ts";

type Step = readonly [name: string, args: readonly string[]];
const PARTS: Readonly<Record<string, readonly Step[]>> = {
  checks: [
    ["formatting", ["fmt", "--check"]],
    ["lint", ["lint"]],
    ["import rules", ["run", "--allow-read", "tests/import_rules.ts"]],
    ["versions", ["run", "--allow-read", "tests/versions.ts"]],
    ["types", ["check", "."]],
  ],
  hosted: [["the hosted runtime's Deno", ["run", "-A", "tests/hosted_runtime.ts"]]],
  test: [["what a fork keeps", ["run", "-A", "tests/run.ts"]]],
  lab: [["how we know", ["run", "-A", LAB]]],
};

const pinned = /^deno (\S+)/m.exec(await Deno.readTextFile(".tool-versions"))?.[1];
if (Deno.version.deno !== pinned) {
  console.error(
    `This is Deno ${Deno.version.deno}; the project is pinned to ${pinned}: npx -y deno@${pinned} task ok`,
  );
  Deno.exit(1);
}
const unknown = Deno.args.filter((part) => !(part in PARTS));
if (unknown.length > 0) {
  console.error(`"${unknown[0]}" is no part of the gate: ${Object.keys(PARTS).join(", ")}`);
  Deno.exit(2);
}

const parts = Deno.args.length > 0 ? Deno.args : Object.keys(PARTS);
close(await run(parts.flatMap((part) => PARTS[part] ?? [])));

/** Every step, until one fails. */
async function run(steps: readonly Step[]): Promise<Counts> {
  let counts: Counts = { passed: 0, failed: 0 };
  for (const [name, args] of steps) {
    if (args.includes(LAB) && !await exists(LAB)) {
      console.log(`\n── ${name}: skipped, there is no lab/`);
      continue;
    }
    console.log(`\n── ${name}`);
    counts = plus(counts, await counted(args));
    if (counts.failed === 0) continue;
    console.error(`\n${name}: failed`);
    break;
  }
  return counts;
}
