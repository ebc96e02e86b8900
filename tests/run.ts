/**
 * Every test that needs Deno alone, with coverage of the function code. Closes with one line, `N passed, N failed`.
 * Arguments narrow it: `deno task test tests/unit`.
 */
import { TEMPLATE_URL } from "./support/database.ts";
import { startServer } from "./support/server.ts";

/** One for all tests: each file takes a copy of its database. */
const server = await startServer();
const coverage = await Deno.makeTempDir({ prefix: "coverage-" });
/** They need the supabase CLI, a browser, or more time: `deno task ok` runs them. */
const ELSEWHERE = "lab/deploy,lab/browser,lab/chaos";
const places = Deno.args.length > 0 ? Deno.args : [`--ignore=${ELSEWHERE}`, "tests", "lab"];

try {
  const { code, summary } = await test();
  await new Deno.Command(Deno.execPath(), {
    args: ["coverage", "--include=/supabase/functions/", coverage],
  }).spawn().status;
  console.log(`\n${summary}`);
  Deno.exitCode = code;
} finally {
  await server.stop();
  await Deno.remove(coverage, { recursive: true });
}

/** Runs the tests; what they print is shown as it comes. */
async function test(): Promise<{ code: number; summary: string }> {
  const tests = new Deno.Command(Deno.execPath(), {
    args: ["test", "--allow-all", "--no-prompt", "--parallel", `--coverage=${coverage}`, ...places],
    env: { [TEMPLATE_URL]: server.url },
    stdout: "piped",
  }).spawn();
  let tail = "";
  const decoder = new TextDecoder();
  for await (const chunk of tests.stdout) {
    await Deno.stdout.write(chunk);
    tail = (tail + decoder.decode(chunk, { stream: true })).slice(-100_000);
  }
  const { code } = await tests.status;
  const counts = /(\d+) passed.*\| (\d+) failed/.exec(tail);
  return { code, summary: counts ? `${counts[1]} passed, ${counts[2]} failed` : "no test ran" };
}
