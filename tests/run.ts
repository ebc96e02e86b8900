/**
 * What a fork keeps alive: pgTAP, unit, functions, database, end to end, with coverage of the function code. Closes
 * with one line, `N passed, N failed`. Arguments narrow it: `deno task test tests/unit`.
 */
import { close, counted } from "./support/counted.ts";
import { withDatabase } from "./support/database.ts";

const coverage = await Deno.makeTempDir({ prefix: "coverage-" });
const places = Deno.args.length > 0 ? Deno.args : ["tests"];
try {
  await withDatabase(async ({ url }) => {
    // One server for all tests: each file takes a copy of its database.
    Deno.env.set("TESTS_DATABASE_URL", url);
    const parallel = ["test", "--allow-all", "--no-prompt", "--parallel", `--coverage=${coverage}`];
    const counts = await counted([...parallel, ...places]);
    await new Deno.Command(Deno.execPath(), {
      args: ["coverage", "--include=/supabase/functions/", coverage],
    }).spawn().status;
    close(counts);
  });
} finally {
  await Deno.remove(coverage, { recursive: true });
}
