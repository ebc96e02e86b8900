/**
 * Whatever passes the policy of `proxy` is on its list, whichever way the provider's server reads it. The same in a
 * million paths: `deno task fuzz`.
 */
import { NO_LINE } from "../../supabase/functions/proxy/policy.ts";
import { RULES } from "../../supabase/functions/proxy/rules.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { fuzz } from "./fuzz.ts";
import { MUTANTS } from "./mutants.ts";

const PATHS = 20_000;
const SEED = 11;

Deno.test("nothing passes that some server reads as what is not on the list", () => {
  const { tried, allowed, changing, refused, harmful } = fuzz(PATHS, SEED);
  assertEquals(harmful, undefined, JSON.stringify(harmful));
  const all = [...refused.values()].reduce((sum, times) => sum + times, allowed);
  assertEquals([tried, all], [PATHS, PATHS]);
  console.log(`${tried} tried, ${allowed} passed, of them ${changing} as changing something`);
});

Deno.test("the fuzz meets every reason to refuse, and enough of it passes", () => {
  const { allowed, changing, refused } = fuzz(PATHS, SEED);
  const reasons = [NO_LINE, ...RULES.map(({ why }) => why)];
  assertEquals(reasons.filter((why) => !refused.has(why)), []);
  assertEquals(refused.size, reasons.length);
  assert(allowed > PATHS / 20 && changing > PATHS / 100, `${allowed} passed, ${changing} changing`);
});

Deno.test("a seed tries the same calls every time", () => {
  assertEquals(fuzz(500, SEED), fuzz(500, SEED));
});

for (const { name, judge } of MUTANTS) {
  Deno.test(`the fuzz finds out a judge where ${name}`, () => {
    const { harmful, tried } = fuzz(PATHS, SEED, judge);
    assert(harmful, `not in ${tried} paths`);
  });
}
