import { disconnectConnection, uninstall } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { json, respondWith, type SentRequest } from "../../support/fake_fetch.ts";
import { connected, makeContext, type TestContext } from "../../support/context.ts";
import { KEYS, makeKeyring } from "../../support/make.ts";
import { refusal } from "../../support/token_endpoint.ts";

type Answerer = (request: SentRequest) => Response | Promise<Response>;
const revoked = () => json({});
const down = () => new Response("", { status: 503 });

/** A connected user at a provider whose revocation endpoint answers by a script; its last entry stays. */
async function setUp(...script: Answerer[]) {
  const fetch = respondWith((request) => {
    const answer = script.length > 1 ? script.shift() : script[0];
    if (!answer) throw new Error(`no request was expected: ${request.url}`);
    return answer(request);
  });
  const context = await makeContext({ fetch });
  return { context, requests: fetch.requests, ...await connected(context) };
}

/** Disconnects, and lets what runs beside it end within the test. */
function disconnect(context: TestContext, id: string, user_id: string) {
  return disconnectConnection(context, id, user_id).finally(() => context.clock.settle());
}

Deno.test("OA-24: disconnecting erases the tokens and revokes the refresh token at the provider", async () => {
  const { context, requests, id, user_id, refresh_token } = await setUp(revoked);
  const connection = await disconnect(context, id, user_id);
  assertEquals([connection.id, connection.status, connection.access_expires_at], [id, "disconnected", null]);
  const { access_token_sealed, refresh_token_sealed, version } = await context.store.row(id);
  assertEquals([access_token_sealed, refresh_token_sealed, version], [null, null, 2]);
  const [request, ...more] = requests;
  assertEquals([request?.method, request?.url], ["POST", "https://oauth.pipedrive.com/oauth/revoke"]);
  const form = new URLSearchParams(request?.body);
  assertEquals([form.get("token"), form.get("token_type_hint")], [refresh_token, "refresh_token"]);
  assertEquals(more, []);
});

Deno.test("OA-24: the tokens are erased before anything goes to the provider", async () => {
  const seen: unknown[] = [];
  const { context, id, user_id } = await setUp(async () => {
    seen.push((await context.store.row(id)).refresh_token_sealed);
    return revoked();
  });
  await disconnect(context, id, user_id);
  assertEquals(seen, [null]);
});

Deno.test("OA-24: with the provider down the user is answered after one try, and the revocation goes on", async () => {
  const { context, requests, id, user_id } = await setUp(down, down, down, revoked);
  assertEquals((await disconnect(context, id, user_id)).status, "disconnected");
  await context.background();
  assertEquals([requests.length, context.reports], [4, []]);
});

Deno.test("OA-24: a provider that never answers keeps the user five seconds", async () => {
  const clock = new FakeClock();
  const context = await makeContext({ clock, fetch: respondWith(() => new Promise(() => {})) });
  const { id, user_id } = await connected(context);
  let answered = false;
  const answer = disconnectConnection(context, id, user_id).finally(() => answered = true);
  await clock.advance(4_999);
  assertEquals(answered, false);
  await clock.advance(1);
  assertEquals(answered, true);
  assertEquals((await answer).status, "disconnected");
  await clock.advance(60_000);
});

Deno.test("OA-24: a revocation that never succeeds ends after six tries and is reported", async () => {
  const { context, requests, id, user_id } = await setUp(down);
  await disconnect(context, id, user_id);
  await context.background();
  assertEquals([requests.length, context.reports.length], [6, 1]);
});

Deno.test("a client that the provider refuses is reported and not tried again", async () => {
  const { context, requests, id, user_id } = await setUp(() => refusal("invalid_client", 401));
  assertEquals((await disconnect(context, id, user_id)).status, "disconnected");
  await context.background();
  assertEquals([requests.length, context.reports.length], [1, 1]);
});

Deno.test("a user who has connected again is not disconnected by a revocation that is still being tried", async () => {
  const { context, requests, id, user_id } = await setUp(async () => {
    await connected(context, { id, user_id, account_key });
    return down();
  }, revoked);
  const { account_key } = await context.store.row(id);
  await disconnect(context, id, user_id);
  await context.background();
  assertEquals([requests.length, (await context.store.row(id)).status], [1, "active"]);
});

Deno.test("a refresh token that does not open is reported, and the connection ends all the same", async () => {
  const { context, requests, id, user_id } = await setUp(revoked);
  const keyless = { ...context, keyring: await makeKeyring(KEYS.split(",")[1]) };
  assertEquals((await disconnect(keyless, id, user_id)).status, "disconnected");
  await context.background();
  assertEquals(requests.length, 0);
  assertEquals(context.reports.map((error) => (error as PublicError).code), ["CONFIGURATION_INVALID"]);
});

Deno.test("disconnecting again changes nothing and asks the provider nothing", async () => {
  const { context, requests, id, user_id } = await setUp(revoked);
  await disconnect(context, id, user_id);
  assertEquals((await disconnect(context, id, user_id)).status, "disconnected");
  assertEquals([requests.length, (await context.store.row(id)).version], [1, 2]);
});

Deno.test("a connection of someone else, of another provider, or of nobody is not found and stays as it is", async () => {
  const { context, requests, id, user_id } = await setUp(revoked);
  const { client } = context;
  const acme = { ...context, client: { ...client, provider: { ...client.provider, name: "acme" } } };
  const attempts: [TestContext, string, string][] = [
    [context, id, crypto.randomUUID()],
    [context, crypto.randomUUID(), user_id],
    [acme, id, user_id],
  ];
  for (const attempt of attempts) {
    const error = await assertRejects(() => disconnect(...attempt), PublicError);
    assertEquals(error.code, "CONNECTION_NOT_FOUND");
  }
  assertEquals([requests.length, (await context.store.row(id)).status], [0, "active"]);
});

Deno.test("OA-25: an uninstalled account loses the tokens of all its connections, and no other account does", async () => {
  const { context, id } = await setUp(revoked);
  const { account_key } = await context.store.row(id);
  const [colleague, other] = [await connected(context, { account_key }), await connected(context)];
  await context.clock.advance(1);
  assertEquals(await uninstall(context, { account_key, occurred_at: null }), 2);
  const rows = await Promise.all([id, colleague.id, other.id].map((one) => context.store.row(one)));
  assertEquals(rows.map(({ status }) => status), ["disconnected", "disconnected", "active"]);
  assertEquals(await uninstall(context, { account_key, occurred_at: null }), 0);
});

Deno.test("OA-25: a late notice does not undo a newer connection", async () => {
  const { context, id } = await setUp(revoked);
  const { account_key } = await context.store.row(id);
  assertEquals(await uninstall(context, { account_key, occurred_at: "2025-12-31T23:59:59Z" }), 0);
  assertEquals((await context.store.row(id)).status, "active");
  assertEquals(await uninstall(context, { account_key, occurred_at: "2026-01-01T00:00:01Z" }), 1);
});

Deno.test("a notice, which comes only once, survives a database that stumbles", async () => {
  const { context, id } = await setUp(revoked);
  context.store.failNext("uninstall", 3);
  assertEquals(
    await uninstall(context, { account_key: (await context.store.row(id)).account_key, occurred_at: null }),
    1,
  );
});
