/** Processes that die at the worst moment. */
import type { Connected } from "../field/connections.ts";
import type { Entry } from "../field/journal.ts";
import type { Moment } from "../field/moments.ts";
import type { Answer, Site } from "../field/site.ts";
import type { Violation } from "../checker.ts";
import {
  BACK_OFF_MS,
  type Bench,
  countOf,
  FATAL,
  inMs,
  LEASE_MS,
  orphaned,
  pause,
  percentile,
  type Row,
  type Scenario,
  SETTLE_MS,
  size,
  verdict,
} from "./kit.ts";
import { afterClaim, afterRotation, beforeCommit, Trap } from "./trap.ts";

/** Longer than lease, settle time and a back-off together; the lease is longer where reuse revokes. */
const PATIENCE_MS = 2 * LEASE_MS + 2 * SETTLE_MS + BACK_OFF_MS;
/** Killed together; more would wait for each other when their leases end, which is not what is measured. */
const AT_ONCE = 60;

/** Expires them, lets one caller each begin, and kills every process that has come to the point. */
async function killAt(
  bench: Bench,
  site: Site,
  victims: readonly Connected[],
  at: (moment: Moment) => boolean,
): Promise<{ trap: Trap; last: Answer[] }> {
  const trap = new Trap(victims, at, "drop");
  const remove = site.fleet.rules.add(trap.rule);
  await bench.field.connections.expire(victims);
  const ends = performance.now() + PATIENCE_MS;
  // Not all at one moment: when their leases end, they come back as they came.
  const callers = victims.map(async (victim) => {
    await pause(bench.draw.between(0, 3_000));
    return await site.insist(victim, ends, 100);
  });
  await trap.sprung();
  await Promise.all(trap.seats().map((seat) => site.fleet.kill(seat)));
  trap.release();
  const waitAgain = await orphaned(bench, victims);
  const last = await Promise.all(callers);
  await waitAgain();
  remove();
  return { trap, last };
}

const killAfterClaim: Scenario = {
  name: "kill-after-claim",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("killed-after-claim", { "search-persons": 4 });
    const count = size(bench, AT_ONCE, 5 * AT_ONCE);
    const found: Violation[] = [];
    const waited: number[] = [];
    const served: number[] = [];
    const done = { held: 0, kills: 0, recovered: 0 };
    for (let left = count; left > 0; left -= AT_ONCE) {
      const victims = await field.connections.make(Math.min(left, AT_ONCE), field.strict.origin);
      const { trap, last } = await killAt(bench, site, victims, afterClaim);
      const { history, violations } = await verdict(field, site, victims);
      found.push(...violations);
      done.held += trap.held.size;
      done.kills += trap.seats().length;
      done.recovered += last.filter(({ status }) => status === 200).length;
      victims.forEach(({ id }, index) => {
        const began = firstAt(history.entries, "claimed", id);
        waited.push(firstAt(history.entries, "committed", id) - began);
        served.push((last[index]?.ended_at ?? NaN) - began);
      });
    }
    return [{
      scenario: "kill -9 after claim",
      load: `${count} expired connections, ${Math.min(count, AT_ONCE)} at a time, one persistent caller each`,
      faults: `${done.held} claims orphaned by ${done.kills} kills`,
      target: "100 % recover within lease + 1 s, 0 reauthorizations",
      measured: `${done.recovered} of ${count} recovered; caller served after p50 ${
        inMs(percentile(served, 0.5))
      }, max ${inMs(Math.max(...served))} from the claim (lease ${inMs(LEASE_MS)}), new token after max ${
        inMs(Math.max(...waited))
      }; ${countOf(found, FATAL, done.held)}`,
      n: done.held,
      held: done.recovered === count && done.held === count && found.length === 0,
      in_time: Math.max(...served) <= LEASE_MS + 1_000,
      violations: found,
    }];
  },
};

function firstAt(entries: readonly Entry[], what: "claimed" | "committed", connection: string): number {
  return entries.find((entry) => entry.what === what && entry.connection === connection)?.at ?? NaN;
}

const KINDS = {
  strict: { words: "strict", traits: {} },
  lenient: { words: "with grace", traits: { reuse_grace: 10 * 60 } },
  revoking: { words: "reuse revokes", traits: { revokes_on_reuse: true } },
} as const;

/** Half of the victims die with the provider's answer on its way, half with the commit. */
function killBeforeCommit(kind: keyof typeof KINDS): Scenario {
  const { words, traits } = KINDS[kind];
  return {
    name: `kill-before-commit-${kind}`,
    run: async (bench) => {
      const { field } = bench;
      const site = await field.site(`killed-before-commit-${kind}`, { "search-persons": 2 }, { traits });
      const victims = await field.connections.make(size(bench, 50, 100), field[kind].origin);
      const early = new Set(victims.filter((_, index) => index % 2 === 0).map(({ id }) => id));
      const at = (moment: Moment) =>
        early.has(moment.connection) ? afterRotation(moment) : beforeCommit(moment);
      const { trap, last } = await killAt(bench, site, victims, at);
      const { history, violations } = await verdict(field, site, victims);
      const outcome = kind === "lenient"
        ? kept(victims, last, violations)
        : labelled(victims, last, history.events, violations);
      return [{
        scenario: `kill -9 between rotation and commit, ${words}`,
        load: `${victims.length} expired connections, one persistent caller each`,
        faults: `${trap.held.size} rotated tokens lost by ${trap.seats().length} kills`,
        n: trap.held.size,
        violations,
        ...outcome,
      }];
    },
  };
}

type Outcome = Pick<Row, "target" | "measured" | "held">;

function kept(
  victims: readonly Connected[],
  last: readonly Answer[],
  violations: readonly Violation[],
): Outcome {
  const recovered = last.filter(({ status }) => status === 200).length;
  return {
    target: "100 % recovered",
    measured: `${recovered} of ${victims.length} recovered; ${countOf(violations, FATAL, victims.length)}`,
    held: recovered === victims.length && violations.length === 0,
  };
}

function labelled(
  victims: readonly Connected[],
  last: readonly Answer[],
  events: readonly { kind: string; code: string | null }[],
  violations: readonly Violation[],
): Outcome {
  const lost =
    events.filter(({ kind, code }) => kind === "reauthorization_required" && code === "rotation_lost").length;
  const told = last.filter(({ code }) => code === "REAUTHORIZATION_REQUIRED").length;
  return {
    target: "100 % labelled rotation_lost",
    measured: `${lost} of ${victims.length} labelled rotation_lost, ${told} callers told to connect again; ${
      countOf(violations, ["wrong label", "false reauthorization"], victims.length)
    }`,
    held: lost === victims.length && told === victims.length && violations.length === 0,
  };
}

export const crashAfterClaim: Scenario = killAfterClaim;
export const crashes: readonly Scenario[] = [
  killBeforeCommit("strict"),
  killBeforeCommit("lenient"),
  killBeforeCommit("revoking"),
];
