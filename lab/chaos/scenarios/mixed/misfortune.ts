import type { Seat } from "../../field/journal.ts";
import type { Moment, Verdict } from "../../field/moments.ts";
import type { Site } from "../../field/site.ts";
import { type Bench, LEASE_MS, pause } from "../kit.ts";
import type { Application } from "./application.ts";

/** When the provider served nobody, whatever we did. */
export interface Outage {
  readonly from: number;
  readonly to: number;
}

export interface Harm {
  /** What was done, and how often. */
  readonly done: ReadonlyMap<string, number>;
  readonly outages: readonly Outage[];
}

const HTML = "<html><title>Something went wrong</title></html>";
const LOST: readonly Verdict[] = ["drop", "truncate", { status: 502, html: HTML }, {
  status: 200,
  html: HTML,
}];
/** Longer than a lease. */
const LONG_PAUSE_MS = { least: LEASE_MS + 2_000, most: LEASE_MS + 6_000 };

/** Outages of the provider are kept this far apart, milliseconds, so that most requests fall outside. */
const OUTAGE_EVERY_MS = 45_000;
const OUTAGES: ReadonlySet<string> = new Set(["503 for all", "invalid_client for all"]);
/** Takes longer than a hurried run. */
const LONG = "SIGSTOP past the lease";

/** One fault after another until then, drawn from the seed; each at least once if time allows. */
export async function misfortune(bench: Bench, site: Site, app: Application, until: number): Promise<Harm> {
  const { draw, field } = bench;
  const done = new Map<string, number>();
  const outages: Outage[] = [];
  const lasting: Promise<unknown>[] = [];
  const troubles: unknown[] = [];
  const kinds = faults(bench, site, app, outages);
  const names = Object.keys(kinds).filter((name) => !bench.hurried || name !== LONG);
  const apart = () => bench.hurried ? draw.between(500, 1_500) : draw.between(1_000, 3_500);
  let calm_until = -Infinity;
  const possible = () => names.filter((name) => !OUTAGES.has(name) || performance.now() >= calm_until);
  for (let drawn = 0; performance.now() < until; drawn++) {
    await pause(apart());
    const name = names[drawn] ?? draw.one(possible());
    if (OUTAGES.has(name)) calm_until = performance.now() + OUTAGE_EVERY_MS;
    done.set(name, (done.get(name) ?? 0) + 1);
    field.journal.record({ what: "fault", how: name });
    // What goes wrong with a fault ends the scenario, and not, before anybody looks, the run.
    lasting.push((kinds[name]?.() ?? Promise.resolve()).catch((error) => troubles.push(error)));
  }
  await Promise.all(lasting);
  if (troubles.length > 0) throw troubles[0];
  return { done, outages };
}

function faults(
  bench: Bench,
  site: Site,
  app: Application,
  outages: Outage[],
): Record<string, () => Promise<unknown>> {
  const { field, draw } = bench;
  const seat = (): Seat =>
    draw.one(["search-persons", "refresh-token"].flatMap((name) => site.fleet.seats(name)));
  /** Some of the requests at this moment, for a while. */
  const some = async (ms: number, share: number, at: (moment: Moment) => boolean, how: () => Verdict) => {
    const remove = site.fleet.rules.add((moment) => at(moment) && draw() < share ? how() : null);
    await pause(ms);
    remove();
  };
  const stop = async (ms: number) => {
    // One of each function must go on, or the gateway would have nobody to ask.
    const stopped = draw.one(site.fleet.seats("search-persons"));
    if (!await site.fleet.pause(stopped)) return;
    await pause(ms);
    await site.fleet.resume(stopped);
  };
  const outage = async (begin: () => Promise<unknown>, end: () => Promise<unknown>) => {
    const from = performance.now();
    await begin();
    await pause(draw.between(4_000, 8_000));
    await end();
    outages.push({ from, to: performance.now() });
  };
  const token = (side: Moment["side"]) => (moment: Moment) => moment.at === "token" && moment.side === side;
  const database = (moment: Moment) =>
    moment.at === "claim" || moment.at === "commit" || moment.at === "fail";
  let back = () => {};
  return {
    "kill -9": () => site.fleet.kill(seat()),
    "kill -9 at a commit": () => killAtCommit(site),
    "SIGSTOP past the lease": () => stop(draw.between(LONG_PAUSE_MS.least, LONG_PAUSE_MS.most)),
    "SIGSTOP for seconds": () => stop(draw.between(500, 4_000)),
    "connections terminated": () => field.database.cutConnections(),
    "immediate restart": () => field.database.crash(),
    "requests lost before the provider": () => some(3_000, 0.5, token("arrived"), () => draw.one(LOST)),
    "answers lost after the provider": () => some(3_000, 0.2, token("answered"), () => draw.one(LOST)),
    "answers of REST lost": () => some(3_000, 0.3, database, () => "drop"),
    "slow provider": () => slowly(bench, site),
    "disconnect, connect again": () => app.changeMind(draw.one(app.connections)),
    "503 for all": () =>
      outage(
        () =>
          Promise.resolve(
            back = site.fleet.rules.add((one) => token("arrived")(one) ? { status: 503, html: HTML } : null),
          ),
        () => Promise.resolve(back()),
      ),
    "invalid_client for all": () =>
      outage(
        () => field.strict.control.register({ client_secret: "changed at the provider" }),
        () => field.strict.control.register({ client_secret: field.strict.client.client_secret }),
      ),
    sweep: () => site.sweep().catch(() => {}),
  };
}

/** The next commit that arrives finds its process dead. */
async function killAtCommit(site: Site): Promise<void> {
  let over = false;
  const remove = site.fleet.rules.add(({ at, side, seat }) => {
    if (over || at !== "commit" || side !== "arrived") return null;
    over = true;
    return site.fleet.kill(seat).then(() => "drop");
  });
  await pause(5_000);
  remove();
}

/** For a while each answer takes its own time, some almost as long as a request may. */
async function slowly({ draw, hurried }: Bench, site: Site): Promise<void> {
  const remove = site.fleet.rules.add(({ at, side }) => {
    if (at !== "token" || side !== "answered") return null;
    const most = hurried ? 6_000 : 19_000;
    return pause(draw() < 0.8 ? draw.between(100, 3_000) : draw.between(3_000, most)).then(() => "pass");
  });
  await pause(5_000);
  remove();
}
