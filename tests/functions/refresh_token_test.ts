import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { KEYS, makeKeyring } from "../support/make.ts";
import { foreignToken, SECRET_KEYS, unsignedToken, userToken } from "./callers.ts";
import { type Answer, begin, JONAS, MARI, type Stage, story } from "./stage.ts";

const SECRET = { apikey: SECRET_KEYS.cron };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Mari, connected with tokens that the provider has issued. */
async function connection(stage: Stage, extra: { expires_in_ms?: number; user_id?: string } = {}) {
  const { access_token, refresh_token = "", api_domain } = await stage.provider.grant();
  for (const token of [access_token, refresh_token]) stage.secrets.add(token);
  return await stage.connected({
    user_id: MARI,
    access_token,
    refresh_token,
    api_origin: api_domain,
    ...extra,
  });
}

function expire(stage: Stage, id: string): void {
  stage.store.backdate(id, { access_expires_at: 1_000, refresh_after: 300_000 });
}

function refusal({ status, body }: Answer): [number, unknown] {
  return [status, body.code];
}

story("an expired connection is refreshed for its owner, and no token is answered", async (stage) => {
  await stage.provider.configure({ rotate_refresh: true });
  const { id } = await connection(stage);
  expire(stage, id);
  const answer = await stage.refresh({ user: MARI, body: { connection_id: id } });
  assertEquals(answer.status, 200);
  assertEquals(Object.keys(answer.body), ["connection_id", "outcome", "version", "expires_at"]);
  const { expires_at, ...rest } = answer.body;
  assertEquals(rest, { connection_id: id, outcome: "refreshed", version: 2 });
  assertEquals(Date.parse(String(expires_at)) - Date.parse("2026-01-01T00:00:00Z"), 3_599_000);
  assertEquals(await stage.requests("token:refresh"), 1);
});

story("a fresh connection costs the provider nothing", async (stage) => {
  const { id } = await connection(stage);
  const answer = await stage.refresh({ user: MARI, body: { connection_id: id } });
  const expires_at = stage.store.row(id).access_expires_at ?? 0;
  assertEquals(answer.body, {
    connection_id: id,
    outcome: "fresh",
    version: 1,
    expires_at: new Date(expires_at).toISOString(),
  });
  assertEquals(await stage.requests("token:refresh"), 0);
});

story("force refreshes a fresh connection, for its owner and for a secret key", async (stage) => {
  const { id } = await connection(stage);
  const callers = [{ user: MARI }, { headers: SECRET }];
  for (const [index, caller] of callers.entries()) {
    const answer = await stage.refresh({ ...caller, body: { connection_id: id.toUpperCase(), force: true } });
    assertEquals([answer.body.outcome, answer.body.version], ["refreshed", index + 2]);
  }
});

story("fifty callers of one expired connection are one refresh", async (stage) => {
  await stage.provider.configure({ rotate_refresh: true, revoke_on_reuse: true });
  const { id } = await connection(stage);
  expire(stage, id);
  const all = await Promise.all(
    Array.from({ length: 50 }, () => stage.refresh({ user: MARI, body: { connection_id: id } })),
  );
  assertEquals(new Set(all.map(({ status }) => status)), new Set([200]));
  assertEquals(new Set(all.map(({ body }) => body.version)), new Set([2]));
  // Whoever comes after the commit finds it fresh.
  const others = all.filter(({ body }) => body.outcome === "held_elsewhere" || body.outcome === "fresh");
  assertEquals([all.length, others.length], [50, 49]);
  assertEquals(await stage.requests("token:refresh"), 1);
});

story("someone else's connection and an unknown one are not found, and nothing goes out", async (stage) => {
  const { id } = await connection(stage);
  expire(stage, id);
  const asks = [
    { user: JONAS, body: { connection_id: id } },
    { user: JONAS, body: { connection_id: id, force: true } },
    { user: MARI, body: { connection_id: crypto.randomUUID() } },
    { headers: SECRET, body: { connection_id: crypto.randomUUID() } },
  ];
  for (const ask of asks) assertEquals(refusal(await stage.refresh(ask)), [404, "CONNECTION_NOT_FOUND"]);
  assertEquals(await stage.requests("token:refresh"), 0);
});

story(
  "a grant that the provider has ended is REAUTHORIZATION_REQUIRED, from then on without asking",
  async (stage) => {
    const { id } = await connection(stage);
    expire(stage, id);
    await stage.provider.revoke({ user: 11 });
    for (let n = 0; n < 2; n += 1) {
      const answer = await stage.refresh({ user: MARI, body: { connection_id: id } });
      assertEquals([...refusal(answer), answer.body.connection_id], [409, "REAUTHORIZATION_REQUIRED", id]);
    }
    assertEquals(await stage.requests("token:refresh"), 1);
  },
);

