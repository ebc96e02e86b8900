/**
 * `deno task chaos [--minutes N] [--seed S] [--scenario NAME] [--full]`: real processes under fire, judged from
 * outside. Prints the table and, when every scenario ran, writes it to docs/reliability.md. Exits 0 if all held.
 */
import { Field } from "./field/field.ts";
import { markdown, plain } from "./report.ts";
import { groups } from "./scenarios/all.ts";
import type { Bench, Row, Scenario } from "./scenarios/kit.ts";
import { seeded } from "./seeded.ts";

const REPORT = new URL("../docs/reliability.md", import.meta.url);

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
    minutes: number("--minutes", 1),
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
  const field = await Field.start();
  try {
    const rows: Row[] = [];
    for (const group of chosen(options.only)) {
      const made = await Promise.all(group.map((scenario, index) => {
        const bench: Bench = {
          ...options,
          field,
          less: 1,
          hurried: false,
          draw: seeded(options.seed + index),
        };
        return scenario.run(bench);
      }));
      rows.push(...made.flat());
      for (const row of made.flat()) console.log(`\n${plain(row)}`);
    }
    const took_ms = performance.now() - began;
    console.log(
      `\n${rows.filter(({ held }) => held).length} of ${rows.length} held; seed ${options.seed}, ${
        Math.round(took_ms / 1000)
      } s`,
    );
    if (options.only === null) await write(field, rows, options, took_ms);
    return rows;
  } finally {
    await field.stop();
  }
}

async function write(field: Field, rows: readonly Row[], options: Options, took_ms: number): Promise<void> {
  const [version] = await field.database.sql`show server_version`;
  const [events] = await field.database.sql`select count(*)::int as count from oauth.events`;
  const command = ["deno task chaos", `--minutes ${options.minutes}`, ...(options.full ? ["--full"] : [])];
  await Deno.mkdir(new URL(".", REPORT), { recursive: true });
  await Deno.writeTextFile(
    REPORT,
    markdown(rows, {
      seed: options.seed,
      command: command.join(" "),
      took_ms,
      postgres: String(version?.server_version),
      read: `${field.journal.entries.length} entries from the proxies, ${events?.count} database events`,
    }),
  );
}

const rows = await run(readOptions(Deno.args));
Deno.exit(rows.every(({ held }) => held) ? 0 : 1);
