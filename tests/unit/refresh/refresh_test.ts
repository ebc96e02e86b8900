import type { Context } from "../../../supabase/functions/_shared/context.ts";
import {
  getAccessToken,
  refreshConnection,
  usableConnection,
} from "../../../supabase/functions/_shared/use/access_token.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { Memory } from "../../../supabase/functions/_shared/keep/memory.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { FakeClock } from "../../support/clock.ts";
import { connected, makeContext, type TestContext } from "../../support/context.ts";
import { type Connected, type ConnectedOptions, makeKeyring } from "../../support/make.ts";
import { json } from "../../support/fake_fetch.ts";
import { refusal, StrictProvider } from "../../support/token_endpoint.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";

const MINUTE = 60_000;

/** One connection at one strict provider. */
async function story(options: ConnectedOptions & { clock?: FakeClock } = {}) {
  const provider = new StrictProvider("refresh-0");
  const context = await makeContext({
    fetch: provider.fetch,
    ...(options.clock ? { clock: options.clock } : {}),
  });
  const connection = await connected(context, {
    refresh_token: "refresh-0",
    access_token: "access-0",
    ...options,
  });
  return { provider, context, connection };
}

const expired = { expires_in_ms: 0 };

/** Another isolate: the same database and provider, nothing in memory. */
function isolate(context: TestContext): TestContext {
  return { ...context, memory: new Memory() };
}

function ask(context: TestContext, { id, user_id }: Connected, failed_version?: number) {
  return getAccessToken(context, { connection_id: id, user_id }, failed_version);
}

Deno.test("getAccessToken() costs one read and no request while the token is fresh", async () => {
  const { context, provider, connection } = await story();
  context.store.calls.length = 0;
  assertEquals((await ask(context, connection)).access_token, "access-0");
  assertEquals(context.store.calls, ["peek"]);
  assertEquals(provider.fetch.requests.length, 0);
});

Deno.test("getAccessToken() refreshes an expired token and keeps both new ones", async () => {
  const { context, provider, connection } = await story(expired);
  const token = await ask(context, connection);
  assertEquals([token.access_token, token.version], ["access-1", connection.version + 1]);
  await context.store.backdate(connection.id, { access_expires_at: 1, refresh_after: 1 });
  assertEquals((await ask(context, connection)).access_token, "access-2");
  assertEquals([provider.rotations.length, provider.refused], [2, 0]);
});

Deno.test("refresh goes out once however many ask in one isolate", async () => {
  const { context, provider, connection } = await story(expired);
  const tokens = await Promise.all(Array.from({ length: 50 }, () => ask(context, connection)));
  assertEquals(new Set(tokens.map((token) => token.access_token)), new Set(["access-1"]));
  assertEquals(provider.fetch.requests.length, 1);
});

Deno.test("refresh goes out once however many isolates ask", async () => {
  const { context, provider, connection } = await story(expired);
  const tokens = await Promise.all(Array.from({ length: 50 }, () => ask(isolate(context), connection)));
  assertEquals(new Set(tokens.map((token) => token.access_token)), new Set(["access-1"]));
  assertEquals(provider.fetch.requests.length, 1);
});

Deno.test("in its soft window the token is served at once while the refresh runs beside it", async () => {
  const { context, provider, connection } = await story();
  await context.store.backdate(connection.id, { refresh_after: 1 });
  assertEquals((await ask(context, connection)).access_token, "access-0");
  await context.background();
  assertEquals((await ask(context, connection)).access_token, "access-1");
  assertEquals(provider.fetch.requests.length, 1);
});

Deno.test("within the leeway before its expiry a token is no longer sent", async () => {
  const { context, connection } = await story();
  await context.store.backdate(connection.id, { access_expires_at: -30_000, refresh_after: 1 });
  assertEquals((await ask(context, connection)).access_token, "access-1");
});

Deno.test("a refused version is refreshed once for all who saw it refused", async () => {
  const { context, provider, connection } = await story();
  const tokens = await Promise.all(
    Array.from({ length: 20 }, () => ask(isolate(context), connection, connection.version)),
  );
  assertEquals(new Set(tokens.map((token) => token.version)), new Set([connection.version + 1]));
  assertEquals((await ask(context, connection, connection.version)).access_token, "access-1");
  assertEquals(provider.fetch.requests.length, 1);
});