story("a disconnected connection is not found", async (stage) => {
  const { id } = await connection(stage);
  await stage.store.disconnect(id, MARI, "pipedrive");
  const answer = await stage.refresh({ user: MARI, body: { connection_id: id } });
  assertEquals(refusal(answer), [404, "CONNECTION_NOT_FOUND"]);
});

const faults: [string, number, string][] = [
  ["503", 503, "PROVIDER_UNAVAILABLE"],
  ["429", 503, "PROVIDER_UNAVAILABLE"],
  ["invalid_client", 500, "CONFIGURATION_INVALID"],
];
for (const [how, status, code] of faults) {
  story(`a token endpoint that answers ${how} is ${code}, and the connection lives on`, async (stage) => {
    const { id } = await connection(stage);
    expire(stage, id);
    await stage.provider.fail_next({ on: "token:refresh", how: how as "503", times: 99, retry_after: 60 });
    const answer = await stage.refresh({ user: MARI, body: { connection_id: id } });
    assertEquals(refusal(answer), [status, code]);
    assertEquals(answer.headers.has("retry-after"), status === 503);
    assertEquals([stage.store.row(id).status, stage.store.row(id).version], ["active", 1]);
  });
}

story("a lease that someone else holds is REFRESH_IN_PROGRESS after ten seconds", async (stage) => {
  const { id } = await connection(stage);
  expire(stage, id);
  const timings = { request_ms: 20_000, lease_ms: 25_000, settle_ms: 30_000 };
  await stage.store.claimRefresh({ id, seen_version: 1, force: false, ...timings });
  const answer = await stage.refresh({ user: MARI, body: { connection_id: id } });
  assertEquals([...refusal(answer), answer.headers.has("retry-after")], [503, "REFRESH_IN_PROGRESS", true]);
  assertEquals(await stage.requests("token:refresh"), 0);
  await stage.context.background();
});

story("a database that is down is STORAGE_UNAVAILABLE", async (stage) => {
  const { id } = await connection(stage);
  for (const method of ["connection", "peek"] as const) {
    stage.store.failNext(method);
    const answer = await stage.refresh({ user: MARI, body: { connection_id: id } });
    assertEquals([...refusal(answer), answer.headers.has("retry-after")], [503, "STORAGE_UNAVAILABLE", true]);
  }
  stage.store.failNext("claimDue");
  assertEquals(refusal(await stage.refresh({ headers: SECRET, body: {} })), [503, "STORAGE_UNAVAILABLE"]);
});

// The sweep.

story(
  "the sweep refreshes what nobody has used for long, and leaves alone what merely expired",
  async (stage) => {
    const [expired, idle] = [await stage.connected(), await connection(stage)];
    stage.store.backdate(idle.id, { refreshed_at: 31 * DAY_MS });
    expire(stage, expired.id);
    const answer = await stage.refresh({ headers: SECRET, body: {} });
    assertEquals(answer.status, 200);
    assertEquals(Object.keys(answer.body), [
      "due",
      "refreshed",
      "failed",
      "reauthorization_required",
      "resealed",
      "purged",
    ]);
    assertEquals([answer.body.due, answer.body.refreshed], [1, 1]);
    assertEquals(stage.store.row(expired.id).version, 1);
  },
);

story("the sweep counts what it refreshed, lost, failed to refresh, resealed and purged", async (stage) => {
  const kept = await connection(stage);
  const lost = await stage.connected({ user_id: JONAS, refresh_token: "1:1:unknown" });
  for (const { id } of [kept, lost]) stage.store.backdate(id, { refreshed_at: 31 * DAY_MS });
  const old = await makeKeyring([...KEYS.split(",")].reverse().join(","));
  const keyring = stage.context.keyring;
  Object.assign(stage.context, { keyring: old });
  const resealed = await stage.connected();
  Object.assign(stage.context, { keyring });
  await begin(stage);
  await stage.context.clock.advance(600_001);

  const answer = await stage.refresh({ headers: SECRET });
  assertEquals(answer.body, {
    due: 2,
    refreshed: 1,
    failed: 0,
    reauthorization_required: 1,
    resealed: 1,
    purged: 1,
  });
  assertEquals(stage.store.row(resealed.id).key_id, "k2");
  const again = await stage.refresh({ headers: SECRET, body: {} });
  assertEquals(new Set(Object.values(again.body)), new Set([0]));
});

story("a refresh that the sweep could not make is counted and tried again later", async (stage) => {
  const { id } = await connection(stage);
  stage.store.backdate(id, { refreshed_at: 31 * DAY_MS });
  await stage.provider.fail_next({ on: "token:refresh", how: "503" });
  assertEquals((await stage.refresh({ headers: SECRET, body: {} })).body.failed, 1);
  stage.store.backdate(id, { next_attempt_at: 1 });
  assertEquals((await stage.refresh({ headers: SECRET, body: {} })).body.refreshed, 1);
});

