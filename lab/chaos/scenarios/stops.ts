/** Processes that stand still at the worst moment, and go on as if nothing had been. */
import type { Moment } from "../field/moments.ts";
import {
  BACK_OFF_MS,
  countOf,
  FATAL,
  LEASE_MS,
  orphaned,
  pause,
  type Scenario,
  SETTLE_MS,
  size,
  until,
  verdict,
} from "./kit.ts";
import { afterClaim, afterRotation, Trap } from "./trap.ts";

const PATIENCE_MS = LEASE_MS + 2 * SETTLE_MS + BACK_OFF_MS;
const REQUEST_MS = 20_000;

/** One of two processes stands still for longer than its lease: some with the claim in hand, some with the answer. */
function stopped(kind: "strict" | "revoking"): Scenario {
  const strict = kind === "strict";
  return {
    name: strict ? "sigstop" : "sigstop-revoking",
    run: async (bench) => {
      const { field, draw } = bench;
      const traits = { revokes_on_reuse: !strict };
      const site = await field.site(`stopped-${kind}`, { "search-persons": 2 }, { traits });
      const candidates = await field.connections.make(size(bench, 60, 100), field[kind].origin);
      const claimed = new Set(candidates.filter((_, index) => index % 3 === 0).map(({ id }) => id));
      const point = (moment: Moment) =>
        claimed.has(moment.connection) ? afterClaim(moment) : afterRotation(moment);
      const trap = new Trap(candidates, (moment) => moment.seat.place === 0 && point(moment), "pass");
      const remove = site.fleet.rules.add(trap.rule);
      await field.connections.expire(candidates);
      const ends = performance.now() + PATIENCE_MS;
      // Each caller is patient and asks again; the first one may be stuck in the process that stands still.
      const stuck = candidates.map((one) => site.search(one));
      await until(() => trap.held.size >= candidates.length / 2, 12_000);
      const [seat] = trap.seats();
      if (seat === undefined) throw new Error("nothing came to the point");
      await site.fleet.pause(seat);
      const stood_ms = bench.hurried ? 2_000 : draw.between(LEASE_MS + 1_500, LEASE_MS + 8_000);
      trap.release();
      const held = candidates.filter(({ id }) => trap.held.has(id));
      // Where reuse revokes, the lease outlasts the stop: nothing is orphaned, and nobody may take over.
      if (strict) await orphaned(bench, held, { alive: true });
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
        scenario: `SIGSTOP past the lease${strict ? "" : " of 30 s, reuse revokes (lease 60 s)"}`,
        load: `${candidates.length} expired connections, two callers each, 2 processes`,
        faults: `${trap.held.size} refreshes stood still for ${
          (stood_ms / 1000).toFixed(1)
        } s, a third before sending, the others with the answer on its way; ${takeovers} takeovers`,
        target: "0 lost grants that could be kept, 0 false reauthorizations",
        measured: `${served} of ${candidates.length} served in the end; ${
          countOf(violations, [...FATAL, "two leases"], trap.held.size)
        }`,
        n: trap.held.size,
        held: served === candidates.length && violations.length === 0,
        violations,
      }];
    },
  };
}

/**
 * A process gets no time to run while its requests' deadline passes: too short to count as a pause, long enough for the
 * answers, which had left in time, to lie in the socket when the timer fires.
 */
const overTheDeadline: Scenario = {
  name: "starved",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("starved", { "search-persons": 2 });
    const candidates = await field.connections.make(size(bench, 40, 80), field.strict.origin);
    const began = new Map<string, number>();
    const first = Promise.withResolvers<void>();
    const remove = site.fleet.rules.add((moment) => {
      const { connection, seat } = moment;
      if (seat.place !== 0) return null;
      if (moment.at === "claim" && moment.side === "arrived") {
        began.set(connection, performance.now());
        first.resolve();
      }
      if (!afterRotation(moment)) return null;
      const leaves = (began.get(connection) ?? NaN) + REQUEST_MS - 400;
      return pause(Math.max(0, leaves - performance.now())).then(() => "pass");
    });
    await field.connections.expire(candidates);
    const callers = candidates.map((one) => site.search(one));
    await first.promise;
    const [seat] = site.fleet.seats("search-persons");
    if (seat === undefined) throw new Error("nobody stands there");
    const claimed_at = Math.min(...began.values());
    await pause(claimed_at + REQUEST_MS - 600 - performance.now());
    await site.fleet.pause(seat);
    await pause(Math.max(...began.values()) + REQUEST_MS + 500 - performance.now());
    await site.fleet.resume(seat);
    await Promise.all(callers);
    await pause(1_500);
    remove();
    const last = await Promise.all(
      candidates.map((one) => site.insist(one, performance.now() + PATIENCE_MS)),
    );
    const { violations } = await verdict(field, site, candidates);
    const served = last.filter(({ status }) => status === 200).length;
    return [{
      scenario: "A process without time to run at the request's deadline",
      load: `${candidates.length} expired connections, 2 processes`,
      faults:
        `${began.size} answers left 0.4 s before the deadline for a process that stood still until 0.5 s after it`,
      target: "0 lost grants that could be kept",
      measured: `${served} of ${candidates.length} served in the end; ${
        countOf(violations, FATAL, began.size)
      }`,
      n: began.size,
      held: began.size > 0 && violations.length === 0,
      violations,
    }];
  },
};

export const stops: readonly Scenario[] = [stopped("strict"), stopped("revoking"), overTheDeadline];