Deno.test("a refresh outlives the caller that asked for it", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  provider.next(async (answer) => (await clock.sleep(15_000), answer()));
  const caller = assertRejects(() => ask(context, connection), PublicError);
  await clock.advance(10_000);
  assertEquals((await caller as PublicError).code, "REFRESH_IN_PROGRESS");
  await clock.advance(5_000);
  await context.background();
  assertEquals((await ask(context, connection)).access_token, "access-1");
});

Deno.test("every waiter ends within its budget with a token or a retryable error", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  provider.next(() => new Promise<Response>(() => {}));
  const codes = Array.from({ length: 5 }, async () => {
    const error = await assertRejects(() => ask(isolate(context), connection), PublicError);
    return [error.code, typeof error.retry_after];
  });
  await clock.advance(10_500);
  assertEquals(await Promise.all(codes), Array(5).fill(["REFRESH_IN_PROGRESS", "number"]));
});

const claimed_late = {
  "at once": [0, 20_000],
  "after five seconds": [5_000, 20_000],
  "after twelve seconds in a process without time to run": [12_000, 15_000],
};
for (const [when, [late = 0, left = 0]] of Object.entries(claimed_late)) {
  Deno.test(`a claim answered ${when} has ${left / 1000} s for its request, which ends 2 s before the lease`, async () => {
    const clock = new FakeClock();
    const { context, provider, connection } = await story({ ...expired, clock });
    provider.next(() => new Promise<Response>(() => {}));
    const answer = context.store.hold("claim_refresh", "answer");
    const failure = context.store.hold("fail_refresh");
    const given_up = failure.arrived.then(() => clock.now());
    const caller = assertRejects(() => ask(context, connection), PublicError);
    await answer.arrived;
    const { lease_until } = await context.store.row(connection.id);
    await clock.advance(late);
    answer.release();
    await clock.advance(left + 999);
    assertEquals(provider.fetch.requests.length, 1);
    const given_up_yet = await Promise.race([given_up, Promise.resolve(null)]);
    assertEquals(given_up_yet, null);
    await clock.advance(1);
    assertEquals(await given_up, late + left + 1_000, "the last second it only listens");
    assert(await given_up + 2_000 <= (lease_until ?? 0), `given up at ${await given_up}`);
    failure.release();
    await caller;
    await context.background();
    assertEquals((await context.store.row(connection.id)).lease_id, null, "given back");
  });
}

Deno.test("an answer that left in time is kept, though it is read only after the deadline", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  const answer = Promise.withResolvers<Response>();
  provider.next(() => answer.promise);
  const caller = ask(context, connection).catch(() => {});
  await clock.advance(20_500);
  answer.resolve(json({ access_token: "late", refresh_token: "next", expires_in: 3599 }));
  await clock.settle();
  await caller;
  assertEquals((await context.store.row(connection.id)).version, connection.version + 1);
});

Deno.test("a claim that took too long is given back unsent", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  const held = context.store.hold("claim_refresh");
  const caller = assertRejects(() => ask(context, connection), PublicError);
  await held.arrived;
  await clock.advance(22_001);
  held.release();
  await clock.settle();
  await caller;
  assertEquals(provider.fetch.requests.length, 0);
  assertEquals((await context.store.row(connection.id)).failure_code, "claim_late");
});

Deno.test("a crashed holder is followed after its lease, by one request", async () => {
  const { context, provider, connection } = await story(expired);
  await context.store.claimRefresh({
    id: connection.id,
    seen_version: connection.version,
    force: false,
    key_ids: ["k2"],
    request_ms: 20_000,
    lease_ms: 30_000,
    settle_ms: 30_000,
  });
  const waiting = await assertRejects(() => ask(context, connection), PublicError);
  assertEquals(waiting.code, "REFRESH_IN_PROGRESS");
  await context.store.backdate(connection.id, { lease_until: 1 });
  assertEquals((await ask(context, connection)).access_token, "access-1");
  assertEquals(provider.fetch.requests.length, 1);
});