story("a sweep whose caller has hung up is finished: the isolate is kept until then", async (stage) => {
  const kept: Promise<unknown>[] = [];
  Object.assign(stage.context, { waitUntil: (work: Promise<unknown>) => kept.push(work) });
  const held = stage.store.hold("claimDue");
  const left = stage.refresh({ headers: SECRET, body: {} });
  await held.arrived;
  assertEquals(kept.length, 1);
  held.release();
  await Promise.all(kept);
  assertEquals((await left).status, 200);
});

story("two sweeps at once spend each refresh token once", async (stage) => {
  await stage.provider.configure({ rotate_refresh: true, revoke_on_reuse: true });
  const { id } = await connection(stage);
  stage.store.backdate(id, { refreshed_at: 31 * DAY_MS });
  const both = await Promise.all([1, 2].map(() => stage.refresh({ headers: SECRET, body: {} })));
  assertEquals(both.reduce((sum, { body }) => sum + Number(body.refreshed), 0), 1);
  assertEquals([await stage.requests("token:refresh"), stage.store.row(id).status], [1, "active"]);
});

story("the sweep is for a secret key: a user must name a connection", async (stage) => {
  for (const body of [{}, "", { force: true }]) {
    const answer = await stage.refresh({ user: MARI, body });
    assertEquals(refusal(answer), [400, "INVALID_REQUEST"]);
    assertMatch(String(answer.body.message), /"connection_id"/);
  }
  assertEquals(stage.store.calls, []);
});

// What is refused.

story("input that is wrong is named, and nothing is touched", async (stage) => {
  const connection_id = crypto.randomUUID();
  const inputs: [unknown, RegExp][] = [
    ["{", /JSON/],
    ["[]", /object/],
    [{ connection_id: 7 }, /"connection_id"/],
    [{ connection_id: null }, /"connection_id"/],
    [{ connection_id: "" }, /"connection_id"/],
    [{ connection_id: "not-a-uuid" }, /"connection_id"/],
    [{ connection_id: `${connection_id}0` }, /"connection_id"/],
    [{ connection_id, force: "true" }, /"force"/],
    [{ connection_id, force: 1 }, /"force"/],
    [{ connection_id, user_id: MARI }, /"user_id"/],
    [{ connection_id, provider: "x" }, /"provider"/],
    [{ provider: "x" }, /"provider"/],
    [{ connection_id, pad: "x".repeat(20_000) }, /KiB/],
  ];
  for (const caller of [{ user: MARI }, { headers: SECRET }]) {
    for (const [body, message] of inputs) {
      const answer = await stage.refresh({ ...caller, body });
      assertEquals(refusal(answer), [400, "INVALID_REQUEST"], JSON.stringify(body).slice(0, 80));
      assertMatch(String(answer.body.message), message);
    }
  }
  const forced = await stage.refresh({ headers: SECRET, body: { force: true } });
  assertEquals(refusal(forced), [400, "INVALID_REQUEST"]);
  assertEquals(stage.store.calls, []);
});

story("OA-27: who is neither a user nor a secret key is refused", async (stage) => {
  const { id } = await connection(stage);
  const calls = stage.store.calls.length;
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const callers: [Record<string, string>, string][] = [
    [{}, "MISSING_CREDENTIALS"],
    [{ apikey: "sb_publishable_test" }, "INVALID_API_KEY"],
    [{ apikey: "sb_secret_guess" }, "INVALID_API_KEY"],
    [bearer(SECRET_KEYS.cron), "UNUSABLE_CREDENTIAL"],
    [bearer(unsignedToken()), "INVALID_JWT"],
    [bearer(await foreignToken()), "INVALID_JWT"],
    [bearer(await userToken({ exp: 1 })), "INVALID_JWT"],
    [{ authorization: "Basic eDp5" }, "UNUSABLE_CREDENTIAL"],
  ];
  for (const [headers, code] of callers) {
    for (const body of [{}, { connection_id: id }]) {
      assertEquals(refusal(await stage.refresh({ headers, body })), [401, code]);
    }
  }
  assertEquals(stage.store.calls.length, calls);
});

story("the function is a POST", async (stage) => {
  for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
    const answer = await stage.refresh({ method, user: MARI });
    assertEquals([...refusal(answer), answer.headers.get("allow")], [405, "METHOD_NOT_ALLOWED", "POST"]);
  }
});

story("OA-26: in all that a connection can go through no token is answered", async (stage) => {
  const { id } = await connection(stage);
  for (const body of [{ connection_id: id }, { connection_id: id, force: true }]) {
    for (const caller of [{ user: MARI }, { headers: SECRET }]) await stage.refresh({ ...caller, body });
  }
  await stage.refresh({ headers: SECRET, body: {} });
  assertEquals(stage.texts.length, 5);
  for (const text of stage.texts) assert(!/access_token|refresh_token|_sealed|v1u:/.test(text), text);
});
