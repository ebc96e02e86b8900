import { dirname, join } from "node:path";
import { eachLine, guard, signalIfAlive, within } from "../../../local/stack/process.ts";
import { walk } from "../../../tests/support/walk.ts";
import type { Runtime } from "./runtimes.ts";

const ROOT = new URL("../../../", import.meta.url);
const START_MS = 120_000;
/** What stands beside the functions as controls, as functions of their own. */
const CONTROLS = {
  empty: "lab/bench/controls/empty.ts",
  with_supabase: "lab/bench/controls/with_supabase.ts",
};
export type Control = keyof typeof CONTROLS;

/** One process that serves one function. */
export interface FunctionProcess {
  readonly origin: string;
  readonly pid: number;
  /** How long its modules took to evaluate once they were loaded, as the process itself saw it. */
  readonly evaluated_ms: number;
  stop(): Promise<void>;
}

/** The one setting of the project's that changes how a function runs; the hosted runtime's Deno does not know it. */
const CONFIG = JSON.stringify({ unstable: ["no-legacy-abort"] });

/** Lays out what a deploy uploads, and the controls beside it, in an empty folder. */
export async function layFunctions(folder: string): Promise<void> {
  await Deno.writeTextFile(join(folder, "deno.json"), CONFIG);
  const files = new Map([["import_map.json", "import_map.json"]]);
  for await (const path of walk(ROOT, "supabase/functions")) files.set(path, path);
  for (const [name, path] of Object.entries(CONTROLS)) files.set(entrypoint(name), path);
  for (const [to, from] of files) {
    await Deno.mkdir(dirname(join(folder, to)), { recursive: true });
    await Deno.copyFile(new URL(from, ROOT), join(folder, to));
  }
}

/** Where a function begins, in such a folder. */
export function entrypoint(name: string): string {
  return `supabase/functions/${name}/index.ts`;
}

/** Starts a function that was laid out in `folder`; ready when it listens. Its log goes nowhere, as nobody reads it here. */
export async function startFunction(
  name: string,
  { runtime, folder, env }: { runtime: Runtime; folder: string; env: Readonly<Record<string, string>> },
): Promise<FunctionProcess> {
  const main = join(folder, `${name}.ts`);
  await Deno.writeTextFile(main, mainModule(name));
  const map = `--import-map=${join(folder, "import_map.json")}`;
  // Types are checked by `deno task ok`; here they would only delay the start.
  const alone = ["--no-lock", "--no-check", "--no-prompt", "--node-modules-dir=none"];
  const child = new Deno.Command(runtime.path, {
    args: ["run", "--quiet", "--allow-env", "--allow-net", ...alone, map, main],
    cwd: folder,
    // Behind a proxy that looks into TLS the older one finds no packages otherwise.
    env: { DENO_TLS_CA_STORE: "mozilla,system", NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    detached: true,
  }).spawn();
  const guarded = guard({ pid: child.pid });
  const ready = Promise.withResolvers<Pick<FunctionProcess, "origin" | "evaluated_ms">>();
  ready.promise.catch(() => {});
  const said: string[] = [];
  const reading = eachLine(child.stderr, (line) => {
    if (line.startsWith(READY)) ready.resolve(JSON.parse(line.slice(READY.length)));
    else said.push(line);
  });
  const ended = Promise.all([child.status, reading]).then(() => {
    ready.reject(
      new Error(`The function "${name}" ended: ${said.slice(-15).join("\n") || "it said nothing"}`),
    );
  });
  const stop = async () => {
    signalIfAlive(child, "SIGKILL");
    await ended;
    await guarded.release();
  };
  try {
    return { ...await within(ready.promise, START_MS, () => "no word in time"), pid: child.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const READY = "ready ";

/** Loads what the hosted runtime gives a function, then the function, and serves it. */
function mainModule(name: string): string {
  return [
    `import { served } from "${new URL("local/stack/edge_runtime.ts", ROOT)}";`,
    "const began = performance.now();",
    // With its name written out it is loaded before anything runs, so that only evaluating it is timed.
    `const entrypoint = await import("./${entrypoint(name)}");`,
    "const evaluated_ms = performance.now() - began;",
    "const onListen = ({ port }) =>",
    `  console.error(${
      JSON.stringify(READY)
    } + JSON.stringify({ origin: "http://127.0.0.1:" + port, evaluated_ms }));`,
    "const { fetch } = served(entrypoint);",
    'Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, (request) => fetch(request));',
  ].join("\n");
}
