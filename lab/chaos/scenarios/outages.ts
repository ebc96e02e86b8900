/** A provider, or its operator, that fails everybody for a while. */
import type { Connected } from "../field/connections.ts";
import type { Verdict } from "../field/moments.ts";
import type { Answer, Site } from "../field/site.ts";
import {
  type Bench,
  codesOf,
  countOf,
  FATAL,
  hurry,
  inMs,
  pause,
  presentations,
  type Scenario,
  size,
  until,
  verdict,
} from "./kit.ts";

const HTML = "<html><title>Scheduled maintenance</title></html>";
/** Requests a second, whatever becomes of them. */
const RATE = 20;
const RECOVERY_MS = 60_000;
/** One function's processes: each has a breaker of its own. */
const PROCESSES = { "search-persons": 2 };
/** A breaker lets everybody's first try through, and seldom asks again: how many of these calls, in percent of the traffic, are not a process's first for a connection. */
function shareOfRepeats(
  attempts: number,
  answers: readonly Answer[],
  connections: readonly Connected[],
  processes: number,
): number {
  return 100 * Math.max(0, attempts - connections.length * processes) / answers.length;
}

/** Long enough that the breakers' first failures weigh little: what is measured is their steady state. */
const SHORTEST_MS = 15_000;

/** A steady stream of requests, each for a connection drawn at random, until it is ended. */
function traffic(
  { draw }: Bench,
  site: Site,
  connections: readonly Connected[],
): { lasted(ms: number): Promise<number>; end(): Promise<Answer[]> } {
  const began = performance.now();
  const asked: Promise<Answer>[] = [];
  let over = false;
  const running = (async () => {
    while (!over) {
      asked.push(site.search(draw.one(connections)));
      await pause(1_000 / RATE);
    }
  })();
  return {
    /** A machine that is too busy to send what belongs to this time takes longer; shares would mean something else. */
    lasted: async (ms) => {
      await pause(ms);
      await until(() => asked.length >= RATE * ms / 1_000, 3 * ms);
      return performance.now() - began;
    },
    end: async () => {
      over = true;
      await running;
      return await Promise.all(asked);
    },
  };
}

/** How long until every one of them is served again. */
async function recovery(
  { field, hurried }: Bench,
  site: Site,
  connections: readonly Connected[],
): Promise<{ ms: number; served: number }> {
  const began = performance.now();
  const stop = hurried ? hurry(field, connections.map(({ id }) => id)) : () => Promise.resolve();
  const last = await Promise.all(connections.map((one) => site.insist(one, began + 2 * RECOVERY_MS)));
  await stop();
  return { ms: performance.now() - began, served: last.filter(({ status }) => status === 200).length };
}

const tokenEndpoint: Scenario = {
  name: "outage-token-endpoint",
  run: async (bench) => {
    const { field, draw } = bench;
    const site = await field.site("outage", PROCESSES);
    const connections = await field.connections.make(size(bench, 100, 100), field.strict.origin);
    const alive = connections.slice(0, connections.length / 2);
    const expired = connections.slice(connections.length / 2);
    const down_ms = bench.full ? 60_000 : Math.max(SHORTEST_MS, 30_000 / bench.less);
    const ways: Verdict[] = [{ status: 503, html: HTML }, { status: 502, html: HTML }, "drop"];
    // Past their leeway after the outage only: until then they are due for a refresh, and work.
    await field.connections.expire(alive, down_ms + 120_000, down_ms + 180_000);
    await field.connections.expire(expired);
    const before = field.journal.entries.length;
    const remove = site.fleet.rules.add(({ at, side }) =>
      at === "token" && side === "arrived" ? draw.one(ways) : null
    );
    field.journal.record({ what: "fault", how: "token endpoint down" });
    const load = traffic(bench, site, connections);
    const lasted_ms = await load.lasted(down_ms);
    const attempts = presentations(field.journal.entries.slice(before), connections);
    const answers = await load.end();
    remove();
    field.journal.record({ what: "fault", how: "token endpoint back" });
    const { ms, served } = await recovery(bench, site, connections);
    const { violations } = await verdict(field, site, connections);
    const living = new Set(alive.map(({ id }) => id));
    const ofLiving = answers.filter(({ connection }) => living.has(connection));
    const unserved = ofLiving.filter(({ status }) => status !== 200);
    const processes = site.fleet.seats("search-persons").length;
    const share = shareOfRepeats(attempts, answers, connections, processes);
    return [{
      scenario: "Token endpoint down",
      load:
        `${answers.length} requests at ${RATE}/s, half for ${alive.length} living tokens due for a refresh, half for ${expired.length} expired ones`,
      faults: `503, 502 and dropped connections for ${Math.round(lasted_ms / 1000)} s`,
      target:
        "living tokens served; after the first try of a connection refreshes under 10 % of traffic; recovery within 60 s; 0 reauthorizations",
      measured: `${
        ofLiving.length - unserved.length
      } of ${ofLiving.length} requests with a living token served; ${attempts} token calls by ${processes} processes, those after a first try ${
        share.toFixed(1)
      } % of traffic; all ${served} of ${connections.length} served ${
        inMs(ms)
      } after its return; others were told ${codesOf(answers.filter(({ status }) => status !== 200))}; ${
        countOf(violations, FATAL, connections.length)
      }`,
      n: answers.length,
      held: unserved.length === 0 && share < 10 && served === connections.length && violations.length === 0,
      in_time: ms <= RECOVERY_MS,
      violations,
    }];
  },
};

