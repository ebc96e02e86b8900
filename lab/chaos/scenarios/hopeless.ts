/** A sweep in which some can never be refreshed, and each of them takes as long as a request may. */
import type { Connected } from "../field/connections.ts";
import type { Rule } from "../field/moments.ts";
import type { Site } from "../field/site.ts";
import { type Bench, countOf, FATAL, inMs, pause, type Scenario, size, verdict } from "./kit.ts";

/** What a provider takes to answer the others: so long that places are what is scarce, not this machine. */
const LATENCY_MS = 500;
/** Longer than a request may take. */
const HANG_MS = 22_000;
const QUICK_HANG_MS = 3_000;
/** Of a sweep's places, those that what failed before may take. */
const PLACES = 10;

/** Holds up what is hopeless, and counts how many hang at once: those whose callers still listen. */
class Hang {
  most_at_once = 0;
  readonly #hanging = new Set<() => boolean>();
  readonly #ids: ReadonlySet<string>;

  constructor(hopeless: readonly Connected[], private readonly ms: number) {
    this.#ids = new Set(hopeless.map(({ id }) => id));
  }

  readonly rule: Rule = ({ at, side, connection, listening = () => true }) => {
    if (at !== "token" || side !== "arrived") return null;
    return this.#ids.has(connection) ? this.#hang(() => listening()) : pause(LATENCY_MS).then(() => "pass");
  };

  async #hang(listening: () => boolean): Promise<"drop"> {
    this.#hanging.add(listening);
    const now = [...this.#hanging].filter((listens) => listens()).length;
    this.most_at_once = Math.max(this.most_at_once, now);
    await pause(this.ms);
    this.#hanging.delete(listening);
    return "drop";
  }
}

/** Nobody has used them for a month; where the last refresh failed too, by then. */
async function neglect({ field }: Bench, connections: readonly Connected[], failed: boolean): Promise<void> {
  await field.connections.expire(connections);
  await field.database.sql`
    update oauth.connections
    set refreshed_at = clock_timestamp() - interval '31 days',
        attempts = ${failed ? 1 : 0},
        claimed_at = case when ${failed} then clock_timestamp() - interval '1 day' end
    where id = any(${connections.map(({ id }) => id)})`;
}

/** Sweeps again and again until all of these are refreshed. Returns how long that took, in milliseconds. */
async function sweepUntilRefreshed(
  { field: { database: { sql } } }: Bench,
  site: Site,
  connections: readonly Connected[],
): Promise<number> {
  const ids = connections.map(({ id }) => id);
  const began = performance.now();
  let over = false;
  const sweeping = (async () => {
    while (!over) await site.sweep();
  })();
  const left = async () => {
    const [row] = await sql`
      select count(*)::int as count from oauth.connections
      where id = any(${ids}) and refreshed_at < clock_timestamp() - interval '30 days'`;
    return row?.count;
  };
  while (await left() !== 0) await pause(100);
  const took_ms = performance.now() - began;
  over = true;
  await sweeping;
  return took_ms;
}

export const hopeless: Scenario = {
  name: "hopeless",
  run: async (bench) => {
    const { field, full, say } = bench;
    const site = await field.site("sweeping", { "refresh-token": 1 });
    const due = await field.connections.make(size(bench, 1_600, 10_000), field.strict.origin);
    const well = due.slice(Math.max(15, due.length / 20));
    const never = due.slice(0, due.length - well.length);
    const hang = new Hang(never, full ? HANG_MS : QUICK_HANG_MS);
    const remove = site.fleet.rules.add(hang.rule);
    await neglect(bench, well, false);
    const without_ms = await sweepUntilRefreshed(bench, site, well);
    say(`without the hopeless: ${inMs(without_ms)}`);
    await neglect(bench, well, false);
    await neglect(bench, never, true);
    const with_ms = await sweepUntilRefreshed(bench, site, well);
    remove();
    const { violations } = await verdict(field, site, due);
    const ratio = with_ms / without_ms;
    return [{
      scenario: "Connections that can never be refreshed, in a sweep",
      load: `${due.length} due, answered in ${LATENCY_MS} ms`,
      faults: `${never.length} of them have failed before and hang for ${
        inMs(Math.min(full ? HANG_MS : QUICK_HANG_MS, 21_000))
      } each`,
      target: "all others refreshed, in at most 4/3 of the time that they take alone",
      measured: `${well.length} others refreshed in ${inMs(with_ms)}, alone in ${inMs(without_ms)}: ${
        ratio.toFixed(2)
      }; ${hang.most_at_once} hung at once; ${countOf(violations, FATAL, due.length)}`,
      n: due.length,
      held: hang.most_at_once <= PLACES && violations.length === 0,
      in_time: ratio <= 4 / 3,
      violations,
    }];
  },
};
