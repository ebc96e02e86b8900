import { disconnectConnection } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { revokePending } from "../../../supabase/functions/_shared/refresh/revoke.ts";
import { assertEquals } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { json, respondWith, type SentRequest } from "../../support/fake_fetch.ts";
import { connected, makeContext, type TestContext } from "../../support/context.ts";
import { KEYS, makeKeyring } from "../../support/make.ts";
import { refusal } from "../../support/token_endpoint.ts";

type Answerer = (request: SentRequest) => Response | Promise<Response>;
const revoked = () => json({});
const down = () => new Response("", { status: 503 });

const HOUR = 3_600_000;
const NONE = { revoked: 0, abandoned: 0 };

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

const named = (context: TestContext, id: string, user_id: string) =>
  disconnectConnection(context.store, { id, user_id, provider: "pipedrive" }, () => context);

/** Disconnects, and lets what runs behind the answer end. */
async function disconnect(context: TestContext, id: string, user_id: string) {
  const connection = await named(context, id, user_id);
  await context.background();
  return connection;
}

const codes = ({ reports }: TestContext) => reports.map((error) => (error as PublicError).code);

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
  assertEquals([await context.store.revocations(), context.reports], [[], []]);
});

Deno.test("neither a provider nor a database that never answers keeps the user who disconnects", async () => {
  const clock = new FakeClock();
  const context = await makeContext({ clock, fetch: respondWith(() => new Promise(() => {})) });
  const { id, user_id } = await connected(context);
  const held = context.store.hold("claim_revocations");
  assertEquals((await named(context, id, user_id)).status, "disconnected");
  held.release();
  await clock.advance(5_000);
  assertEquals(codes(context), ["PROVIDER_UNAVAILABLE"]);
});

Deno.test("a process that dies behind the answer leaves the revocation to the sweep", async () => {
  const { context, requests, id, user_id } = await setUp(revoked);
  context.store.failNext("claim_revocations");
  await disconnect(context, id, user_id);
  assertEquals([requests.length, codes(context)], [0, ["STORAGE_UNAVAILABLE"]]);
  assertEquals(await revokePending(context), { revoked: 1, abandoned: 0 });
  assertEquals(await revokePending(context), NONE);
});

Deno.test("a revocation that never succeeds is tried again, more and more rarely, and given up after seven days", async () => {
  const { context, requests, id, user_id } = await setUp(down);
  await disconnect(context, id, user_id);
  for (let sweeps = 0; sweeps < 7 * 24 - 1; sweeps += 1) {
    context.clock.pause(HOUR);
    assertEquals(await revokePending(context), NONE);
  }
  assertEquals([requests.length, codes(context).length, codes(context)[0]], [35, 35, "PROVIDER_UNAVAILABLE"]);
  context.clock.pause(7 * HOUR);
  assertEquals(await revokePending(context), { revoked: 0, abandoned: 1 });
  assertEquals(
    (context.reports.at(-1) as PublicError).message,
    `the authorization of connection ${id} could not be revoked in seven days: given up`,
  );
  assertEquals([requests.length, await context.store.revocations()], [35, []]);
  assertEquals((await context.store.events()).at(-1)?.kind, "revocation_abandoned");
});

Deno.test("a client that the provider refuses is reported, and the revocation waits for a better one", async () => {
  const { context, id, user_id } = await setUp(() => refusal("invalid_client", 401), revoked);
  assertEquals((await disconnect(context, id, user_id)).status, "disconnected");
  assertEquals(codes(context), ["CONFIGURATION_INVALID"]);
  context.clock.pause(60_000);
  assertEquals(await revokePending(context), { revoked: 1, abandoned: 0 });
});

Deno.test("a user who has connected again is not disconnected by a revocation that failed before", async () => {
  const { context, requests, id, user_id } = await setUp(down, revoked);
  const { account_key } = await context.store.row(id);
  await disconnect(context, id, user_id);
  await connected(context, { id, user_id, account_key });
  context.clock.pause(HOUR);
  assertEquals(await revokePending(context), NONE);
  assertEquals([requests.length, (await context.store.row(id)).status], [1, "active"]);
});

Deno.test("a refresh token under a key that is not at hand waits for a deployment that has it", async () => {
  const { context, requests, id, user_id } = await setUp(revoked);
  const keyless = { ...context, keyring: await makeKeyring(KEYS.split(",")[1]) };
  assertEquals((await disconnect(keyless, id, user_id)).status, "disconnected");
  assertEquals([requests.length, context.reports], [0, []]);
  assertEquals(await revokePending(context), { revoked: 1, abandoned: 0 });
});

Deno.test("a refresh token that does not open is reported and kept, and the connection ends all the same", async () => {
  const { context, requests, id, user_id } = await setUp(revoked);
  const other = await makeKeyring(`k2:${KEYS.split(":").at(-1)}`);
  assertEquals((await disconnect({ ...context, keyring: other }, id, user_id)).status, "disconnected");
  assertEquals([requests.length, codes(context)], [0, ["CONFIGURATION_INVALID"]]);
  assertEquals((await context.store.revocations()).length, 1);
});

Deno.test("many that are due are revoked ten at a time", async () => {
  let [under_way, most] = [0, 0];
  const { context, requests } = await setUp(async () => {
    most = Math.max(most, under_way += 1);
    await context.clock.sleep(100);
    under_way -= 1;
    return revoked();
  });
  for (let n = 0; n < 25; n += 1) {
    const { id, user_id } = await connected(context);
    await context.store.disconnect({ id, user_id, provider: "pipedrive" });
  }
  assertEquals(await revokePending(context), { revoked: 25, abandoned: 0 });
  assertEquals([requests.length, most], [25, 10]);
});

Deno.test("a provider that is not offered any more keeps nobody from ending a connection", async () => {
  const { context, requests, id, user_id } = await setUp(revoked);
  const offered = () => {
    throw new PublicError("UNKNOWN_PROVIDER", "there is no such provider");
  };
  const ended = await disconnectConnection(context.store, { id, user_id, provider: "pipedrive" }, offered);
  assertEquals([ended.status, requests.length], ["disconnected", 0]);
  assertEquals(await revokePending(context), { revoked: 1, abandoned: 0 });
});