Deno.test("a success that arrives after its lease has gone to another is kept", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  const held = context.store.hold("commit_refresh");
  const paused = ask(context, connection);
  await clock.advance(0);
  await held.arrived;
  await context.store.backdate(connection.id, { lease_until: 1 });
  // The other holder spends the spent token and is refused; the refusal must not count.
  const other = assertRejects(() => ask(isolate(context), connection), PublicError);
  await clock.advance(0);
  assertEquals((await other as PublicError).code, "PROVIDER_UNAVAILABLE");
  assertEquals([provider.rotations.length, provider.refused], [1, 1]);
  held.release();
  await clock.advance(0);
  assertEquals((await paused).access_token, "access-1");
  const row = await context.store.row(connection.id);
  assertEquals([row.status, row.version], ["active", connection.version + 1]);
});

Deno.test("a refused refresh token ends the connection, once and with its cause", async () => {
  const { context, provider, connection } = await story({ ...expired, refresh_token: "withdrawn" });
  assertEquals(
    (await assertRejects(() => ask(context, connection), PublicError)).code,
    "REAUTHORIZATION_REQUIRED",
  );
  assertEquals(
    (await assertRejects(() => ask(context, connection), PublicError)).code,
    "REAUTHORIZATION_REQUIRED",
  );
  assertEquals(provider.fetch.requests.length, 1);
  assertEquals((await context.store.row(connection.id)).failure_code, "grant_refused");
});

Deno.test("an answer lost after the rotation ends as rotation_lost, not as a refusal by the user", async () => {
  const { context, provider, connection } = await story(expired);
  provider.next((answer) => (answer(), Promise.reject(new TypeError("connection reset (SendRequest)"))));
  assertEquals(
    (await assertRejects(() => ask(context, connection), PublicError)).code,
    "REAUTHORIZATION_REQUIRED",
  );
  assertEquals((await context.store.row(connection.id)).failure_code, "rotation_lost");
});

Deno.test("an ambiguous failure leaves the living token in use until it ends", async () => {
  const { context, provider, connection } = await story();
  await context.store.backdate(connection.id, { refresh_after: 1, access_expires_at: -4 * MINUTE });
  provider.next(() => json({}, 502));
  assertEquals((await ask(context, connection)).access_token, "access-0");
  await context.background();
  for (let n = 0; n < 3; n++) assertEquals((await ask(context, connection)).access_token, "access-0");
  await context.background();
  assertEquals(provider.fetch.requests.length, 1);
});

Deno.test("where a spent token revokes everything, nothing is sent while the lost request may still be at work", async () => {
  const provider = new StrictProvider("refresh-0");
  const context = await makeContext({
    fetch: provider.fetch,
    provider: { ...pipedrive, revokes_on_reuse: true },
  });
  const connection = await connected(context, { refresh_token: "refresh-0", ...expired });
  provider.next(() => json({}, 502));
  const error = await assertRejects(() => ask(context, connection), PublicError);
  assertEquals([error.code, error.details.retry_after], ["PROVIDER_UNAVAILABLE", 30]);
  assertEquals(provider.fetch.requests.length, 1);
});

Deno.test("a provider that is down costs no connection, and the token at hand is served while it lives", async () => {
  const { context, provider, connection } = await story();
  await context.store.backdate(connection.id, { refresh_after: 1, access_expires_at: -30_000 });
  provider.next(...Array(20).fill(() => json({}, 503, { "retry-after": "120" })));
  assertEquals((await ask(context, connection)).access_token, "access-0");
  await context.store.backdate(connection.id, { access_expires_at: 1 });
  const error = await assertRejects(() => ask(context, connection), PublicError);
  assertEquals(error.code, "PROVIDER_UNAVAILABLE");
  assert((error.details.retry_after ?? 0) > 60, "the provider's own wish is passed on");
  assertEquals((await context.store.row(connection.id)).status, "active");
  await context.background();
});

Deno.test("a short failure is outlasted by the caller", async () => {
  const { context, provider, connection } = await story(expired);
  provider.next(() => json({}, 503), () => refusal("temporarily_unavailable", 503));
  assertEquals((await ask(context, connection)).access_token, "access-1");
  assertEquals(provider.rotations.length, 1);
});

