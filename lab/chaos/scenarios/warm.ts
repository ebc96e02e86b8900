/** What an isolate remembers answers nobody any more once a user has left. */
import type { Connected } from "../field/connections.ts";
import type { Field } from "../field/field.ts";
import type { Answer, Site } from "../field/site.ts";
import { type Bench, codesOf, countOf, FATAL, pause, type Scenario, size, verdict } from "./kit.ts";

const PROCESSES = 4;
const SIZES = { "oauth-callback": 1, "search-persons": PROCESSES };
/** Of each connection, each asking again as soon as it is answered. */
const CALLERS = 4;
/** Connections under load together. */
const AT_ONCE = 5;
/** How long there is load before the end and after it. */
const LOAD_MS = 150;

/** Until every process has served it, and so has its token in memory. */
async function warm(site: Site, connection: Connected): Promise<void> {
  const served = new Set<string | null>();
  while (served.size < PROCESSES) {
    const { status, by } = await site.search(connection);
    if (status === 200) served.add(by);
  }
}

interface Ended {
  /** Whether the end was answered with 200. */
  readonly told: boolean;
  /** The searches that were sent once that answer had been read. */
  readonly after: readonly Answer[];
}

/** Searches without a pause, while the connection ends. */
async function endUnderLoad(site: Site, connection: Connected, end: () => Promise<Answer>): Promise<Ended> {
  const answers: Answer[] = [];
  let over = false;
  const callers = Array.from({ length: CALLERS }, async () => {
    while (!over) answers.push(await site.search(connection));
  });
  await pause(LOAD_MS);
  const { status, ended_at } = await end();
  await pause(LOAD_MS);
  over = true;
  await Promise.all(callers);
  return { told: status === 200, after: answers.filter(({ started_at }) => started_at > ended_at) };
}

const disconnects: Scenario = {
  name: "warm-disconnect",
  run: async (bench: Bench) => {
    const { field } = bench;
    const site = await field.site("warm", SIZES);
    const leavers = await field.connections.make(size(bench, 20, 200), field.strict.origin);
    const removed = await field.connections.make(size(bench, 5, 50), field.strict.origin);
    const all = [...leavers, ...removed];
    const ended: Ended[] = [];
    for (let from = 0; from < all.length; from += AT_ONCE) {
      const some = all.slice(from, from + AT_ONCE);
      await Promise.all(some.map((one) => warm(site, one)));
      ended.push(
        ...await Promise.all(
          some.map((one) => endUnderLoad(site, one, () => endOf(field, site, one, removed))),
        ),
      );
    }
    const after = ended.flatMap((one) => one.after);
    const data = after.filter(({ status }) => status === 200).length;
    const others = after.filter(({ code }) => code !== "CONNECTION_NOT_FOUND").length;
    const told = ended.filter((one) => one.told).length;
    const { violations } = await verdict(field, site, all);
    return [{
      scenario: "Disconnected under load",
      load:
        `${leavers.length} users disconnect, ${removed.length} uninstall; each connection searched by ${CALLERS} callers without a pause, its token in the memory of ${PROCESSES} processes`,
      faults: "none",
      target: "no search that is sent after the answer to the disconnect is answered with data",
      measured:
        `${told} of ${all.length} answered; of ${after.length} searches sent afterwards ${data} were answered with data: ${
          codesOf(after)
        }; ${countOf(violations, FATAL, all.length)}`,
      n: after.length,
      held: told === all.length && after.length > 0 && others === 0 && violations.length === 0,
      violations,
    }];
  },
};

function endOf(field: Field, site: Site, one: Connected, removed: readonly Connected[]): Promise<Answer> {
  return removed.includes(one) ? site.uninstall(one, field.strict.client) : site.disconnect(one);
}

export const warmth: readonly Scenario[] = [disconnects];
