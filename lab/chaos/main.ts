/**
 * `deno task chaos [--minutes N] [--seed S] [--scenario NAME] [--full]`: real processes under fire, judged from
 * outside. Prints the table and, unless one scenario was asked for, writes it to docs/reliability.md. Exits 0 if all
 * held. `--full` has the numbers that the targets name, and a soak of five minutes unless told otherwise.
 */
import { Field } from "./field/field.ts";
import { within } from "../../local/stack/process.ts";
import { isGood, markdown, plain } from "./report.ts";
import { groups } from "./scenarios/all.ts";
import type { Bench, Row, Scenario } from "./scenarios/kit.ts";
import { seeded } from "./seeded.ts";

/** No scenario takes longer, but for the minutes of the soak. */
const LIMIT_MS = 15 * 60_000;
const REPORT = new URL("../../docs/reliability.md", import.meta.url);

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly full: boolean;
  readonly only: string | null;
}

function readOptions(args: readonly string[]): Options {
  const value = (name: string) => args.includes(name) ? args[args.indexOf(name) + 1] ?? "" : null;
  const number = (name: string, otherwise: number) => {
    const given = value(name);
    const read = given === null ? otherwise : Number(given);
    if (given === "" || !Number.isFinite(read) || read < 0) throw new Error(`${name} wants a number`);
    return read;
  };
  return {
    minutes: number("--minutes", args.includes("--full") ? 5 : 1),
    seed: number("--seed", 20261101),
    full: args.includes("--full"),
    only: value("--scenario"),
  };
}

/** Those that are asked for, group by group; a group's run side by side. */
function chosen(only: string | null): (readonly Scenario[])[] {
  const names = groups.flat().map(({ name }) => name);
  if (only !== null && !names.some((name) => name.startsWith(only))) {
    throw new Error(`There is no scenario "${only}". There are: ${names.join(", ")}`);
  }
  return groups
    .map((group) => group.filter(({ name }) => only === null || name.startsWith(only)))
    .filter((group) => group.length > 0);
}

async function run(options: Options): Promise<Row[]> {
  const began = performance.now();
  const say = (text: string) => console.log(`[${clockOf(performance.now() - began)}] ${text}`);
  const field = await Field.start();
  try {
    const rows: Row[] = [];
    for (const group of chosen(options.only)) {
      say(`running ${group.map(({ name }) => name).join(", ")}`);
      const made = await Promise.all(group.map((scenario, index) => {
        const draw = seeded(options.seed + index);
        return played(scenario, { ...options, field, less: 1, hurried: false, draw, say });
      }));
      rows.push(...made.flat());
      for (const row of made.flat()) console.log(`\n${plain(row)}`);
      if (made.flat().some(({ held }) => !held)) await field.mend();
    }
    const took_ms = performance.now() - began;
    say(`${rows.filter(isGood).length} of ${rows.length} held; seed ${options.seed}`);
    if (options.only === null) await write(field, rows, options, took_ms);
    return rows;
  } finally {
    await field.stop();
  }
}

/** Its rows; of one that breaks off, or does not come to an end, a row that says so: the others are still worth having. */
async function played(scenario: Scenario, bench: Bench): Promise<Row[]> {
  const limit_ms = LIMIT_MS + bench.minutes * 60_000;
  try {
    return await within(scenario.run(bench), limit_ms, () => `no end after ${clockOf(limit_ms)}`);
  } catch (error) {
    console.error(error);
    return [{
      scenario: scenario.name,
      load: "–",
      faults: "–",
      target: "–",
      measured: `broke off: ${String(error instanceof Error ? error.message : error).split("\n")[0]}`,
      n: 0,
      held: false,
      violations: [],
    }];
  }
}

async function write(field: Field, rows: readonly Row[], options: Options, took_ms: number): Promise<void> {
  const { sql } = field.database;
  // A database that a scenario left broken must not cost the table.
  const [version] = await sql`show server_version`.catch(() => []);
  const [events] = await sql`select count(*)::int as count from oauth.events`.catch(() => []);
  const words = [
    `--minutes ${options.minutes}`,
    `--seed ${options.seed}`,
    ...(options.full ? ["--full"] : []),
  ];
  await Deno.mkdir(new URL(".", REPORT), { recursive: true });
  await Deno.writeTextFile(
    REPORT,
    markdown(rows, {
      seed: options.seed,
      command: ["deno task chaos", ...words].join(" "),
      took_ms,
      postgres: String(version?.server_version ?? "unknown"),
      read: `${field.journal.entries.length} entries from the proxies, ${
        events?.count ?? "unknown"
      } database events`,
      cpu: await cpuOf(),
    }),
  );
}

/** What the processor calls itself, where it can be asked. */
async function cpuOf(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo").catch(() => "");
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
}

function clockOf(ms: number): string {
  const s = Math.round(ms / 1_000);
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, "0")}`;
}

const rows = await run(readOptions(Deno.args));
Deno.exit(rows.every(isGood) ? 0 : 1);
