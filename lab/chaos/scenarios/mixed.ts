/** Everything at once, drawn from the seed, while an application goes about its business. */
import type { Connected } from "../field/connections.ts";
import {
  BACK_OFF_MS,
  type Bench,
  codesOf,
  countOf,
  inMs,
  LEASE_MS,
  orphaned,
  pause,
  percentile,
  presentations,
  type Scenario,
  SETTLE_MS,
  size,
  until as untilTrue,
  verdict,
} from "./kit.ts";
import { explainWait } from "../explain.ts";
import { application, type Request } from "./mixed/application.ts";
import { misfortune } from "./mixed/misfortune.ts";

/** Short, so that everything expires all the time. Seconds. */
const LIFE_S = 20;
/** What a patient user waits, milliseconds. */
const SOON_MS = 10_000;
/** Until then what is unsettled shows. */
const SHOWS_MS = LEASE_MS + SETTLE_MS + BACK_OFF_MS;

export const mixed: Scenario = {
  name: "mixed",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("mixed", { "search-persons": 3, "refresh-token": 2, "oauth-callback": 1 });
    await lifetimes(bench, LIFE_S);
    const connections = [
      ...await field.connections.make(size(bench, 60, 150), field.strict.origin),
      ...await field.connections.make(size(bench, 20, 50), field.lenient.origin),
    ];
    const until = performance.now() + bench.minutes * 60_000;
    const app = application(bench, site, connections);
    const using = app.use(until);
    const harm = await misfortune(bench, site, app, until);
    const stop = bench.hurried ? await allOver(bench, connections) : () => Promise.resolve();
    const requests = await using;
    const settled = await Promise.all(
      connections.map((one) => site.insist(one, performance.now() + SHOWS_MS, 1_000)),
    );
    await stop();
    await lifetimes(bench, 3_600);
    const { history, violations } = await verdict(field, site, connections);
    const answeredOf = (some: typeof requests) => some.filter((one) => !isUnanswered(one));
    const outside = requests.filter(({ began, answer }) =>
      !harm.outages.some(({ from, to }) => began <= to && answer.ended_at >= from)
    );
    const answered = answeredOf(outside);
    const results = answered.filter(({ answer }) => answer.status === 200).length;
    const share = 100 * answered.length / outside.length;
    const unanswered = outside.filter(isUnanswered);
    for (const { began, answer } of unanswered) {
      const waited = explainWait(history.entries, answer.connection, began - LEASE_MS, answer.ended_at);
      bench.say(
        `${answer.code} is all that was told about ${answer.connection} from ${LEASE_MS} ms on${waited}`,
      );
    }
    const soon = answered.filter(({ began, answer }) => answer.ended_at - began <= SOON_MS).length;
    const took = outside.map(({ began, answer }) => answer.ended_at - began);
    return [{
      scenario: "Mixed soak",
      load: `${bench.minutes} min, ${requests.length} requests (${
        requests.length - outside.length
      } of them touched a provider outage and are not counted), ${connections.length} connections whose tokens live ${LIFE_S} s, ${history.answers.length} calls, ${
        presentations(history.entries)
      } token calls`,
      faults: [...harm.done].map(([fault, times]) => `${times} × ${fault}`).join(", "),
      target: "0 violated invariants; 99.95 % of requests outside provider outages answered",
      measured:
        `${violations.length} violations; ${answered.length} of ${outside.length} requests answered (${
          share.toFixed(2)
        } %, with 95 % confidence above ${
          (100 * (1 - 3 / outside.length)).toFixed(2)
        } % if none is missing; all, outages included: ${
          answeredOf(requests).length
        } of ${requests.length}): ${results} results, ${
          answered.length - results
        } true "connect again" or "disconnected"; ${(100 * soon / outside.length).toFixed(2)} % within ${
          SOON_MS / 1_000
        } s${unanswered.length > 0 ? `, not: ${codesOf(unanswered.map(({ answer }) => answer))}` : ""}, p50 ${
          inMs(percentile(took, 0.5))
        }, p99 ${inMs(percentile(took, 0.99))}; at the end ${codesOf(settled)}; ${
          countOf(violations, [
            "double spend",
            "lost grant",
            "false reauthorization",
            "resurrection",
            "no answer",
          ], outside.length)
        }`,
      n: outside.length,
      held: violations.length === 0 && share >= 99.95,
      violations,
    }];
  },
};

/** Answers that are the truth about a connection, whatever they are to its user; the checker judges whether they are. */
const FINAL: ReadonlySet<string | null> = new Set(["REAUTHORIZATION_REQUIRED", "CONNECTION_NOT_FOUND"]);

function isUnanswered({ answer }: Request): boolean {
  return answer.status !== 200 && !FINAL.has(answer.code);
}

/** Waits until nobody is at work any more; whatever lease is left then is orphaned. */
async function allOver(bench: Bench, connections: readonly Connected[]): Promise<() => Promise<void>> {
  const { entries } = bench.field.journal;
  const count = (what: string) => entries.filter((entry) => entry.what === what).length;
  await untilTrue(() => count("presented") === count("delivered"), 30_000);
  await pause(3_000);
  return await orphaned(bench, connections);
}

async function lifetimes({ field }: Bench, access_lifetime_s: number): Promise<void> {
  await field.strict.control.configure({ access_lifetime_s });
  await field.lenient.control.configure({ access_lifetime_s });
}
