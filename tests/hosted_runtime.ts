/**
 * The function code on the Deno that Supabase hosts: types and unit tests, in a folder that holds what a deploy would
 * upload and the tests, and nothing of the current Deno's (its lock file and `node_modules` are of a newer kind).
 */
import { TEMPLATE_URL, withDatabase } from "./support/database.ts";
import { walk } from "./support/walk.ts";

/** What `supabase/edge-runtime` pins. */
export const HOSTED_DENO = "2.1.4";

const FOLDERS = ["supabase/functions", "tests/unit", "tests/functions", "tests/support", "local/sandbox"];
const FILES = ["import_map.json", "tests/import_rules.ts", "tests/versions.ts"];
/** The function code is checked with what is deployed; its tests need the packages of tests too. */
const [DEPLOYED, TESTS] = ["import_map.json", "tests_import_map.json"];

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const folder = await Deno.makeTempDir({ prefix: "hosted-runtime-" });
  try {
    const place = new URL(`file://${folder}/`);
    const files = [...FILES];
    for (const from of FOLDERS) for await (const path of walk(root, from)) files.push(path);
    for (const path of files) {
      await Deno.mkdir(new URL(".", new URL(path, place)), { recursive: true });
      await Deno.copyFile(new URL(path, root), new URL(path, place));
    }
    const functions = files.filter((path) => path.startsWith("supabase/") && path.endsWith(".ts"));
    await run(folder, DEPLOYED, "check", ...functions);
    const { imports } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
    await Deno.writeTextFile(new URL(TESTS, place), JSON.stringify({ imports }));
    const tests = files.filter((path) => path.startsWith("tests/unit/") && path.endsWith("_test.ts"));
    await Deno.writeTextFile(new URL("all_test.ts", place), allOf(tests));
    await withDatabase(async ({ url }) => {
      // Started here: this Deno has what a server needs, and the hosted runtime's has not.
      Deno.env.set(TEMPLATE_URL, url);
      await run(folder, TESTS, "test", "--allow-all", "all_test.ts");
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/**
 * One module that runs the tests, on a Deno with two faults that do not matter to function code. It takes the turns of
 * the event loop by which a test's clock moves for leaked timers: the current Deno, in the main run, checks every test
 * for them. And an immediate may run although it was cleared, on which the database driver writes a null.
 */
function allOf(tests: readonly string[]): string {
  return [
    'import { Socket } from "node:net";',
    "const write: (...args: any[]) => boolean = Socket.prototype.write;",
    "Socket.prototype.write = function (...args: any[]) { return args[0] === null || write.apply(this, args); };",
    "const define = Deno.test;",
    "const test = (name: string, fn: () => void | Promise<void>) => define({ name, fn, sanitizeOps: false, sanitizeResources: false });",
    "Object.assign(Deno, { test: Object.assign(test, define) });",
    ...tests.map((path) => `await import("./${path}");`),
  ].join("\n");
}

async function run(folder: string, import_map: string, command: string, ...args: string[]): Promise<void> {
  const { code } = await new Deno.Command("npx", {
    args: [
      "-y",
      `deno@${HOSTED_DENO}`,
      command,
      "--quiet",
      "--no-lock",
      `--import-map=${import_map}`,
      ...args,
    ],
    cwd: folder,
    env: { DENO_TLS_CA_STORE: Deno.env.get("DENO_TLS_CA_STORE") ?? "mozilla,system", NO_COLOR: "1" },
  }).spawn().status;
  if (code === 0) return;
  console.error(`deno ${command} failed on Deno ${HOSTED_DENO}`);
  Deno.exitCode = code;
}
