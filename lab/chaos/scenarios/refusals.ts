/** A provider that refuses a refresh with a 400 in JSON that names no error. Whose fault it is only others' success can tell. */
import type { Connected } from "../field/connections.ts";
import type { Substitute } from "../field/moments.ts";
import type { Answer, Site } from "../field/site.ts";
import { type Bench, codesOf, countOf, FATAL, type Scenario, size, verdict } from "./kit.ts";

/** As Pipedrive's documentation shows it. */
const REFUSAL: Substitute = {
  status: 400,
  json: { success: false, message: "Invalid grant: refresh_token is invalid" },
};
const LEAST_TIMES = 3;
/** Between the first refusal and the one that counts. */
const LEAST_MS = 10 * 60_000;
const OTHER_CLIENT = "another-client";

/** Who is refused, by which deployment; and connections of a deployment that succeed meanwhile. */
interface Group {
  readonly words: string;
  readonly site: Site;
  readonly connections: readonly Connected[];
  readonly others: readonly Connected[];
  readonly others_site: Site;
}

/** No back-off, and the first refusal was `ago` earlier than it was: minutes that nobody waits for. */
async function later({ field: { database: { sql } } }: Bench, some: readonly Connected[], ago_ms = 0) {
  await sql`
    update oauth.connections
    set next_attempt_at = null, refused_at = refused_at - ${ago_ms} * interval '1 ms'
    where id = any(${some.map(({ id }) => id)}) and status = 'active'`;
}

/** Each of the group is refused once; then the others succeed. */
async function round(bench: Bench, group: Group): Promise<Answer[]> {
  const { connections, site, others, others_site } = group;
  await later(bench, connections);
  const answers = await Promise.all(connections.map((one) => site.search(one)));
  await bench.field.connections.expire(others);
  const ends = performance.now() + 10_000;
  const good = await Promise.all(others.map((one) => others_site.insist(one, ends, 100)));
  if (good.some(({ status }) => status !== 200)) {
    throw new Error(`the others did not succeed: ${codesOf(good)}`);
  }
  return answers;
}

async function ended({ field: { database: { sql } } }: Bench, some: readonly Connected[]): Promise<number> {
  const [row] = await sql`
    select count(*)::int as ended from oauth.connections
    where id = any(${some.map(({ id }) => id)}) and status <> 'active'`;
  return Number(row?.ended);
}

export const refusals: Scenario = {
  name: "refused-without-code",
  run: async (bench) => {
    const { field } = bench;
    const site = await field.site("refused", { "search-persons": 1 });
    const swapped = await field.site("swapped", { "search-persons": 1 }, {
      env: { PIPEDRIVE_CLIENT_ID: OTHER_CLIENT },
    });
    const outdated = await field.site("outdated", { "search-persons": 1 }, {
      env: { PIPEDRIVE_CLIENT_SECRET: "one that the provider no longer takes" },
    });
    const count = size(bench, 16, 50);
    const make = () => field.connections.make(count, field.strict.origin);
    const others = await field.connections.make(1, field.strict.origin);
    await field.moody.control.register({ client_id: OTHER_CLIENT });
    const others_swapped = await field.connections.make(1, field.moody.origin);
    const own: Group = {
      words: "refused by the provider",
      site,
      connections: await make(),
      others,
      others_site: site,
    };
    const operators: Group[] = [
      {
        words: "of a client that is not the one they were issued to",
        site: swapped,
        connections: await make(),
        others: others_swapped,
        others_site: swapped,
      },
      {
        words: "with a secret that others have replaced",
        site: outdated,
        connections: await make(),
        others,
        others_site: site,
      },
    ];
    const groups = [own, ...operators];
    const all = groups.flatMap(({ connections }) => connections);
    const refused = new Set(all.map(({ id }) => id));
    const removes = groups.map(({ site: { fleet } }) =>
      fleet.rules.add(({ at, side, connection }) =>
        at === "token" && side === "arrived" && refused.has(connection) ? REFUSAL : null
      )
    );
    await field.connections.expire(all);
    const told: Answer[] = [];
    for (let time = 0; time <= LEAST_TIMES; time++) {
      for (const group of groups) told.push(...await round(bench, group));
    }
    const early = await ended(bench, all);
    await later(bench, all, LEAST_MS);
    for (const group of groups) told.push(...await round(bench, group));
    for (const remove of removes) remove();
    await field.moody.control.register({ client_id: field.moody.client.client_id });
    const over = await ended(bench, own.connections);
    const mended = operators.flatMap(({ connections }) => connections);
    const wrongly = await ended(bench, mended);
    await later(bench, mended);
    const ends = performance.now() + 30_000;
    const back = await Promise.all(mended.map((one) => site.insist(one, ends)));
    const { history, violations } = await verdict(field, site, all);
    const labelled =
      history.events.filter(({ code, kind }) =>
        kind === "reauthorization_required" && code === "refused_without_code"
      ).length;
    const served = back.filter(({ status }) => status === 200).length;
    return [{
      scenario: "Refused without an error's name",
      load: `${all.length} expired connections, ${
        groups.map(({ words }) => `${count}: ${words}`).join("; ")
      }`,
      faults: `each refused ${LEAST_TIMES + 1} times at once and once more ten minutes later (backdated)`,
      target:
        "the grant's own end then and not before, told as refused_without_code; no other ends, and all are served once the operator has mended it",
      measured:
        `${early} ended early; ${over} of ${count} ended, ${labelled} labelled; ${wrongly} ended for an operator's fault; ${served} of ${mended.length} served afterwards; callers were told ${
          codesOf(told)
        }; ${countOf(violations, FATAL, all.length)}`,
      n: all.length,
      held: early === 0 && over === count && labelled === count && wrongly === 0 &&
        served === mended.length && violations.length === 0,
      violations,
    }];
  },
};
