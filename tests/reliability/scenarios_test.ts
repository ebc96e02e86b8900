import { Field } from "../../bench/field/field.ts";
import { plain } from "../../bench/report.ts";
import { groups } from "../../bench/scenarios/all.ts";
import type { Bench, Scenario } from "../../bench/scenarios/kit.ts";
import { seeded } from "../../bench/seeded.ts";
import { assert } from "../support/assert.ts";

/** What cannot be hurried (outages, the soak) and what only numbers make meaningful is left to `deno task chaos`. */
const SIDE_BY_SIDE = [
  "kill-after-claim",
  "kill-before-commit-strict",
  "kill-before-commit-lenient",
  "sigstop",
  "lost-strict",
  "lost-lenient",
  "disconnect",
  "operator-missing-key",
  "withdrawn",
];
const ONE_BY_ONE = ["herd-50", "storm-100", "skew", "cancel", "key-rotation", "database"];

Deno.test("under fire, at small numbers, every scenario holds", async (test) => {
  const field = await Field.start();
  const bench: Bench = {
    field,
    draw: seeded(1),
    full: false,
    minutes: 0,
    less: 8,
    hurried: true,
  };
  const holds = async (scenario: Scenario) => {
    for (const row of await scenario.run(bench)) assert(row.held, plain(row));
  };
  try {
    await Promise.all(
      SIDE_BY_SIDE.map((name) =>
        test.step({
          name,
          fn: () => holds(find(name)),
          sanitizeOps: false,
          sanitizeResources: false,
          sanitizeExit: false,
        })
      ),
    );
    for (const name of ONE_BY_ONE) await test.step(name, () => holds(find(name)));
  } finally {
    await field.stop();
  }
});

function find(name: string): Scenario {
  const scenario = groups.flat().find((one) => one.name === name);
  if (scenario === undefined) throw new Error(`There is no scenario "${name}"`);
  return scenario;
}
