/** One refresh after another, nothing broken: what is measured of the machinery itself, and of an ordinary end. */
import type { Entry } from "../field/journal.ts";
import { seatName } from "../field/seat.ts";
import { codesOf, percentile, presentations, type Scenario, size, verdict } from "./kit.ts";

/** A withdrawal at the provider, for comparison: nothing of ours was lost, and the label says so. */
const withdrawn: Scenario = {
  name: "withdrawn",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("withdrawn", { "search-persons": 2 });
    const connections = await field.connections.make(size(bench, 30, 100), field.strict.origin);
    await field.connections.withdraw(connections, field.strict);
    await field.connections.expire(connections);
    const answers = await Promise.all(connections.map((one) => site.insist(one, performance.now() + 30_000)));
    const { history, violations } = await verdict(field, site, connections);
    const labelled = history.events.filter(({ code }) => code === "grant_refused").length;
    return [{
      scenario: "The user withdraws at the provider",
      load: `${connections.length} connections`,
      faults: "each revoked at the provider",
      target: "100 % labelled grant_refused, at the first refusal",
      measured: `${labelled} of ${connections.length} labelled grant_refused after ${
        presentations(history.entries)
      } token calls; callers: ${codesOf(answers)}`,
      n: connections.length,
      held: labelled === connections.length && presentations(history.entries) === connections.length &&
        violations.length === 0,
      violations,
    }];
  },
};

/** From the provider's answer to the arrival of the commit, seen from outside, one refresh after another. */
const window_: Scenario = {
  name: "window",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("main", { "search-persons": 4, "refresh-token": 2, "oauth-callback": 1 });
    const connections = await field.connections.make(size(bench, 200, 1000), field.strict.origin);
    await field.connections.expire(connections);
    for (const connection of connections) await site.search(connection);
    const { history, violations } = await verdict(field, site, connections);
    const windows = windowsOf(history.entries);
    const p99 = percentile(windows, 0.99);
    return [{
      scenario: "The window between rotation and commit",
      load: `${connections.length} refreshes, one after another`,
      faults: "none",
      target: "p99 under 50 ms",
      measured: `p50 ${percentile(windows, 0.5).toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, max ${
        Math.max(...windows).toFixed(1)
      } ms`,
      n: windows.length,
      held: windows.length === connections.length && violations.length === 0,
      in_time: p99 < 50,
      violations,
    }];
  },
};

/** Provider's answer handed over → commit seen at the proxy before REST, milliseconds. Two proxies' work is in it. */
export function windowsOf(entries: readonly Entry[]): number[] {
  const sent = new Map<string, number>();
  const windows: number[] = [];
  for (const entry of entries) {
    if (entry.what === "delivered" && entry.how === "whole") {
      sent.set(`${entry.connection} ${entry.version} ${seatName(entry.seat)}`, entry.at);
    }
    if (entry.what !== "commit_arrived") continue;
    const key = `${entry.connection} ${entry.base} ${seatName(entry.seat)}`;
    const began = sent.get(key);
    if (began !== undefined) windows.push(entry.at - began);
    sent.delete(key);
  }
  return windows;
}

export const calm: readonly Scenario[] = [window_, withdrawn];
