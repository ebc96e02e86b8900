/** A database that answers, and says no to everybody, just when tokens have come that are nowhere else. */
import type { Connected } from "../field/connections.ts";
import type { Mode } from "../field/rest_process.ts";
import { type Answer, persist, type Site } from "../field/site.ts";
import { type Bench, codesOf, countOf, pause, type Scenario, size, until, verdict } from "./kit.ts";
import { afterRotation, Trap } from "./trap.ts";

const WORDS: Readonly<Record<Exclude<Mode, "usual">, string>> = {
  "read only": "The database turns read-only",
  "in recovery": "The database has become a standby",
  "without functions": "REST does not know our functions",
};
/** From when it is over until everybody has been served; most of it is a back-off. */
const PATIENCE_MS = 60_000;
const RETOLD = ["untyped answer", "lost grant", "false reauthorization", "half written"] as const;

interface Hour {
  readonly rotated: readonly Connected[];
  readonly others: readonly Connected[];
  readonly site: Site;
  readonly mode: Mode;
}

/** Answers of the provider are held until the hour has begun: what they bring can be stored only when it is over. */
function badHour(mode: keyof typeof WORDS): Scenario {
  return {
    name: mode.replaceAll(" ", "-"),
    run: async (bench) => {
      const { field } = bench;
      const site = await field.site("main", { "search-persons": 4, "refresh-token": 2, "oauth-callback": 1 });
      const rounds = size(bench, 3, 10);
      const at_once = size(bench, 20, 20);
      const all: Connected[] = [];
      const served: Answer[] = [];
      const completed: Answer[] = [];
      const before = site.answers.length;
      for (let round = 0; round < rounds; round++) {
        const rotated = await field.connections.make(at_once, field.strict.origin);
        const others = await field.connections.make(at_once, field.strict.origin);
        const hour = await pass(bench, { rotated, others, site, mode });
        served.push(...hour.served);
        completed.push(...hour.completed);
        all.push(...rotated, ...others, ...hour.newcomers);
      }
      const answers = site.answers.slice(before);
      // What is stored is what the provider goes on with: by the checker's record, and by being used.
      await field.connections.expire(all);
      const last = await Promise.all(all.map((one) => site.insist(one, performance.now() + PATIENCE_MS)));
      const { violations } = await verdict(field, site, all);
      const good = (some: readonly Answer[]) => some.filter(({ status }) => status === 200).length;
      const held = good(served) === served.length && good(completed) === completed.length &&
        good(last) === all.length && violations.length === 0;
      const errors = answers.filter(({ status }) => status !== 200);
      return [{
        scenario: `${WORDS[mode]} between claim and commit`,
        load:
          `${rounds} rounds of ${at_once} expired connections whose refresh is under way, ${at_once} more, and ${
            completed.length / rounds
          } users who complete`,
        faults: `${rounds} times for 2 to 4 s, from before the provider's answers arrive`,
        target: "callers served from memory, everything stored afterwards, 0 lost grants",
        measured: `${good(served)} of ${served.length} served from memory at once; ${
          good(completed)
        } of ${completed.length} completed with the same ticket; ${
          good(last)
        } of ${all.length} refresh again afterwards; errors on the way: ${codesOf(errors) || "none"}; ${
          countOf(violations, RETOLD, all.length)
        }`,
        n: served.length + completed.length,
        held,
        violations,
      }];
    },
  };
}

async function pass(
  { field, draw, less }: Bench,
  { rotated, others, site, mode }: Hour,
): Promise<{ served: Answer[]; completed: Answer[]; newcomers: Connected[] }> {
  const parked = await Promise.all(Array.from({ length: less > 1 ? 2 : 5 }, () => field.park(site)));
  const trap = new Trap(rotated, afterRotation, "pass");
  const begun = Promise.withResolvers<void>();
  let exchanged = 0;
  const removes = [
    site.fleet.rules.add(trap.rule),
    site.fleet.rules.add(({ at, side }) => {
      if (at !== "exchange" || side !== "answered") return null;
      exchanged += 1;
      return begun.promise.then(() => "pass");
    }),
  ];
  await field.connections.expire([...rotated, ...others]);
  const waiting = rotated.map((one) => site.search(one));
  const ends = performance.now() + PATIENCE_MS;
  const completing = parked.map((one) => persist(() => site.complete(one.parked), ends));
  await trap.sprung();
  await until(() => exchanged >= parked.length, 8_000);
  await field.mode(mode);
  begun.resolve();
  trap.release();
  // Those who come now find no claim to be had.
  const coming = others.map(async (one) => {
    await pause(draw.between(0, 1_500));
    return await site.insist(one, ends);
  });
  await pause(draw.between(2_000, 4_000));
  await field.mode("usual");
  const [served, completed] = await Promise.all([Promise.all(waiting), Promise.all(completing)]);
  await Promise.all(coming);
  // A commit behind an answer is tried once a second.
  await pause(2_500);
  for (const remove of removes) remove();
  const newcomers = parked.map(({ user }) => user).filter((_, index) => completed[index]?.status === 200);
  for (const one of newcomers) await field.connections.adopt(one);
  return { served, completed, newcomers };
}

export const badHours: readonly Scenario[] = [
  badHour("read only"),
  badHour("in recovery"),
  badHour("without functions"),
];
