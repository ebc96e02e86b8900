/**
 * `deno task bench [--quick] [--only NAME]`: measures what a call costs, always against a control of the same run, and
 * prints a table for each subject. Unless one was asked for, writes them to docs/performance.md. `--quick` has few rounds
 * and small sizes; the full run wants a machine that does nothing else.
 */
import { CURRENT, hosted } from "./field/runtimes.ts";
import { type About, markdown, tables } from "./report.ts";
import { measure } from "./run.ts";
import { SUBJECTS } from "./subjects/all.ts";

const PAGE = new URL("../../docs/performance.md", import.meta.url);
/** What is measured, and beside what: from the files that pin them. */
const PINS = [new URL("../../import_map.json", import.meta.url), new URL("../deno.json", import.meta.url)];
const MEASURED =
  /^npm:(@supabase\/server|@supabase\/supabase-js|oauth4webapi|jose|valibot|pipedrive|simple-oauth2)@([^/]+)/;

function readOptions(args: readonly string[]) {
  const name = args.includes("--only") ? args[args.indexOf("--only") + 1] ?? "" : null;
  const unknown = args.find((arg) => arg.startsWith("-") && arg !== "--quick" && arg !== "--only");
  const subjects = SUBJECTS.filter((one) => name === null || one.name === name);
  if (unknown === undefined && subjects.length > 0) {
    return {
      subjects,
      size: args.includes("--quick") ? "quick" as const : "full" as const,
      whole: name === null,
    };
  }
  const names = SUBJECTS.map((one) => one.name).join(", ");
  console.error(`${unknown ?? `--only "${name}"`} is unknown: --quick, --only NAME. There are: ${names}`);
  Deno.exit(2);
}

async function packages(): Promise<string[]> {
  const maps = await Promise.all(PINS.map(async (path) => JSON.parse(await Deno.readTextFile(path)).imports));
  const named = maps.flatMap((map) => Object.values<string>(map)).flatMap((specifier) => {
    const [, name, version] = MEASURED.exec(specifier) ?? [];
    return name === undefined ? [] : [`${name} ${version}`];
  });
  return [...new Set(named)];
}

async function cpu(): Promise<string> {
  const text = await Deno.readTextFile("/proc/cpuinfo");
  return /^model name\s*:\s*(.+)$/m.exec(text)?.[1] ?? Deno.build.arch;
}

const { subjects, size, whole } = readOptions(Deno.args);
const began = performance.now();
const runtimes = [CURRENT, await hosted()];
const { measured, postgres } = await measure({
  subjects,
  runtimes,
  size,
  found: (one) =>
    console.log(
      `\n${one.subject.title} (${one.subject.name}), Deno ${one.runtime.version}\n\n${tables(one)}`,
    ),
});
const about: About = {
  command: ["deno task bench", ...(size === "quick" ? ["--quick"] : [])].join(" "),
  size,
  date: new Date().toISOString().slice(0, 10),
  took_ms: performance.now() - began,
  postgres,
  runtimes: runtimes.map(({ version }) => version),
  packages: await packages(),
  cpu: await cpu(),
};
if (whole) await Deno.writeTextFile(PAGE, markdown(measured, about));
