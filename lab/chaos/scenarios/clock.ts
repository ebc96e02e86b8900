/** The database's clock is set back an hour: what had been written with the old one lies an hour ahead. */
import type { Connected } from "../field/connections.ts";
import { seatName } from "../field/seat.ts";
import {
  type Bench,
  countOf,
  FATAL,
  inMs,
  LEASE_MS,
  orphaned,
  pause,
  type Scenario,
  size,
  verdict,
} from "./kit.ts";
import { afterClaim, Trap } from "./trap.ts";

const SET_BACK_MS = 3_600_000;
const HTML = "<html><title>Scheduled maintenance</title></html>";

/** As if its clock had gone an hour fast when it wrote these. */
async function setBack({ field }: Bench, connections: readonly Connected[]): Promise<void> {
  const ids = connections.map(({ id }) => id);
  for (const connection of ids) field.journal.record({ what: "lease_ended", connection });
  await field.database.sql`
    update oauth.connections
    set lease_until = lease_until + ${SET_BACK_MS} * interval '1 ms',
        claimed_at = claimed_at + ${SET_BACK_MS} * interval '1 ms',
        unsettled_until = unsettled_until + ${SET_BACK_MS} * interval '1 ms',
        next_attempt_at = next_attempt_at + ${SET_BACK_MS} * interval '1 ms',
        refreshed_at = refreshed_at + ${SET_BACK_MS} * interval '1 ms',
        updated_at = updated_at + ${SET_BACK_MS} * interval '1 ms'
    where id = any(${ids})`;
}

/** Half have lost their holder with the claim in hand, half have just failed and wait to try again. */
export const clock: Scenario = {
  name: "clock-back",
  run: async (bench) => {
    const { field, hurried } = bench;
    const site = await field.site("clock-back", { "search-persons": 2 });
    const connections = await field.connections.make(size(bench, 40, 80), field.strict.origin);
    const crashed = connections.filter((_, index) => index % 2 === 0);
    const failed = connections.filter((_, index) => index % 2 === 1);
    const trap = new Trap(crashed, afterClaim, "drop");
    const failing = new Set(failed.map(({ id }) => id));
    const removes = [
      site.fleet.rules.add(trap.rule),
      site.fleet.rules.add(({ at, side, connection }) =>
        at === "token" && side === "arrived" && failing.has(connection) ? { status: 503, html: HTML } : null
      ),
    ];
    await field.connections.expire(connections);
    const stuck = crashed.map((one) => site.search(one));
    await Promise.all(failed.map((one) => site.search(one)));
    await trap.sprung();
    await Promise.all(trap.seats().map((seat) => site.fleet.kill(seat)));
    trap.release();
    await Promise.all(stuck);
    for (const remove of removes) remove();
    await setBack(bench, connections);
    const began = performance.now();
    const callers = connections.map((one) => site.insist(one, began + 2 * LEASE_MS, 200));
    const waitAgain = hurried ? await onceBelieved(bench, crashed) : () => Promise.resolve();
    const last = await Promise.all(callers);
    await waitAgain();
    const { violations } = await verdict(field, site, connections);
    const served = last.filter(({ status }) => status === 200);
    const slowest = Math.max(...served.map(({ ended_at }) => ended_at - began));
    return [{
      scenario: "The database's clock is set back an hour",
      load: `${connections.length} expired connections, one persistent caller each`,
      faults: `${crashed.length} leases whose holders were killed (${
        trap.seats().map(seatName).length
      } processes) and ${failed.length} back-offs, all an hour ahead`,
      target: "everybody served within lease + 2 s",
      measured: `${served.length} of ${connections.length} served, the last after ${inMs(slowest)}; ${
        countOf(violations, FATAL, connections.length)
      }`,
      n: connections.length,
      held: served.length === connections.length && violations.length === 0,
      in_time: slowest <= LEASE_MS + 2_000,
      violations,
    }];
  },
};

/** A hurried run ends the leases as soon as nobody believes any more that they last an hour. */
async function onceBelieved(bench: Bench, connections: readonly Connected[]): Promise<() => Promise<void>> {
  const { sql } = bench.field.database;
  let far = connections.length;
  const ends = performance.now() + LEASE_MS;
  while (far > 0 && performance.now() < ends) {
    await pause(200);
    const [row] = await sql`
      select count(*)::int as far from oauth.connections
      where id = any(${connections.map(({ id }) => id)})
        and lease_until > clock_timestamp() + ${2 * LEASE_MS} * interval '1 ms'`;
    far = Number(row?.far);
  }
  return far === 0 ? await orphaned(bench, connections) : () => Promise.resolve();
}
