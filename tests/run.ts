/**
 * What a fork keeps alive: pgTAP, unit, functions, database, end to end, with coverage of the function code. Closes
 * with one line, `N passed, N failed`. Arguments narrow it: `deno task test tests/unit`.
 */
import { close, counted } from "./support/counted.ts";
import { TEMPLATE_URL } from "./support/database.ts";
import { startServer } from "./support/server.ts";

/** One for all tests: each file takes a copy of its database. */
const server = await startServer();
const coverage = await Deno.makeTempDir({ prefix: "coverage-" });
const places = Deno.args.length > 0 ? Deno.args : ["tests"];
try {
  Deno.env.set(TEMPLATE_URL, server.url);
  const parallel = [
    "test",
    "--allow-all",
    "--no-prompt",
    "--parallel",
    `--coverage=${coverage}`,
    "--coverage-raw-data-only",
  ];
  const counts = await counted([...parallel, ...places]);
  await new Deno.Command(Deno.execPath(), {
    args: ["coverage", "--include=/supabase/functions/", coverage],
  }).spawn().status;
  close(counts);
} finally {
  await server.stop();
  await Deno.remove(coverage, { recursive: true });
}
