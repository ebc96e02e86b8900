/** REST, or what stands before it, answers once with a status that says nothing of the call: it may have been done. */
import type { Connected } from "../field/connections.ts";
import type { Moment, Substitute } from "../field/moments.ts";
import { type Answer, persist } from "../field/site.ts";
import { type Bench, codesOf, countOf, FATAL, pause, type Scenario, size, verdict } from "./kit.ts";
import { type Mishap, suffer } from "./lost_answers.ts";

const HTML = "<html><title>Attention Required!</title></html>";
const WRONG: Readonly<Record<string, Substitute>> = {
  "429": { status: 429, json: { message: "API rate limit exceeded" } },
  "408": { status: 408, html: "" },
  "404 PGRST202": { status: 404, json: { code: "PGRST202", message: "Could not find the function" } },
  "empty 404": { status: 404, html: "" },
  "401": { status: 401, json: { message: "Invalid API key" } },
  "403 page": { status: 403, html: HTML },
  "200 page": { status: 200, html: HTML },
  "405": {
    status: 405,
    json: { code: "25006", message: "cannot execute UPDATE in a read-only transaction" },
  },
};
/** Says that the operator must look; to whoever claims it may be told. */
const KEY_REFUSED = "401";
const KEPT = [...FATAL, "double spend", "untyped answer"] as const;

const AT = ["claim", "commit", "fail"] as const;
const SIDES = ["arrived", "answered"] as const;
/** Each status in place of each call's answer, before the call was processed and after. */
const MISHAPS: readonly Mishap[] = AT.flatMap((at) =>
  SIDES.flatMap((side) =>
    Object.entries(WRONG).map(([word, verdict]) => ({ name: `${word} ${at} ${side}`, at, side, verdict }))
  )
);

const refreshing: Scenario = {
  name: "wrong-status",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("wrong-status", { "search-persons": 2 });
    const each = size(bench, 2, 10);
    const connections = await field.connections.make(each * MISHAPS.length, field.strict.origin);
    const before = site.answers.length;
    const insist = (one: Connected, until: number) =>
      persist(() => site.search(one), until, { also: mayComplain(one) ? "CONFIGURATION_INVALID" : "" });
    const mishapOf = new Map(connections.map(({ id }, index) => [id, MISHAPS[index % MISHAPS.length]]));
    const mayComplain = ({ id }: { id: string }) => {
      const mishap = mishapOf.get(id);
      return mishap?.at === "claim" && mishap.name.startsWith(KEY_REFUSED);
    };
    const { met, last } = await suffer(bench, site, connections, MISHAPS, insist);
    const { violations } = await verdict(field, site, connections);
    const served = last.filter(({ status }) => status === 200).length;
    return [{
      scenario: "A wrong status in place of an answer of REST",
      load: `${connections.length} expired connections, ${each} for each status, call and moment`,
      faults: `${met}: ${words()} once, for ${AT.join(", ")}, before it was processed and after`,
      target: "0 lost grants, 0 false reauthorizations, every caller served in the end",
      measured: `${served} of ${connections.length} served in the end; errors on the way: ${
        codesOf(site.answers.slice(before).filter(({ status }) => status !== 200)) || "none"
      }; ${countOf(violations, KEPT, met)}`,
      n: met,
      held: served === connections.length && met === connections.length && violations.length === 0,
      violations,
    }];
  },
};

const words = () => Object.keys(WRONG).join(", ");

/** The code is spent, and the first answer to what is to store its tokens says nothing. */
const connecting: Scenario = {
  name: "wrong-status-connect",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("wrong-connect", { "search-persons": 1, "oauth-callback": 2 });
    const statuses = Object.values(WRONG).flatMap((verdict) => SIDES.map((side) => ({ verdict, side })));
    const each = size(bench, 2, 10);
    const users: Connected[] = [];
    const last: Answer[] = [];
    for (let round = 0; round < each; round++) {
      const waiting = new Map<string, { verdict: Substitute; side: Moment["side"] }>();
      const remove = site.fleet.rules.add(({ at, side, connection }) => {
        const mishap = waiting.get(connection);
        if (at !== "connect" || mishap?.side !== side) return null;
        waiting.delete(connection);
        return mishap.verdict;
      });
      last.push(
        ...await Promise.all(statuses.map(async (mishap) => {
          const { user, parked } = await field.park(site);
          users.push(user);
          waiting.set(user.id, mishap);
          return await persist(() => site.complete(parked), performance.now() + PATIENCE_MS);
        })),
      );
      remove();
    }
    await pause(1_500);
    const made = users.filter(({ id }) => last.some((one) => one.connection === id && one.status === 200));
    for (const one of made) await field.connections.adopt(one);
    const again = await usedAgain(bench, made, (one) => site.search(one));
    const { violations } = await verdict(field, site, made);
    return [{
      scenario: "A wrong status in place of the answer that would say that a new connection is stored",
      load: `${users.length} users who complete, and repeat it while they are told to`,
      faults: `${words()} once for each, before it was processed and after`,
      target: "each connects with the one code, and its tokens are those that the provider goes on with",
      measured: `${made.length} of ${users.length} connected, ${again} of them refreshed afterwards; ${
        countOf(violations, KEPT, users.length)
      }`,
      n: users.length,
      held: again === users.length && violations.length === 0,
      violations,
    }];
  },
};
const PATIENCE_MS = 30_000;

async function usedAgain(
  { field }: Bench,
  connections: readonly Connected[],
  search: (one: Connected) => Promise<Answer>,
): Promise<number> {
  await field.connections.expire(connections);
  const answers = await Promise.all(connections.map(search));
  return answers.filter(({ status }) => status === 200).length;
}

export const wrongAnswers: readonly Scenario[] = [refreshing, connecting];
