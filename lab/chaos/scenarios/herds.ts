/** Many callers, one refresh. */
import type { Connected } from "../field/connections.ts";
import { startChild } from "../field/child.ts";
import type { Answer, Site } from "../field/site.ts";
import {
  type Bench,
  codesOf,
  countOf,
  inMs,
  percentile,
  presentations,
  type Row,
  type Scenario,
  size,
  until,
  verdict,
} from "./kit.ts";

const SIZES = { "search-persons": 4, "refresh-token": 2, "oauth-callback": 1 };

function mainSite({ field }: Bench): Promise<Site> {
  return field.site("main", SIZES);
}

function herd(callers: number, quick: number): Scenario {
  return {
    name: `herd-${callers}`,
    run: async (bench) => {
      const site = await mainSite(bench);
      const rounds = size(bench, quick, 200);
      return [
        await rush(bench, site, { callers, rounds, scenario: "One expired connection", faults: "none" }),
      ];
    },
  };
}

interface Rush {
  readonly callers: number;
  readonly rounds: number;
  readonly scenario: string;
  readonly faults: string;
}

/** Round after round a connection expires and everybody comes at once. */
async function rush(bench: Bench, site: Site, { callers, rounds, scenario, faults }: Rush): Promise<Row> {
  const { field } = bench;
  const [connection] = await field.connections.make(1, field.strict.origin);
  if (connection === undefined) throw new Error("no connection was made");
  const calls: number[] = [];
  const took: number[] = [];
  const failures: Answer[] = [];
  for (let round = 0; round < rounds; round++) {
    if (round > 0 && round % 20 === 0) bench.say(`${callers} callers: ${round} of ${rounds} rounds`);
    await field.connections.expire([connection]);
    const before = field.journal.entries.length;
    const answers = await Promise.all(Array.from({ length: callers }, () => site.search(connection)));
    calls.push(presentations(field.journal.entries.slice(before), [connection]));
    failures.push(...answers.filter(({ status }) => status !== 200));
    took.push(...answers.map(({ started_at, ended_at }) => ended_at - started_at));
  }
  const { violations } = await verdict(field, site, [connection]);
  const mean = calls.reduce((sum, one) => sum + one, 0) / rounds;
  return {
    scenario,
    load: `${callers} callers at once over ${site.fleet.seats("search-persons").length} processes`,
    faults,
    target: "1.000 token calls a round, 0 failed callers",
    measured: `${mean.toFixed(3)} calls a round (max ${Math.max(...calls)}), ${failures.length} failed of ${
      callers * rounds
    }${failures.length > 0 ? ` (${codesOf(failures)})` : ""}; p50 ${inMs(percentile(took, 0.5))}, p99 ${
      inMs(percentile(took, 0.99))
    }`,
    n: rounds,
    held: mean === 1 && Math.max(...calls) === 1 && failures.length === 0 && violations.length === 0,
    violations,
  };
}

const wave: Scenario = {
  name: "wave",
  run: async (bench) => {
    const { field, draw } = bench;
    const site = await mainSite(bench);
    const count = size(bench, 500, 2000);
    const over_ms = bench.full ? 60_000 : 15_000 / bench.less;
    const connections = await field.connections.make(count, field.strict.origin);
    await field.connections.expire(connections);
    const probe = await startChild(new URL("../field/probe_process.ts", import.meta.url), {
      database_url: field.database.url,
    });
    const before = field.journal.entries.length;
    const answers = await Promise.all(connections.map(async (connection) => {
      const wait = draw.between(0, over_ms);
      await new Promise((resolve) => setTimeout(resolve, wait));
      return await Promise.all([1, 2, 3].map(() => site.search(connection)));
    }));
    const calls = presentations(field.journal.entries.slice(before), connections);
    const probed: number[] = JSON.parse(await probe.stop());
    const { violations } = await verdict(field, site, connections);
    const failures = answers.flat().filter(({ status }) => status !== 200);
    const p99 = percentile(probed, 0.99);
    const took = answers.flat().map(({ started_at, ended_at }) => ended_at - started_at);
    return [{
      scenario: "Many expire together",
      load: `${count} connections within ${Math.round(over_ms / 1000)} s, 3 callers each`,
      faults: "none",
      target: `${count} token calls; an unrelated query's p99 under 100 ms meanwhile`,
      measured: `${calls} token calls, ${failures.length} failed of ${count * 3}${
        failures.length > 0 ? ` (${codesOf(failures)})` : ""
      }, p99 ${inMs(percentile(took, 0.99))}; query p50 ${percentile(probed, 0.5).toFixed(1)} ms, p99 ${
        p99.toFixed(1)
      } ms (n = ${probed.length})`,
      n: count,
      held: calls === count && failures.length === 0 && violations.length === 0,
      in_time: p99 < 100,
      violations,
    }];
  },
};