/** What an operator's fault must not touch. */
async function stateOf({ field }: Bench, connections: readonly Connected[]): Promise<string> {
  const rows = await field.database.sql`
    select id, status, version, unsettled_until from oauth.connections
    where id = any(${connections.map(({ id }) => id)}) order by id`;
  return JSON.stringify(rows);
}

const wrongSecret: Scenario = {
  name: "operator-invalid-client",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("misconfigured", PROCESSES);
    const connections = await field.connections.make(size(bench, 60, 100), field.moody.origin);
    const down_ms = bench.full ? 60_000 : Math.max(SHORTEST_MS, 20_000 / bench.less);
    await field.connections.expire(connections);
    const state = await stateOf(bench, connections);
    const before = field.journal.entries.length;
    await field.moody.control.register({ client_secret: "changed at the provider" });
    field.journal.record({ what: "fault", how: "invalid_client" });
    const load = traffic(bench, site, connections);
    const lasted_ms = await load.lasted(down_ms);
    const attempts = presentations(field.journal.entries.slice(before), connections);
    const answers = await load.end();
    const changed = await stateOf(bench, connections) !== state;
    await field.moody.control.register({ client_secret: field.moody.client.client_secret });
    const { ms, served } = await recovery(bench, site, connections);
    const { violations } = await verdict(field, site, connections);
    const processes = site.fleet.seats("search-persons").length;
    const share = shareOfRepeats(attempts, answers, connections, processes);
    return [{
      scenario: "Wrong client secret (invalid_client)",
      load: `${answers.length} requests at ${RATE}/s for ${connections.length} expired connections`,
      faults: `the provider refuses our client for ${Math.round(lasted_ms / 1000)} s`,
      target:
        "0 changes of status, version or unsettled time; after the first try of a connection refreshes under 10 % of traffic; recovery within 60 s",
      measured: `state ${
        changed ? "CHANGED" : "unchanged"
      }; ${attempts} token calls by ${processes} processes, those after a first try ${
        share.toFixed(1)
      } % of traffic; callers were told ${codesOf(answers)}; ${served} of ${connections.length} served ${
        inMs(ms)
      } after it was mended; ${countOf(violations, FATAL, connections.length)}`,
      n: connections.length,
      held: !changed && share < 10 && served === connections.length &&
        violations.length === 0,
      in_time: ms <= RECOVERY_MS,
      violations,
    }];
  },
};

const missingKey: Scenario = {
  name: "operator-missing-key",
  run: async (bench) => {
    const { field } = bench;
    const another = `other:${"A".repeat(42)}E`;
    const site = await field.site("keyless", { "search-persons": 1 }, {
      env: { TOKEN_ENCRYPTION_KEYS: another },
    });
    const connections = await field.connections.make(size(bench, 30, 100), field.strict.origin);
    await field.connections.expire(connections.slice(connections.length / 2));
    const state = await stateOf(bench, connections);
    const answers = await Promise.all(connections.map((one) => site.search(one)));
    const changed = await stateOf(bench, connections) !== state;
    const { history, violations } = await verdict(field, site, connections);
    const attempts = presentations(history.entries);
    const told = answers.filter(({ code }) => code === "CONFIGURATION_INVALID").length;
    return [{
      scenario: "Missing encryption key",
      load: `${connections.length} connections, half of them expired`,
      faults: "a process that was not given the key",
      target: "0 changes of status, version or unsettled time; no token sent",
      measured: `state ${
        changed ? "CHANGED" : "unchanged"
      }; ${attempts} token calls; ${told} of ${answers.length} callers told CONFIGURATION_INVALID; ${
        countOf(violations, FATAL, connections.length)
      }`,
      n: connections.length,
      held: !changed && attempts === 0 && told === answers.length && violations.length === 0,
      violations,
    }];
  },
};

export const outages: readonly Scenario[] = [tokenEndpoint, wrongSecret, missingKey];
