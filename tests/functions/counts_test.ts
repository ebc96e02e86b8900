/** What a request costs, in numbers that no machine changes: in a new isolate, and in one that knows its caller. */
import { Memory } from "../../supabase/functions/_shared/keep/memory.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { connected } from "../support/context.ts";
import { makeKeyring } from "../support/make.ts";
import { MARI } from "../support/store.ts";
import { bearer, userToken } from "./callers.ts";
import { type Answer, SCHEDULE, type Stage, story } from "./stage.ts";
import { allow, begin, connect, park } from "./steps.ts";

/** Keys derived, seals opened and made, signatures verified, and answers of the provider, or copies of them, parsed. */
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

/** The isolate that did what was before is gone: a new one has derived, opened and verified nothing. */
async function anew({ context }: Stage): Promise<void> {
  Object.assign(context, { keyring: await makeKeyring(), memory: new Memory() });
}

/** Searches with one and the same login, as a page does, in an isolate that did not connect. */
async function searching(
  stage: Stage,
  named: boolean,
  before?: (search: Ask, stage: Stage) => Promise<unknown>,
) {
  const id = await connect(stage);
  await anew(stage);
  const mine = await login(stage);
  const search = () => stage.search(`?term=jane${named ? `&connection_id=${id}` : ""}`, mine);
  await before?.(search, stage);
  return search;
}
/** The same call by way of the policy. */
async function proxying(stage: Stage, before?: (call: Ask) => Promise<unknown>) {
  await connect(stage);
  await anew(stage);
  const mine = await login(stage);
  const call = () => stage.proxy("/pipedrive/api/v2/persons/search?term=jane", mine);
  await before?.(call);
  return call;
}
/** The second, once the isolate knows the caller and the token. */
const warm = (search: Ask) => search();
const later = (ms: number) => async (search: Ask, stage: Stage) => {
  await search();
  stage.clock.pause(ms);
};
const refreshing = (force: boolean, pause_ms: number): Before => async (stage) => {
  const connection_id = await connect(stage);
  stage.clock.pause(pause_ms);
  await anew(stage);
  return () => stage.refresh({ user: MARI, body: { connection_id, ...(force && { force }) } });
};
/** Opens the whole grant and seals a new one, apart from its access token, under the connection's key, and marks the client under another. */
const REFRESH: Work = { ...NO_WORK, derived: 2, opened: 1, made: 2, parsed: 1 };
/** The connection's key is known since the search before. */
const REFRESH_AFTER_SEARCH: Work = { ...REFRESH, derived: 1 };

/** A login of its own, which nobody has verified. */
async function login(stage: Stage): Promise<{ headers: Record<string, string> }> {
  const token = await userToken({ sub: MARI, session_id: crypto.randomUUID() });
  stage.secrets.add(token);
  return { headers: bearer(token) };
}