for (const error of ["invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_request"]) {
  Deno.test(`an operator's fault (${error}) changes no connection and is told as configuration`, async () => {
    const { context, provider, connection } = await story(expired);
    provider.next(() => refusal(error));
    const before = await context.store.row(connection.id);
    const trouble = await assertRejects(() => ask(context, connection), PublicError);
    assertEquals(trouble.code, "CONFIGURATION_INVALID");
    const { status, version, unsettled_until } = await context.store.row(connection.id);
    assertEquals({ status, version, unsettled_until }, {
      status: before.status,
      version: before.version,
      unsettled_until: null,
    });
  });
}

Deno.test("whoever lacks the key of a token does not claim it, and keeps nobody from it", async () => {
  const { context, provider, connection } = await story(expired);
  const stranger = await makeContext({
    store: context.store,
    fetch: provider.fetch,
    keyring: await makeKeyring(`other:${"C".repeat(42)}A`),
  });
  const before = await context.store.row(connection.id);
  const trouble = await assertRejects(() => ask(stranger, connection), PublicError);
  assertEquals([trouble.code, provider.fetch.requests.length], ["CONFIGURATION_INVALID", 0]);
  assert(!/k2|key id/.test(trouble.message) && trouble.reason.includes("key id"), "the log alone is told");
  assertEquals(await context.store.row(connection.id), before);
  assertEquals((await ask(context, connection)).access_token, "access-1");
});

Deno.test("a commit whose answer is lost is repeated and counts once", async () => {
  const { context, connection } = await story(expired);
  context.store.failNext("commit_refresh", 1, "after");
  assertEquals((await ask(context, connection)).access_token, "access-1");
  assertEquals((await context.store.row(connection.id)).version, connection.version + 1);
});

Deno.test("with the database down at the commit the caller is answered and the commit goes on behind it", async () => {
  const { context, connection } = await story(expired);
  context.store.failNext("commit_refresh", 12);
  assertEquals((await ask(context, connection)).access_token, "access-1");
  await context.background();
  assertEquals((await context.store.row(connection.id)).version, connection.version + 1);
  assertEquals(context.reports, []);
});

const said = (status: number, code?: string) => ({
  data: null,
  error: code === undefined ? null : { code, message: "" },
  status,
});
const no_outcome = {
  "that it is read-only": said(405, "25006"),
  "429": said(429, ""),
  "408": said(408, ""),
  "that it does not know the function": said(404, "PGRST202"),
  "an empty 404, which supabase-js takes for a success": said(204),
  "that the key is wrong": said(401, ""),
  "a page with 403": said(403, ""),
  "a page with 200": said(200, ""),
  "no row": { ...said(200), data: [] },
  "a row of something else": { ...said(200), data: [{ message: "hello" }] },
  "a SQLSTATE nobody thought of": said(400, "22P02"),
};
for (const [name, answer] of Object.entries(no_outcome)) {
  Deno.test(`a commit is repeated until the database has said what became of it, here after ${name}`, async () => {
    for (const times of [1, 12]) {
      const { context, connection } = await story(expired);
      context.store.failNext("commit_refresh", times, "before", answer);
      assertEquals((await ask(context, connection)).access_token, "access-1");
      await context.background();
      const { status, version } = await context.store.row(connection.id);
      assertEquals([status, version], ["active", connection.version + 1]);
      assertEquals(context.reports, []);
    }
  });

  Deno.test(`a failure is repeated until the database has recorded it, here after ${name}`, async () => {
    const { context, provider, connection } = await story({ ...expired, refresh_token: "withdrawn" });
    context.store.failNext("fail_refresh", 3, "before", answer);
    const error = await assertRejects(() => ask(context, connection), PublicError);
    assertEquals([error.code, provider.refused], ["REAUTHORIZATION_REQUIRED", 1]);
  });
}

Deno.test("a token set that could never be stored is reported", async () => {
  const { context, connection } = await story(expired);
  context.store.failNext("commit_refresh", 1_000);
  await ask(context, connection);
  await context.background();
  assertEquals(context.reports.length, 1);
});

