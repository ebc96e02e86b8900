/** What a request costs, in numbers that no machine changes: each is what the work needs, and none is done twice. */
import { assertEquals } from "../support/assert.ts";
import { connected } from "../support/context.ts";
import { MARI } from "../support/store.ts";
import { bearer, userToken } from "./callers.ts";
import { type Answer, SCHEDULE, type Stage, story } from "./stage.ts";
import { allow, begin, connect, park } from "./steps.ts";

/** Keys derived, seals opened and made, signatures verified, and answers of the provider that were parsed. */
interface Work {
  readonly derived: number;
  readonly opened: number;
  readonly made: number;
  readonly verified: number;
  readonly parsed: number;
}
const NO_WORK: Work = { derived: 0, opened: 0, made: 0, verified: 0, parsed: 0 };
/** What has to be known of a caller that this isolate has not seen. */
const NEW_CALLER: Work = { ...NO_WORK, verified: 1 };

interface Cost extends Work {
  /** The SQL functions, one round trip each. */
  readonly calls: readonly string[];
  /** Requests to the provider. */
  readonly requests: number;
}

type Ask = () => Promise<Answer>;
/** What comes before, and then the request that is counted. */
type Before = (stage: Stage) => Promise<Ask>;

/** Searches with one and the same login, as a page does. */
async function searching(
  stage: Stage,
  named: boolean,
  before?: (search: Ask, stage: Stage) => Promise<unknown>,
) {
  const id = await connect(stage);
  const mine = await login(stage);
  const search = () => stage.search(`?term=jane${named ? `&connection_id=${id}` : ""}`, mine);
  await before?.(search, stage);
  return search;
}
/** The second, once the isolate knows the caller and the token. */
const warm = (search: Ask) => search();
const later = (ms: number) => async (search: Ask, stage: Stage) => {
  await search();
  stage.clock.pause(ms);
};
/** By a token of an authorization that has just been exchanged: the isolate has sealed it, so it has its key. */
const refreshing = (force: boolean, pause_ms: number): Before => async (stage) => {
  const connection_id = await connect(stage);
  stage.clock.pause(pause_ms);
  return () => stage.refresh({ user: MARI, body: { connection_id, ...(force && { force }) } });
};
/** Opens both tokens, and seals two new ones, under the key of the connection, which is known. */
const REFRESH: Work = { ...NO_WORK, opened: 2, made: 2, parsed: 1 };

/** A login of its own, which nobody has verified. */
async function login(stage: Stage): Promise<{ headers: Record<string, string> }> {
  const token = await userToken({ sub: MARI, session_id: crypto.randomUUID() });
  stage.secrets.add(token);
  return { headers: bearer(token) };
}

const costs: Record<string, [Before, Cost]> = {
  "a first search": [
    (stage) => searching(stage, true),
    { ...NEW_CALLER, opened: 1, calls: ["peek"], requests: 1 },
  ],
  "a first search, the connection not named": [
    (stage) => searching(stage, false),
    { ...NEW_CALLER, opened: 1, calls: ["peek"], requests: 1 },
  ],
  "a warm search": [
    (stage) => searching(stage, true, warm),
    { ...NO_WORK, calls: ["peek"], requests: 1 },
  ],
  "a warm search, the connection not named": [
    (stage) => searching(stage, false, warm),
    { ...NO_WORK, calls: ["peek"], requests: 1 },
  ],
  "a search in the soft window": [
    (stage) => searching(stage, true, later(3_400_000)),
    { ...REFRESH, calls: ["peek", "claim_refresh", "commit_refresh"], requests: 2 },
  ],
  "a search with an expired token": [
    (stage) => searching(stage, true, later(3_600_000)),
    { ...REFRESH, calls: ["peek", "claim_refresh", "commit_refresh"], requests: 2 },
  ],
  "a search with a refused token": [
    (stage) =>
      searching(stage, true, async (search) => {
        await later(10_000)(search, stage);
        await stage.provider.expire_access_tokens();
      }),
    { ...REFRESH, calls: ["peek", "peek", "claim_refresh", "commit_refresh"], requests: 3 },
  ],
  "beginning": [
    (stage) => Promise.resolve(() => stage.callback("/authorize", { user: MARI, body: {} })),
    { ...NEW_CALLER, calls: ["begin_authorization"], requests: 0 },
  ],
  "coming back": [
    async (stage) => {
      const query = await allow(stage, await begin(stage));
      return () => stage.callback(query);
    },
    { ...NO_WORK, derived: 2, made: 1, calls: ["receive_authorization_response"], requests: 0 },
  ],
  "completing": [
    async (stage) => {
      const { ticket, binding } = await park(stage);
      const mine = await login(stage);
      return () => stage.callback("/complete", { ...mine, body: { ticket, binding } });
    },
    {
      ...NEW_CALLER,
      derived: 2,
      opened: 1,
      made: 2,
      parsed: 2,
      calls: ["take_authorization", "connect"],
      requests: 2,
    },
  ],
  "refreshing what is fresh": [
    refreshing(false, 0),
    { ...NEW_CALLER, calls: ["peek"], requests: 0 },
  ],
  "refreshing what is due": [
    refreshing(false, 3_600_000),
    { ...REFRESH, verified: 1, calls: ["peek", "claim_refresh", "commit_refresh"], requests: 1 },
  ],
  "refreshing by force": [
    refreshing(true, 10_000),
    { ...REFRESH, verified: 1, calls: ["peek", "claim_refresh", "commit_refresh"], requests: 1 },
  ],
  // The second call is made behind the answer: what there is to revoke, and whether somebody still uses the account.
  "disconnecting": [
    async (stage) => {
      const connection_id = await connect(stage);
      const mine = await login(stage);
      return () => stage.callback("/disconnect", { ...mine, body: { connection_id } });
    },
    {
      ...NEW_CALLER,
      opened: 1,
      calls: ["disconnect", "claim_revocations", "finish_revocation"],
      requests: 1,
    },
  ],
};
for (const [what, [before, cost]] of Object.entries(costs)) {
  story(
    `${what} costs ${cost.calls.length} of the database, ${cost.requests} of the provider, and no more work than it needs`,
    async (stage) => {
      const ask = await before(stage);
      assertEquals(await costOf(stage, ask), cost);
    },
  );
}

