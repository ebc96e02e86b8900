/** What happens while a slow provider is awaited: other callers come, users change their minds. */
import type { Connected } from "../field/connections.ts";
import type { Site } from "../field/site.ts";
import { afterRotation } from "./trap.ts";
import { type Bench, codesOf, countOf, pause, presentations, type Scenario, size, verdict } from "./kit.ts";

/** Longer than the slowest answer, and the waits of those who come meanwhile. */
const PATIENCE_MS = 120_000;

const slow: Scenario = {
  name: "slow-provider",
  run: async (bench) => {
    const { field, draw } = bench;
    const site = await field.site("slow", { "search-persons": 2, "refresh-token": 1 });
    const connections = await field.connections.make(size(bench, 60, 120), field.strict.origin);
    const waits: number[] = [];
    const remove = site.fleet.rules.add((moment) => {
      if (!afterRotation(moment)) return null;
      const wait = draw.between(100, 19_000);
      waits.push(wait);
      return pause(wait).then(() => "pass");
    });
    await field.connections.expire(connections);
    const ends = performance.now() + PATIENCE_MS;
    const last = await Promise.all(connections.flatMap((connection) =>
      [0, 1].map(async () => {
        await pause(draw.between(0, 50 * connections.length));
        return await site.insist(connection, ends, 1_000);
      })
    ));
    remove();
    const { history, violations } = await verdict(field, site, connections);
    const calls = presentations(history.entries);
    const served = last.filter(({ status }) => status === 200).length;
    // A machine that is slow itself can make an answer late; then the checker judges whether it was.
    const late = new Set(
      history.events.filter(({ code }) => code === "timeout").map(({ connection }) => connection),
    );
    const inTime = connections.filter(({ id }) => !late.has(id));
    const once = inTime.filter(({ id }) =>
      presentations(history.entries.filter((entry) => "connection" in entry && entry.connection === id)) === 1
    );
    const let_down = last.filter(({ connection, status }) => status !== 200 && !late.has(connection)).length;
    return [{
      scenario: "Slow provider",
      load: `${connections.length} expired connections, 2 callers each`,
      faults: `token endpoint takes ${(Math.min(...waits) / 1000).toFixed(1)}–${
        (Math.max(...waits) / 1000).toFixed(1)
      } s`,
      target: "one token call each, 0 lost grants, every caller answered",
      measured:
        `${calls} token calls, ${served} of ${last.length} callers served in the end; ${late.size} answers came after the request's deadline (20 s from the claim's answer); ${
          countOf(violations, ["double spend", "lost grant", "no answer", "late answer"], connections.length)
        }`,
      n: connections.length,
      held: once.length === inTime.length && let_down === 0 && violations.length === 0,
      in_time: late.size === 0,
      violations,
    }];
  },
};

/** While the provider's answer, or the commit, is on its way, the user disconnects; every third connects again. */
const races: Scenario = {
  name: "disconnect",
  run: async (bench) => {
    const { field, draw } = bench;
    const site = await field.site("races", { "search-persons": 2, "oauth-callback": 1 });
    const connections = await field.connections.make(size(bench, 90, 180), field.strict.origin);
    const plan = new Map(connections.map((connection, index) => [connection.id, { connection, index }]));
    const raced: Promise<unknown>[] = [];
    const remove = site.fleet.rules.add((moment) => {
      const planned = plan.get(moment.connection);
      const point = planned !== undefined && planned.index % 2 === 0 ? "token" : "commit";
      const side = point === "token" ? "answered" : "arrived";
      if (planned === undefined || moment.at !== point || moment.side !== side) return null;
      plan.delete(moment.connection);
      const race = changeMind(bench, site, planned.connection, planned.index % 3 === 0);
      raced.push(race);
      // Sometimes the refresh is let go first, sometimes the user is.
      return draw() < 0.5 ? race.then(() => "pass") : pause(draw.between(0, 30)).then(() => "pass");
    });
    await field.connections.expire(connections);
    const answers = await Promise.all(connections.map(async (connection) => {
      await pause(draw.between(0, 40 * connections.length));
      return await site.search(connection);
    }));
    await Promise.all(raced);
    await pause(1_500);
    remove();
    const { history, violations } = await verdict(field, site, connections);
    const gone = history.ends.filter(({ status }) => status === "disconnected");
    const back = history.ends.filter(({ status, stored, newest }) =>
      status === "active" && stored === newest
    );
    const revoked = gone.filter(({ connection, newest }) =>
      history.entries.some((entry) =>
        entry.what === "revoked" && entry.connection === connection && entry.version === newest
      )
    );
    return [{
      scenario: "Disconnect, and connect again, during a refresh",
      load: `${connections.length} refreshes`,
      faults: `${raced.length} disconnects at the provider's answer or at the commit, a third connect again`,
      target: "0 resurrections, 0 lost grants; the newest token revoked for ≥ 99 % of those disconnected",
      measured:
        `${gone.length} disconnected (${revoked.length} with their newest token revoked), ${back.length} connected again and alive; ${
          countOf(violations, ["resurrection", "lost grant"], raced.length)
        }; callers: ${codesOf(answers)}`,
      n: raced.length,
      held: violations.length === 0 && gone.length + back.length === connections.length &&
        revoked.length >= 0.99 * gone.length,
      violations,
    }];
  },
};

async function changeMind(
  { field }: Bench,
  site: Site,
  connection: Connected,
  again: boolean,
): Promise<void> {
  await site.disconnect(connection);
  if (again) await field.connections.connect(connection, await field.strict.control.grant());
}

export const meanwhile: readonly Scenario[] = [slow, races];