Deno.test("with the database down at a failure the caller is told to stay away for longer than it has tried", async () => {
  const { context, provider, connection } = await story(expired);
  provider.next(() => json({}, 503));
  context.store.failNext("fail_refresh", 10);
  const error = await assertRejects(() => ask(context, connection), PublicError);
  assertEquals([error.code, error.retry_after], ["STORAGE_UNAVAILABLE", 5]);
});

Deno.test("a provider that returns no new refresh token leaves the old one in place", async () => {
  const { context, connection } = await story(expired);
  const answers = [1, 2].map((n) =>
    json({ access_token: `access-${n}`, token_type: "bearer", expires_in: 3599 })
  );
  const sent: string[] = [];
  const fetch = (_input: RequestInfo | URL, init?: RequestInit) => {
    sent.push(new URLSearchParams(String(init?.body)).get("refresh_token") ?? "");
    return Promise.resolve(answers.shift() ?? refusal("invalid_grant"));
  };
  const reusing = { ...context, fetch };
  const first = await ask(reusing, connection);
  assertEquals(first.values.api_domain, "https://acme.pipedrive.com", "and so does the API's origin");
  await context.store.backdate(connection.id, { access_expires_at: 1, refresh_after: 1 });
  assertEquals((await ask(reusing, connection)).access_token, "access-2");
  assertEquals(sent, ["refresh-0", "refresh-0"]);
});

Deno.test("a user who disconnects during the refresh stays disconnected, and the fresh grant is revoked", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  const held = context.store.hold("commit_refresh");
  const caller = assertRejects(() => ask(context, connection), PublicError);
  await clock.advance(0);
  await held.arrived;
  await context.store.disconnect({ id: connection.id, user_id: connection.user_id, provider: "pipedrive" });
  provider.next(() => new Response(null, { status: 200 }));
  held.release();
  await clock.advance(0);
  assertEquals((await caller as PublicError).code, "CONNECTION_NOT_FOUND");
  await context.background();
  const revocation = provider.fetch.requests.at(-1);
  assert(revocation?.url.endsWith("/revoke") && revocation.body.includes("refresh-1"));
  assertEquals((await context.store.row(connection.id)).refresh_token_sealed, null);
});

Deno.test("a user who disconnects and connects again during the refresh keeps the new authorization", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  const [commit, look] = [context.store.hold("commit_refresh"), context.store.hold("claim_revocations")];
  const caller = assertRejects(() => ask(context, connection), PublicError);
  await clock.advance(0);
  await commit.arrived;
  await context.store.disconnect({ id: connection.id, user_id: connection.user_id, provider: "pipedrive" });
  commit.release();
  await look.arrived;
  await connected(context, { ...connection, refresh_token: "refresh-again" });
  look.release();
  assertEquals((await caller as PublicError).code, "CONNECTION_NOT_FOUND");
  await context.background();
  assertEquals(provider.fetch.requests.filter(({ url }) => url.endsWith("/revoke")), []);
});

Deno.test("a user who connects again during the refresh keeps the new tokens, which nobody revokes", async () => {
  const clock = new FakeClock();
  const { context, provider, connection } = await story({ ...expired, clock });
  const held = context.store.hold("commit_refresh");
  const caller = ask(context, connection);
  await clock.advance(0);
  await held.arrived;
  await connected(context, { ...connection, access_token: "access-again", refresh_token: "refresh-again" });
  held.release();
  await clock.advance(1_000);
  assertEquals((await caller).access_token, "access-again");
  await context.background();
  assertEquals(provider.fetch.requests.filter(({ url }) => url.endsWith("/revoke")), []);
});

Deno.test("another user's connection, another provider's and none are not found alike", async () => {
  const { context, provider, connection } = await story(expired);
  const foreign = { ...connection, user_id: crypto.randomUUID() };
  const missing = { ...connection, id: crypto.randomUUID() };
  const elsewhere = await makeContext({
    store: context.store,
    provider: { ...context.client.provider, name: "elsewhere" },
  });
  for (
    const attempt of [
      () => ask(context, foreign),
      () => ask(context, missing),
      () => ask(elsewhere, connection),
    ]
  ) {
    assertEquals((await assertRejects(attempt, PublicError)).code, "CONNECTION_NOT_FOUND");
  }
  assertEquals(provider.fetch.requests.length, 0);
});