const costs: Record<string, [Before, Cost]> = {
  "a first search": [
    (stage) => searching(stage, true),
    { ...NEW_CALLER, derived: 1, opened: 1, calls: ["peek"], requests: 1 },
  ],
  "a first search, the connection not named": [
    (stage) => searching(stage, false),
    { ...NEW_CALLER, derived: 1, opened: 1, calls: ["peek"], requests: 1 },
  ],
  "a warm search": [
    (stage) => searching(stage, true, warm),
    { ...NO_WORK, calls: ["peek"], requests: 1 },
  ],
  "a warm search, the connection not named": [
    (stage) => searching(stage, false, warm),
    { ...NO_WORK, calls: ["peek"], requests: 1 },
  ],
  "a first call through proxy": [
    (stage) => proxying(stage),
    { ...NEW_CALLER, derived: 1, opened: 1, calls: ["peek"], requests: 1 },
  ],
  "a warm call through proxy": [
    (stage) => proxying(stage, warm),
    { ...NO_WORK, calls: ["peek"], requests: 1 },
  ],
  "a search in the soft window": [
    (stage) => searching(stage, true, later(3_400_000)),
    { ...REFRESH_AFTER_SEARCH, calls: ["peek", "claim_refresh", "commit_refresh"], requests: 2 },
  ],
  "a search with an expired token": [
    (stage) => searching(stage, true, later(3_600_000)),
    { ...REFRESH_AFTER_SEARCH, calls: ["peek", "claim_refresh", "commit_refresh"], requests: 2 },
  ],
  "a search with a refused token": [
    (stage) =>
      searching(stage, true, async (search) => {
        await later(10_000)(search, stage);
        await stage.provider.expire_access_tokens();
      }),
    { ...REFRESH_AFTER_SEARCH, calls: ["peek", "peek", "claim_refresh", "commit_refresh"], requests: 3 },
  ],
  "beginning": [
    (stage) => Promise.resolve(() => stage.callback("/authorize", { user: MARI, body: {} })),
    { ...NEW_CALLER, calls: ["begin_authorization"], requests: 0 },
  ],
  "coming back": [
    async (stage) => {
      const query = await allow(stage, await begin(stage));
      await anew(stage);
      return () => stage.callback(query);
    },
    { ...NO_WORK, derived: 2, made: 1, calls: ["receive_authorization_response"], requests: 0 },
  ],
  "completing": [
    async (stage) => {
      const { ticket, binding } = await park(stage);
      await anew(stage);
      const mine = await login(stage);
      return () => stage.callback("/complete", { ...mine, body: { ticket, binding } });
    },
    {
      ...NEW_CALLER,
      derived: 3,
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
      await anew(stage);
      const mine = await login(stage);
      return () => stage.callback("/disconnect", { ...mine, body: { connection_id } });
    },
    {
      ...NEW_CALLER,
      derived: 1,
      opened: 1,
      parsed: 1,
      calls: ["disconnect", "claim_revocations", "finish_revocation"],
      requests: 1,
    },
  ],
};
for (const [what, [before, cost]] of Object.entries(costs)) {
  story(
    `${what} costs ${cost.calls.length} of the database and ${cost.requests} of the provider`,
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
    await anew(stage);
    const { calls, ...work } = await costOf(stage, () => stage.refresh({ headers: SCHEDULE }));
    // Of each of the two providers: two queues, and what else a sweep looks after.
    const rest = ["claim_due", "claim_due", "claim_revocations", "keys_in_use", "purge"];
    const expected = ["begin_sweep", ...rest, ...rest, ...Array(20).fill("commit_refresh")];
    assertEquals(calls.toSorted(), expected.toSorted());
    // A key of each and the client's; the grant of each, and three samples of what each provider's sweep finds under the key.
    assertEquals(work, { derived: 21, opened: 26, made: 40, verified: 0, parsed: 20, requests: 20 });
  },
);

const CRYPTO = ["deriveKey", "decrypt", "encrypt", "verify"] as const;

/** Counts what is done for one request, and behind its answer. */
async function costOf(stage: Stage, ask: Ask): Promise<Cost> {
  const [calls, requests] = [stage.store.calls.length, stage.sent.length];
  const counted = counting(stage);
  let own: boolean;
  try {
    const { status, text } = await ask();
    // What fails may do so because of what it saves.
    assert(status < 400, `it was answered ${status}`);
    // The stage looks at what is answered, which in a search is the provider's text.
    own = counted.came.has(text);
    await stage.context.background();
  } finally {
    counted.stop();
  }
  const { deriveKey, decrypt, encrypt, verify, parse } = counted.times;
  return {
    calls: stage.store.calls.slice(calls),
    requests: stage.sent.length - requests,
    derived: deriveKey,
    opened: decrypt,
    made: encrypt,
    verified: verify,
    parsed: parse - Number(own),
  };
}

/** Counts until it is stopped, and keeps the texts that came from the provider. */
function counting({ context }: Stage) {
  const times = { deriveKey: 0, decrypt: 0, encrypt: 0, verify: 0, parse: 0 };
  const came = new Set<string>();
  const { crypto: { subtle }, JSON: { parse }, Response: { prototype } } = globalThis;
  const [{ fetch }, { json }] = [context, prototype];
  const real = Object.fromEntries(
    CRYPTO.map((name) => [name, subtle[name] as (...args: unknown[]) => unknown]),
  );
  for (const [name, work] of Object.entries(real)) {
    const count = (...args: unknown[]) => (times[name as keyof typeof times] += 1, work.apply(subtle, args));
    Object.assign(subtle, { [name]: count });
  }
  const listening: typeof fetch = async (...asked) => {
    const response = await fetch(...asked);
    came.add(await response.clone().text());
    return response;
  };
  Object.assign(context, { fetch: listening });
  JSON.parse = (text, ...rest) => (times.parse += Number(came.has(text)), parse(text, ...rest));
  prototype.json = function () {
    times.parse += 1;
    return json.call(this);
  };
  const stop = () => {
    Object.assign(subtle, real);
    Object.assign(context, { fetch });
    JSON.parse = parse;
    prototype.json = json;
  };
  return { times, came, stop };
}
