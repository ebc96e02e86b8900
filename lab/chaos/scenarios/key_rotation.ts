import { base64url } from "jose";
import { type Bench, codesOf, countOf, pause, type Scenario, size, verdict } from "./kit.ts";

const FUNCTIONS = { "search-persons": 2, "refresh-token": 1 };

/** A new encryption key comes in and the old one goes, while refreshes go on and processes are replaced one by one. */
export const keyRotation: Scenario = {
  name: "key-rotation",
  run: async (bench) => {
    const { field } = bench;
    const old = field.keys.token_encryption_keys;
    const fresh = `second:${base64url.encode(crypto.getRandomValues(new Uint8Array(32)))}`;
    const site = await field.site("rotating", FUNCTIONS);
    const connections = await field.connections.make(size(bench, 60, 200), field.strict.origin);
    const before = site.answers.length;
    const load = refreshesGoOn(bench, site, connections);
    // First every process can open what the new key seals, then it seals, and when nothing lies under the old one it goes.
    for (const keys of [`${old},${fresh}`, `${fresh},${old}`]) {
      await site.fleet.deploy({ TOKEN_ENCRYPTION_KEYS: keys });
    }
    const resealed = await sweepUntilDone(bench, site);
    await site.fleet.deploy({ TOKEN_ENCRYPTION_KEYS: fresh });
    await load.end();
    const last = await Promise.all(connections.map((one) => site.search(one)));
    const answers = site.answers.slice(before);
    const { history, violations } = await verdict(field, site, connections, fresh);
    const unopened = answers.filter(({ code }) => code === "CONFIGURATION_INVALID").length;
    const refreshed = history.events.filter(({ kind }) => kind === "refreshed").length;
    const served = last.filter(({ status }) => status === 200).length;
    return [{
      scenario: "Key rotation under load",
      load: `${connections.length} connections, ${answers.length} requests, ${refreshed} refreshes meanwhile`,
      faults: "three rolling deployments: the new key opens, the new key seals, the old key is gone",
      target: "0 failures to open, 0 lost grants",
      measured:
        `${unopened} failures to open, ${resealed} resealed by the sweep, ${served} of ${connections.length} served with the new key alone; ${
          countOf(violations, ["lost grant", "half written"], connections.length)
        }; answers: ${codesOf(answers)}`,
      n: answers.length,
      held: unopened === 0 && served === connections.length && violations.length === 0,
      violations,
    }];
  },
};

type Site = Awaited<ReturnType<Bench["field"]["site"]>>;
type Connections = Awaited<ReturnType<Bench["field"]["connections"]["make"]>>;

function refreshesGoOn(
  { field, draw }: Bench,
  site: Site,
  connections: Connections,
): { end(): Promise<void> } {
  let over = false;
  const running = (async () => {
    while (!over) {
      const some = [draw.one(connections), draw.one(connections)];
      await field.connections.expire(some);
      await Promise.all([...some, draw.one(connections)].map((one) => site.search(one)));
      await pause(30);
    }
  })();
  return {
    end: () => {
      over = true;
      return running;
    },
  };
}

async function sweepUntilDone({ field }: Bench, site: Site): Promise<number> {
  let resealed = 0;
  for (;;) {
    resealed += (await site.sweep()).resealed ?? 0;
    const [left] = await field.database.sql`
      select count(*)::int as count from oauth.token_sets s join oauth.connections c on c.id = s.connection_id
      where s.key_id = 'local' and c.status = 'active'`;
    if (left?.count === 0) return resealed;
  }
}