Deno.test("five users at whom the token endpoint fails shut out nobody else: a first try is the probe", async () => {
  const { context, provider } = await story();
  const make = () => connected(context, expired);
  const told = async (connection: Connected) =>
    (await assertRejects(() => ask(context, connection), PublicError)).code;
  provider.next(...Array(5).fill(() => json({}, 503, { "retry-after": "60" })), () => json({}, 503));
  for (let n = 0; n < 5; n += 1) assertEquals(await told(await make()), "PROVIDER_UNAVAILABLE");
  const sixth = await make();
  assertEquals([await told(sixth), provider.fetch.requests.length], ["PROVIDER_UNAVAILABLE", 6]);
  assertEquals([await told(sixth), provider.fetch.requests.length], ["PROVIDER_UNAVAILABLE", 6], "it waits");
  const healthy = await connected(context, { ...expired, refresh_token: provider.current });
  assertEquals((await ask(context, healthy)).access_token, "access-1");
  assertEquals([await told(sixth), provider.fetch.requests.length], ["REAUTHORIZATION_REQUIRED", 8]);
});

Deno.test("while an outage lasts, who met it is probed once in 15 s", async () => {
  const { context, provider } = await story();
  const connections = await Promise.all(Array.from({ length: 8 }, () => connected(context, expired)));
  provider.next(...Array(9).fill(() => json({}, 503, { "retry-after": "10" })));
  const askAll = () => Promise.allSettled(connections.map((connection) => ask(context, connection)));
  await askAll();
  await askAll();
  assertEquals(provider.fetch.requests.length, 8);
  await context.clock.sleep(16_000);
  await askAll();
  assertEquals(provider.fetch.requests.length, 9);
});

Deno.test("a wrong client secret is told to each user, not PROVIDER_UNAVAILABLE for ever", async () => {
  const { context, provider } = await story();
  provider.next(...Array(7).fill(() => refusal("invalid_client", 401)));
  for (let n = 0; n < 7; n += 1) {
    const connection = await connected(context, expired);
    const { code } = await assertRejects(() => ask(context, connection), PublicError);
    assertEquals(code, "CONFIGURATION_INVALID");
  }
});

Deno.test("a scope that the database would refuse does not cost the token that came with it", async () => {
  const { context, provider, connection } = await story(expired);
  const tokens = {
    access_token: "access-1",
    refresh_token: "refresh-1",
    token_type: "bearer",
    expires_in: 3599,
  };
  provider.next(() => json({ ...tokens, scope: "base\u0000 contacts:read" }));
  assertEquals((await ask(context, connection)).access_token, "access-1");
  assertEquals((await context.store.row(connection.id)).scope, ["base", "contacts:read"]);
});

Deno.test("refreshConnection() leaves a fresh token alone unless forced", async () => {
  const { context, connection } = await story();
  const { id, user_id } = connection;
  assertEquals((await refreshNow(context, id, user_id, false)).outcome, "fresh");
  const forced = await refreshNow(context, id, user_id, true);
  assertEquals([forced.outcome, forced.version], ["refreshed", connection.version + 1]);
  assertEquals(
    forced.access_expires_at,
    (await context.store.connection({ id, user_id }))?.access_expires_at,
  );
});

Deno.test("refreshConnection() tells one caller that it refreshed and the others that somebody did", async () => {
  const { context, provider, connection } = await story(expired);
  const outcomes = await Promise.all(Array.from({ length: 10 }, async (_, n) => {
    const own = n % 2 ? context : isolate(context);
    return (await refreshNow(own, connection.id, null, true)).outcome;
  }));
  await context.background();
  assertEquals(outcomes.toSorted(), [...Array(9).fill("held_elsewhere"), "refreshed"]);
  assertEquals(provider.fetch.requests.length, 1);
});

async function refreshNow(context: Context, id: string, user_id: string | null, force: boolean) {
  return await refreshConnection(
    context,
    await usableConnection(context.store, { connection_id: id, user_id }),
    { force },
  );
}
