/**
 * The store answers the same whether it reaches the functions as in production, by supabase-js and REST, or as the
 * unit and function tests do, by SQL alone: what these prove holds for both.
 */
import { createClient } from "@supabase/supabase-js";
import { openRest } from "../../local/stack/rest.ts";
import { type Connection, type Store, supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { withDatabase } from "../support/database.ts";
import { openSqlRpc } from "../support/sql_rpc.ts";

const TIMINGS = { key_ids: ["k1"], request_ms: 20_000, lease_ms: 30_000, settle_ms: 30_000 };

Deno.test("over REST and over SQL every call is answered alike, and what is refused is refused alike", async () => {
  await withDatabase(async (database) => {
    const secret_key = `sb_secret_${crypto.randomUUID()}`;
    const server = await openRest({
      database_url: database.url,
      jwt_secret: crypto.randomUUID() + crypto.randomUUID(),
      publishable_key: `sb_publishable_${crypto.randomUUID()}`,
      secret_key,
    });
    const rpc = await openSqlRpc(database.url);
    const sql = database.connect();
    try {
      const rest = createClient("http://127.0.0.1", secret_key, {
        global: { fetch: (input, init) => server.fetch(new Request(input, init)) },
        auth: { persistSession: false, autoRefreshToken: false },
      });
      const answers = [];
      for (const client of [rest, rpc]) {
        const user_id = crypto.randomUUID();
        await sql`insert into auth.users (id) values (${user_id})`;
        answers.push(await everyCall(supabaseStore(client), user_id));
        await sql`delete from auth.users`;
      }
      const [overRest, overSql] = answers;
      assertEquals(overSql, overRest);
      const [, connection] = overRest?.answers.find(([name]) => name === "connection") ?? [];
      assertEquals(
        (connection as Connection).account,
        { id: "1:2", email: "é@acme.example" },
        "what an account has no name for is not there",
      );
      assertEquals(overRest?.methods, Object.keys(supabaseStore(rest)).toSorted(), "every method was called");
    } finally {
      await rpc.close();
      await server.close();
    }
  });
});

/** Calls each method of the store, and what PostgreSQL refuses. Answers come without what differs each time. */
async function everyCall(real: Store, user_id: string) {
  const provider = "pipedrive";
  const answers: [string, unknown][] = [];
  const store = new Proxy(real, {
    get: (target, name: keyof Store) => async (...args: never[]) => {
      const answer = await (target[name] as (...args: never[]) => Promise<unknown>)(...args).catch(String);
      answers.push([name, shapeOf(answer)]);
      return answer;
    },
  });
  const hidden = { binding_hash: "b", redirect_uri: "https://x.example/callback", return_to: "/" };
  const begin = { ...hidden, id: "r", user_id, provider, code_verifier_sealed: null, lifetime_ms: 600_000 };
  for (const limit of [1, 1]) await store.beginAuthorization({ ...begin, limit });
  const received = { id: "r", provider, ticket_hash: "t", code_sealed: "v1.k1.iv.code" };
  for (const response of [received, received]) await store.receiveAuthorizationResponse(response);
  const ticket = { provider, ticket_hash: "t", binding_hash: "b", user_id, attempt_id: user_id };
  for (const one of [ticket, ticket]) await store.takeAuthorization(one);
  await store.returnAuthorization({ ticket_hash: "t", attempt_id: user_id, refused: false });
  await store.takeAuthorization(ticket);

  const id = crypto.randomUUID();
  const sealed = { access_token_sealed: "v1.k1.iv.a", refresh_token_sealed: "v1.k1.iv.r", key_id: "k1" };
  const life = { expires_in_ms: 0, elapsed_ms: 12 };
  const account = { account_key: "1:2", account_name: null, account_email: "é@acme.example" };
  const connect = { id, user_id, provider, ...account, scope: "base é", ...sealed, ...life };
  await store.connect({ ...connect, account_name: "U+0000: \u0000", request_id: null });
  await store.connect({ ...connect, user_id: crypto.randomUUID(), request_id: null });
  await store.connect({ ...connect, id: "not a UUID", request_id: null });
  await store.connect({ ...connect, request_id: "r" });
  await store.takeAuthorization(ticket);
  for (const whose of [user_id, null, crypto.randomUUID()]) await store.connection({ id, user_id: whose });
  for (const seen_version of [-1, 1]) await store.peek({ id, user_id, seen_version });
  await store.peek({ id: crypto.randomUUID(), user_id: null, seen_version: -1 });
  await store.peek({ id: null, user_id, seen_version: -1, provider });

  const claim = { id, seen_version: 1, force: false, ...TIMINGS };
  await store.claimRefresh({ ...claim, lease_ms: 0 });
  const { lease_id } = await store.claimRefresh(claim);
  await store.claimRefresh(claim);
  const commit = { id, lease_id: lease_id ?? "", base_version: 1, scope: null, ...sealed, ...life };
  for (const one of [commit, commit]) await store.commitRefresh(one);
  const again = await store.claimRefresh({ ...claim, seen_version: 2 });
  const failure = { id, lease_id: again.lease_id ?? "", class: "transient" as const, code: "status_503" };
  for (const wait_ms of [60_000, 60_000]) await store.failRefresh({ ...failure, wait_ms });
  await store.keysInUse({ samples: 1 });
  await store.markUnreadable({ provider, key_ids: ["k1"], ids: [id], refresh_tokens_sealed: ["v1.k1.iv.r"] });
  await store.markUnreadable({ provider, key_ids: [], ids: [], refresh_tokens_sealed: [] });
  await store.sealedUnderOtherKeys({ provider, key_ids: ["k1"], limit: 10 });
  const under = { access_token_sealed: "v1.k2.iv.a", refresh_token_sealed: "v1.k2.iv.r", key_id: "k2" };
  const { refresh_token_sealed } = sealed;
  for (const one of ["v1.k1.iv.x", refresh_token_sealed]) await store.reseal({ id, sealed: one, ...under });
  await store.reseal({ id, sealed: refresh_token_sealed, ...under, access_token_sealed: null });
  const due = { provider, limit: 10, idle_ms: 0, ...TIMINGS, key_ids: ["k2"] };
  for (const failed of [false, true]) await store.claimDue({ ...due, failed });
  const notice = { account_key: "1:2", occurred_at: null };
  await store.uninstall({ ...notice, provider: "other", occurred_at: new Date().toISOString() });
  await store.uninstall({ ...notice, provider });
  await store.connect({ ...connect, request_id: null });
  await store.disconnect({ id, user_id, provider });
  await store.disconnect({ id, user_id, provider: "other" });
  const revocations = { provider, id: null, limit: 10, key_ids: ["k1", "k2"] };
  for (const one of [revocations, revocations]) await store.claimRevocations(one);
  await store.finishRevocation({ id, refresh_token_sealed: sealed.refresh_token_sealed });
  for (const offered of [[provider], []]) await store.beginSweep({ offered });
  await store.purge({ limit: 10 });
  return { answers, methods: [...new Set(answers.map(([name]) => name))].toSorted() };
}

/** An answer without ids, and with its times and durations only in their form. */
function shapeOf(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer ?? null), (name, value) => {
    if (/_at$/.test(name) && value !== null) {
      assertMatch(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/);
      return "a time";
    }
    if (/_ms$/.test(name)) return typeof value;
    return typeof value === "string" ? value.replace(/[0-9a-f-]{36}/g, "an id") : value;
  });
}
