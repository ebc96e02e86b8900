import { disconnectConnection } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assertEquals } from "../../support/assert.ts";
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

Deno.test("the tokens are erased before the refresh token goes to the provider to be revoked", async () => {
  const seen: unknown[] = [];
  const { context, requests, id, user_id, refresh_token } = await setUp(async () => {
    seen.push((await context.store.row(id)).refresh_token_sealed);
    return revoked();
  });
  await disconnect(context, id, user_id);
  const [request] = requests;
  const form = new URLSearchParams(request?.body);
  assertEquals(seen, [null]);
  assertEquals(request?.url, "https://oauth.pipedrive.com/oauth/revoke");
  assertEquals([form.get("token"), form.get("token_type_hint")], [refresh_token, "refresh_token"]);
});

Deno.test("a provider that never answers keeps the user five seconds", async () => {
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

Deno.test("a revocation that never succeeds ends after six tries and is reported", async () => {
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