story(
  "a sweep of 20 costs two claims, a commit for each, and the seals of their tokens",
  async (stage) => {
    // So many grants of one account stand for as many accounts.
    await stage.provider.configure({ reinstall_ends_old: false });
    for (let n = 0; n < 20; n += 1) {
      const { access_token, refresh_token = "" } = await stage.provider.grant({ user: 31 });
      await connected(stage.context, { access_token, refresh_token });
    }
    stage.clock.pause(31 * 24 * 3_600_000);
    const { calls, ...work } = await costOf(stage, () => stage.refresh({ headers: SCHEDULE }));
    // Of each of the two providers: two queues, and what else a sweep looks after.
    const rest = ["claim_due", "claim_due", "claim_revocations", "keys_in_use", "purge"];
    const expected = [...rest, ...rest, ...Array(20).fill("commit_refresh")];
    assertEquals(calls.toSorted(), expected.toSorted());
    // Both tokens of each, and three samples of what each provider's sweep finds under the key.
    assertEquals(work, { derived: 0, opened: 46, made: 40, verified: 0, parsed: 20, requests: 20 });
  },
);

/** Counts what is done for one request, and behind its answer. */
async function costOf(stage: Stage, ask: Ask): Promise<Cost> {
  const [calls, requests] = [stage.store.calls.length, stage.sent.length];
  const { subtle } = crypto;
  const done = { deriveKey: 0, decrypt: 0, encrypt: 0, verify: 0 };
  const parsed: string[] = [];
  const names = ["deriveKey", "decrypt", "encrypt", "verify"] as const;
  const real = Object.fromEntries(names.map((name) => [name, subtle[name]]));
  const { parse } = JSON;
  for (const name of names) {
    Object.assign(subtle, {
      [name]: (
        ...args: unknown[]
      ) => (done[name] += 1, Reflect.apply(real[name] as () => unknown, subtle, args)),
    });
  }
  JSON.parse = (text, ...rest) => {
    // Of all that is parsed here only a token response and an answer of the API look so.
    if (/"token_type"|^\s*\{\s*"success"/.test(text)) parsed.push(text);
    return parse(text, ...rest);
  };
  try {
    const { text } = await ask();
    // The stage itself looks at what is answered.
    if (parsed.includes(text)) parsed.splice(parsed.lastIndexOf(text), 1);
    await stage.context.background();
  } finally {
    Object.assign(subtle, real);
    JSON.parse = parse;
  }
  return {
    calls: stage.store.calls.slice(calls),
    requests: stage.sent.length - requests,
    derived: done.deriveKey,
    opened: done.decrypt,
    made: done.encrypt,
    verified: done.verify,
    parsed: parsed.length,
  };
}
