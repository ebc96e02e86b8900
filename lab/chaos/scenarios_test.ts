import { Field } from "./field/field.ts";
import { plain } from "./report.ts";
import { groups } from "./scenarios/all.ts";
import type { Bench, Scenario } from "./scenarios/kit.ts";
import { seeded } from "./seeded.ts";
import { assert } from "../../tests/support/assert.ts";

/** Most of these wait, for a provider or a lease: together they take as long as the longest. */
const SIDE_BY_SIDE = [
  "kill-after-claim",
  "kill-before-commit-strict",
  "kill-before-commit-lenient",
  "kill-before-commit-revoking",
  "sigstop",
  "sigstop-revoking",
  "starved",
  "slow-provider",
  "lost-harmless",
  "lost-harmless-revoking",
  "lost-strict",
  "lost-lenient",
  "lost-revoking",
  "disconnect",
  "clock-back",
  "wrong-status",
  "wrong-status-connect",
  "operator-missing-key",
  "operator-invalid-client",
  "outage-token-endpoint",
  "withdrawn",
];
const ONE_BY_ONE = [
  "herd-50",
  "herd-500",
  "wave",
  "storm-100",
  "skew",
  "cancel",
  "window",
  "database",
  "read-only",
  "in-recovery",
  "without-functions",
  "kill-after-disconnect",
  "two-users",
  "warm-disconnect",
  "refused-without-code",
  "hopeless",
  "mixed",
  "key-rotation",
];
/** Of the mixed soak. */
const MINUTES = 0.3;

/** Promises and counts, never how long something took: that is for `deno task chaos`, on a quiet machine. */
Deno.test("under fire, at small numbers, every scenario holds", async (test) => {
  const field = await Field.start();
  const bench: Bench = {
    field,
    draw: seeded(1),
    full: false,
    minutes: MINUTES,
    less: 8,
    hurried: true,
    say: () => {},
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
