/**
 * The real token module against the real SQL on PostgreSQL, with every step in an order that is drawn: several
 * isolates, providers from mild to strict, and whatever may go wrong between them.
 */
import fc from "fast-check";
import { Undo } from "../../local/stack/undo.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { MUTANTS, mutated } from "./mutants.ts";
import { again, ENOUGH, OPTIONS } from "./options.ts";
import type { Ran, Stage } from "./run.ts";
import { BrokenPromises, everyRun, openStage } from "./stage.ts";
import { Tally } from "./tally.ts";

/** Runs in which a mutant must be caught, at the latest. */
const MUTANT_RUNS = 500;

const stop = new Undo();
let stage: Stage;

Deno.test.beforeAll(async () => {
  stage = await openStage(stop);
});
Deno.test.afterAll(() => stop.run());

Deno.test("whatever happens in whatever order, a grant that can be kept is kept", async () => {
  const tally = new Tally();
  const found = await fc.check(everyRun(stage, (ran) => tally.add(ran)), OPTIONS);
  if (found.failed) {
    throw new Error(`${found.errorInstance}\n\n${again(found)}\n\n${fc.defaultReportMessage(found)}`);
  }
  console.log(`0 broken promises in ${tally}`);
  const never = Object.entries(tally.met).filter(([, times]) => times === 0);
  if (ENOUGH) assertEquals(never, []);
});

Deno.test("a seed tells the same story every time", async () => {
  const told = async () => {
    const stories: string[] = [];
    await fc.check(everyRun(stage, (ran) => stories.push(storyOf(ran))), { ...OPTIONS, numRuns: 8 });
    return stories;
  };
  const first = await told();
  assert(first.length > 0);
  assertEquals(await told(), first);
});

for (const mutant of MUTANTS) {
  Deno.test(`${mutant.name} is caught`, async () => {
    const found = await mutated(stage.admin, mutant, () =>
      fc.check(everyRun(stage), {
        numRuns: MUTANT_RUNS,
        seed: mutant.seed,
        endOnFailure: true,
      }));
    const { errorInstance: error } = found;
    assert(error instanceof BrokenPromises, `not caught in ${found.numRuns} runs: ${error}`);
    const first = error.promises.map((promise) => promise.split(":")[0]);
    assert(
      first.some((promise) => mutant.breaks.some((broken) => broken === promise)),
      `caught by ${error.message}`,
    );
  });
}

/** What took effect, when, and what came of it; without what is random by intent. */
function storyOf({ history, row }: Ran): string {
  const lines = history.effects.map((effect) => {
    switch (effect.kind) {
      case "call":
        return [effect.at, effect.isolate, effect.name, ...effect.rows.map(({ outcome }) => outcome)].join(
          " ",
        );
      case "token request":
        return [effect.at, effect.isolate, effect.presented, effect.issued?.refresh_token].join(" ");
      default:
        return [effect.at, effect.kind].join(" ");
    }
  });
  return [...lines, row.status, row.version].join("\n");
}
