/** Processes that die or stand still at the worst moment. */
import type { Connected } from "../field/connections.ts";
import type { Entry } from "../field/journal.ts";
import type { Moment } from "../field/moments.ts";
import type { Answer, Site } from "../field/site.ts";
import {
  type Bench,
  countOf,
  FATAL,
  inMs,
  orphaned,
  pause,
  percentile,
  type Row,
  type Scenario,
  size,
  until,
  verdict,
} from "./kit.ts";
import { afterClaim, afterRotation, beforeCommit, Trap } from "./trap.ts";

const LEASE_MS = 25_000;
const SIZES = { "search-persons": 4 };
/** Longer than lease, settle time and every back-off together. */
const PATIENCE_MS = 110_000;

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
    const site = await field.site("killed-after-claim", SIZES);
    const victims = await field.connections.make(size(bench, 60, 300), field.strict.origin);
    const { trap, last } = await killAt(bench, site, victims, afterClaim);
    const { history, violations } = await verdict(field, site, victims);
    const began = victims.map(({ id }) => firstAt(history.entries, "claimed", id));
    const waited = victims.map(({ id }, index) =>
      firstAt(history.entries, "committed", id) - (began[index] ?? NaN)
    );
    const served = last.map(({ ended_at }, index) => ended_at - (began[index] ?? NaN));
    const recovered = last.filter(({ status }) => status === 200).length;
    const longest = Math.max(...waited);
    return [{
      scenario: "kill -9 after claim",
      load: `${victims.length} expired connections, one persistent caller each`,
      faults: `${trap.held.size} claims orphaned by ${trap.seats().length} kills`,
      target: "100 % recover within lease + 1 s, 0 reauthorizations",
      measured: `${recovered} of ${victims.length} recovered, from claim to new token p50 ${
        inMs(percentile(waited, 0.5))
      }, max ${inMs(longest)} (lease ${inMs(LEASE_MS)}), caller served max ${inMs(Math.max(...served))}; ${
        countOf(violations, FATAL)
      }`,
      n: trap.held.size,
      held: recovered === victims.length && longest <= LEASE_MS + 1_000 && violations.length === 0,
      violations,
    }];
  },
};

function firstAt(entries: readonly Entry[], what: "claimed" | "committed", connection: string): number {
  return entries.find((entry) => entry.what === what && entry.connection === connection)?.at ?? NaN;
}

/** Half of the victims die with the provider's answer on its way, half with the commit. */
function killBeforeCommit(kind: "strict" | "lenient"): Scenario {
  return {
    name: `kill-before-commit-${kind}`,
    run: async (bench) => {
      const { field } = bench;
      const site = await field.site(`killed-before-commit-${kind}`, { "search-persons": 2 });
      const victims = await field.connections.make(size(bench, 50, 300), field[kind].origin);
      const early = new Set(victims.filter((_, index) => index % 2 === 0).map(({ id }) => id));
      const at = (moment: Moment) =>
        early.has(moment.connection) ? afterRotation(moment) : beforeCommit(moment);
      const { trap, last } = await killAt(bench, site, victims, at);
      const { history, violations } = await verdict(field, site, victims);
      return [
        kind === "strict" ? strictRow(victims, trap, last, history.events, violations) : {
          scenario: "kill -9 between rotation and commit, with grace",
          load: `${victims.length} expired connections, one persistent caller each`,
          faults: `${trap.held.size} rotated tokens lost by ${trap.seats().length} kills`,
          target: "100 % recovered",
          measured: `${last.filter(({ status }) => status === 200).length} of ${victims.length} recovered; ${
            countOf(violations, FATAL)
          }`,
          n: trap.held.size,
          held: last.every(({ status }) => status === 200) && violations.length === 0,
          violations,
        },
      ];
    },
  };
}

function strictRow(
  victims: readonly Connected[],
  trap: Trap,
  last: readonly Answer[],
  events: readonly { kind: string; code: string | null }[],
  violations: Row["violations"],
): Row {
  const labelled = events.filter(({ kind, code }) =>
    kind === "reauthorization_required" && code === "rotation_lost"
  );
  const told = last.filter(({ code }) => code === "REAUTHORIZATION_REQUIRED").length;
  return {
    scenario: "kill -9 between rotation and commit, strict",
    load: `${victims.length} expired connections, one persistent caller each`,
    faults: `${trap.held.size} rotated tokens lost by ${trap.seats().length} kills`,
    target: "100 % labelled rotation_lost",
    measured:
      `${labelled.length} of ${victims.length} labelled rotation_lost, ${told} callers told to connect again; ${
        countOf(violations, ["wrong label", "false reauthorization"])
      }`,
    n: trap.held.size,
    held: labelled.length === victims.length && told === victims.length && violations.length === 0,
    violations,
  };
}

/** One of two processes stands still for longer than its lease: some with the claim in hand, some with the answer. */
const stopped: Scenario = {
  name: "sigstop",
  run: async (bench) => {
    const { field, draw } = bench;
    const site = await field.site("stopped", { "search-persons": 2 });
    const candidates = await field.connections.make(size(bench, 60, 300), field.strict.origin);
    const claimed = new Set(candidates.filter((_, index) => index % 3 === 0).map(({ id }) => id));
    const point = (moment: Moment) =>
      claimed.has(moment.connection) ? afterClaim(moment) : afterRotation(moment);
    const trap = new Trap(candidates, (moment) => moment.seat.place === 0 && point(moment), "pass");
    const remove = site.fleet.rules.add(trap.rule);
    await field.connections.expire(candidates);
    const ends = performance.now() + PATIENCE_MS;
    // Each caller is patient and asks again; the first one may be stuck in the process that stands still.
    const stuck = candidates.map((one) => site.search(one));
    await until(() => trap.held.size >= candidates.length / 2, 3_000);
    const [seat] = trap.seats();
    if (seat === undefined) throw new Error("nothing came to the point");
    await site.fleet.pause(seat);
    const stood_ms = bench.hurried ? 2_000 : draw.between(LEASE_MS + 1_500, LEASE_MS + 8_000);
    trap.release();
    const held = candidates.filter(({ id }) => trap.held.has(id));
    await orphaned(bench, held, { alive: true });
    const others = candidates.map((one) => site.insist(one, ends));
    await pause(stood_ms);
    await site.fleet.resume(seat);
    await Promise.all(stuck);
    const last = await Promise.all(others);
    await pause(1_000);
    remove();
    const { history, violations } = await verdict(field, site, candidates);
    const takeovers = history.entries.filter((entry) => entry.what === "claimed" && entry.takeover).length;
    const served = last.filter(({ status }) => status === 200).length;
    return [{
      scenario: "SIGSTOP past the lease",
      load: `${candidates.length} expired connections, two callers each, 2 processes`,
      faults: `${trap.held.size} refreshes stood still for ${
        (stood_ms / 1000).toFixed(1)
      } s, a third before sending, the others with the answer on its way; ${takeovers} takeovers`,
      target: "0 lost grants that could be kept, 0 false reauthorizations",
      measured: `${served} of ${candidates.length} served in the end; ${
        countOf(violations, [...FATAL, "two leases"])
      }`,
      n: trap.held.size,
      held: served === candidates.length && violations.length === 0,
      violations,
    }];
  },
};

/** Its times are measured, so nothing runs beside it. */
export const crashAfterClaim: Scenario = killAfterClaim;
export const crashes: readonly Scenario[] = [
  killBeforeCommit("strict"),
  killBeforeCommit("lenient"),
  stopped,
];