/** The API refuses a version before its time, for everybody at once. */
function storm(callers: number, quick: number, whole: number): Scenario {
  return {
    name: `storm-${callers}`,
    run: async (bench) => {
      const { field } = bench;
      const site = await mainSite(bench);
      const rounds = size(bench, quick, whole);
      const [connection] = await field.connections.make(1, field.strict.origin);
      if (connection === undefined) throw new Error("no connection was made");
      const refreshes: number[] = [];
      const replays: number[] = [];
      const answers = [];
      for (let round = 0; round < rounds; round++) {
        await allowForcedRefreshes(bench, connection);
        await field.strict.control.expire_access_tokens();
        const before = field.journal.entries.length;
        const searches = (await field.strict.control.counts()).requests.search;
        answers.push(...await Promise.all(Array.from({ length: callers }, () => site.search(connection))));
        refreshes.push(presentations(field.journal.entries.slice(before), [connection]));
        replays.push((await field.strict.control.counts()).requests.search - searches - callers);
      }
      const { violations } = await verdict(field, site, [connection]);
      const failed = answers.filter(({ status }) => status !== 200).length;
      const most = Math.max(...replays);
      return [{
        scenario: "401 storm",
        load: `${callers} callers at once, their token refused before its time`,
        faults: "the API answers 401 to one version",
        target: "1 refresh, each call replayed at most once",
        measured: `${(refreshes.reduce((a, b) => a + b, 0) / rounds).toFixed(3)} refreshes a round (max ${
          Math.max(...refreshes)
        }), at most ${most} replays of ${callers} calls, ${failed} failed (${codesOf(answers)})`,
        n: rounds,
        held: Math.max(...refreshes) === 1 && most <= callers && failed === 0 && violations.length === 0,
        violations,
      }];
    },
  };
}

/** Of a token that is not young ten at once and one a minute; a run asks for more in a minute than a user ever does. */
async function allowForcedRefreshes({ field }: Bench, { id }: Connected): Promise<void> {
  await field.database.sql`
    update oauth.connections set forced_until = null, refreshed_at = refreshed_at - interval '10 s' where id = ${id}`;
}

const skewed: Scenario = {
  name: "skew",
  run: async (bench) => {
    const site = await bench.field.site("skewed", { "search-persons": 3 }, {
      skew: [600_000, -600_000, 0],
    });
    const rounds = size(bench, 20, 200);
    // What the processes themselves say: a shift that did not take place would prove nothing.
    const off = site.fleet.skews.map((ms) => Math.round(ms / 1_000)).sort((a, b) => a - b);
    const faults = `wall clocks off by ${off.join(", ")} s`;
    const row = await rush(bench, site, { callers: 12, rounds, scenario: "Clock skew", faults });
    return [{ ...row, held: row.held && off.join() === "-600,0,600" }];
  },
};

const cancelled: Scenario = {
  name: "cancel",
  run: async (bench) => {
    const { field, draw } = bench;
    const site = await mainSite(bench);
    const connections = await field.connections.make(size(bench, 60, 300), field.strict.origin);
    await field.connections.expire(connections);
    const before = field.journal.entries.length;
    const remove = site.fleet.rules.add(({ at, side }) => {
      if (at !== "token" || side !== "answered") return null;
      return new Promise((resolve) => setTimeout(() => resolve("pass"), draw.between(0, 200)));
    });
    const callers = connections.flatMap((connection) =>
      [1, 2, 3].map(() => site.search(connection, AbortSignal.timeout(Math.ceil(draw.between(1, 300)))))
    );
    const answers = await Promise.all(callers);
    const begun = () => {
      const entries = field.journal.entries.slice(before);
      const count = (what: string) => entries.filter((entry) => entry.what === what).length;
      return count("presented") > count("committed");
    };
    await until(() => !begun(), 10_000);
    const after = await Promise.all(connections.map((connection) => site.search(connection)));
    remove();
    const { history, violations } = await verdict(field, site, connections);
    const left = answers.filter(({ hung_up }) => hung_up).length;
    const served = after.filter(({ status }) => status === 200).length;
    const calls = presentations(history.entries);
    return [{
      scenario: "Cancelled clients",
      load: `${callers.length} callers of ${connections.length} expired connections`,
      faults: `${left} hung up after 1–300 ms`,
      target: "0 lost refreshes, 0 lost grants, 0 false reauthorizations",
      measured: `${calls} token calls for ${connections.length} connections, ${served} served afterwards; ${
        countOf(violations, ["lost grant", "false reauthorization"], left)
      }`,
      n: left,
      held: calls === connections.length && served === connections.length && violations.length === 0,
      violations,
    }];
  },
};

export const herds: readonly Scenario[] = [
  herd(50, 40),
  herd(500, 4),
  wave,
  storm(100, 4, 20),
  storm(500, 1, 10),
  skewed,
  cancelled,
];
