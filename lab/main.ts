/**
 * How we know, in small sizes, in the order in which it fails fastest. Closes with one line, `N passed, N failed`.
 * Arguments narrow it: `deno task lab model browser/story_test.ts`.
 */
import { close, counted, type Counts, plus } from "../tests/support/counted.ts";
import { TEMPLATE_URL, withDatabase } from "../tests/support/database.ts";

const PLACES = [
  "docs",
  "model",
  "fuzz",
  "schedule",
  "local",
  "examples",
  "property",
  "bench",
  "strangers",
  "deploy",
  "browser",
  "chaos",
];

Deno.chdir(new URL(".", import.meta.url));
await withDatabase(async ({ url }) => {
  // One server for whoever needs no more than a database: each file takes a copy of this one.
  Deno.env.set(TEMPLATE_URL, url);
  let counts: Counts = { passed: 0, failed: 0 };
  for (const place of Deno.args.length > 0 ? Deno.args : PLACES) {
    console.log(`\n── lab/${place}`);
    if (place.startsWith("schedule")) await counted(["run", "-A", "schedule/get_pg_cron.ts"]);
    // `deno task ok` has checked the types of everything at once.
    counts = plus(counts, await counted(["test", "-A", "--no-check", "--parallel", place]));
    if (counts.failed > 0) break;
  }
  close(counts);
});
