/** A database that dies under refreshes. */
import type { Answer } from "../field/site.ts";
import {
  type Bench,
  codesOf,
  countOf,
  inMs,
  pause,
  percentile,
  presentations,
  type Scenario,
  size,
  verdict,
} from "./kit.ts";

/** The database dies, or loses every connection, again and again while refreshes are under way. */
export const database: Scenario = {
  name: "database",
  run: async (bench) => {
    const { field, draw } = bench;
    const site = await field.site("main", { "search-persons": 4, "refresh-token": 2, "oauth-callback": 1 });
    const connections = await field.connections.make(size(bench, 30, 60), field.strict.origin);
    // At least one of each kind.
    const rounds = Math.max(3, size(bench, 9, 18));
    const remove = site.fleet.rules.add(({ at, side }) => {
      if (at !== "token" || side !== "answered") return null;
      return pause(draw.between(0, 400)).then(() => "pass");
    });
    const took: number[] = [];
    const last: Answer[] = [];
    const before = site.answers.length;
    const done = { crashes: 0, cuts: 0, down: 0 };
    for (let round = 0; round < rounds; round++) {
      await field.connections.expire(connections);
      const began = performance.now();
      const callers = connections.map(async (connection) => {
        await pause(draw.between(0, 600));
        return await site.insist(connection, began + 60_000, 200);
      });
      await pause(draw.between(50, 700));
      await hurt(bench, round, done);
      last.push(...await Promise.all(callers));
      took.push(performance.now() - began);
    }
    remove();
    await pause(1_500);
    const { history, violations } = await verdict(field, site, connections);
    const served = last.filter(({ status }) => status === 200).length;
    const answers = site.answers.slice(before).filter(({ status }) => status !== 200);
    return [{
      scenario: "Database killed, cut off and down during refreshes",
      load: `${rounds} rounds of ${connections.length} expired connections`,
      faults:
        `${done.crashes} immediate restarts, ${done.cuts} times every connection terminated, ${done.down} times down for 3 s`,
      target: "typed retryable errors, nothing half written, 0 lost grants",
      measured: `${served} of ${last.length} served in the end (slowest round ${
        inMs(Math.max(...took))
      }, p50 ${inMs(percentile(took, 0.5))}), ${
        presentations(history.entries)
      } token calls; errors on the way: ${codesOf(answers) || "none"}; ${
        countOf(violations, ["untyped answer", "half written", "lost grant", "went back"], last.length)
      }`,
      n: last.length,
      held: served === last.length && violations.length === 0,
      violations,
    }];
  },
};

async function hurt(
  { field }: Bench,
  round: number,
  done: { crashes: number; cuts: number; down: number },
): Promise<void> {
  const kind = (["crashes", "cuts", "down"] as const)[round % 3] ?? "cuts";
  done[kind] += 1;
  field.journal.record({ what: "fault", how: `database: ${kind}` });
  if (kind === "cuts") await field.database.cutConnections();
  else await field.database.crash(kind === "down" ? 3_000 : 0);
}
