import { sweep } from "../../../supabase/functions/_shared/refresh/sweep.ts";
import { getAccessToken } from "../../../supabase/functions/_shared/use/access_token.ts";
import { Memory } from "../../../supabase/functions/_shared/keep/memory.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { FakeClock } from "../../support/clock.ts";
import { connected, makeContext, type TestContext } from "../../support/context.ts";
import { type Connected, makeKeyring } from "../../support/make.ts";
import { MARI } from "../../support/store.ts";
import { json, respondWith } from "../../support/fake_fetch.ts";
import { refusal } from "../../support/token_endpoint.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";

const DAY = 24 * 60 * 60_000;

/** A provider where every refresh token works once; `withdrawn` ones are refused. */
function provider() {
  const spent = new Set<string>();
  return respondWith(({ body }) => {
    const token = new URLSearchParams(body).get("refresh_token") ?? "";
    if (spent.has(token) || token.startsWith("withdrawn")) return refusal("invalid_grant");
    spent.add(token);
    return json({
      access_token: `a-${token}`,
      token_type: "bearer",
      expires_in: 3599,
      refresh_token: `${token}+`,
    });
  });
}

Deno.test("sweep() refreshes what was idle too long, and nothing that merely expired", async () => {
  const fetch = provider();
  const context = await makeContext({ fetch });
  const idle = await Promise.all(Array.from({ length: 25 }, () => connected(context)));
  for (const { id } of idle) {
    await context.store.backdate(id, { refreshed_at: 31 * DAY, access_expires_at: 31 * DAY });
  }
  const expired = await connected(context);
  await context.store.backdate(expired.id, { access_expires_at: DAY, refresh_after: DAY, refreshed_at: DAY });
  const swept = await sweep(context);
  assertEquals([swept.due, swept.refreshed, swept.failed], [25, 25, 0]);
  assertEquals(fetch.requests.length, 25);
  assertEquals((await sweep(context)).due, 0);
});

Deno.test("sweep() run twice at once refreshes each connection once", async () => {
  const fetch = provider();
  const context = await makeContext({ fetch });
  const idle = await Promise.all(Array.from({ length: 30 }, () => connected(context)));
  for (const { id } of idle) await context.store.backdate(id, { refreshed_at: 31 * DAY });
  const [one, other] = await Promise.all([sweep(context), sweep({ ...context, memory: new Memory() })]);
  assertEquals(one.refreshed + other.refreshed, 30);
  assertEquals(fetch.requests.length, 30);
});

Deno.test("sweep() finishes what was left unfinished, past its back-off", async () => {
  const fetch = provider();
  const context = await makeContext({ fetch });
  const { id, version } = await connected(context);
  const timings = { key_ids: ["k2"], request_ms: 20_000, lease_ms: 30_000, settle_ms: 30_000 };
  await context.store.claimRefresh({ id, seen_version: version, force: true, ...timings });
  assertEquals((await sweep(context)).due, 0, "somebody holds the lease");
  await context.store.backdate(id, { lease_until: 1 });
  assertEquals((await sweep(context)).refreshed, 1);
});

Deno.test("sweep() counts who must connect again, and what failed for now", async () => {
  const fetch = provider();
  const context = await makeContext({ fetch });
  const withdrawn = await connected(context, { refresh_token: "withdrawn" });
  await context.store.backdate(withdrawn.id, { refreshed_at: 31 * DAY });
  assertEquals((await sweep(context)).reauthorization_required, 1);
  const down = await makeContext({
    store: context.store,
    clock: context.clock,
    fetch: respondWith(() => json({}, 503)),
  });
  const unlucky = await connected(context);
  await context.store.backdate(unlucky.id, { refreshed_at: 31 * DAY });
  const swept = await sweep(down);
  assertEquals([swept.due > 0, swept.refreshed, swept.failed], [true, 0, swept.due]);
  assertEquals((await context.store.row(unlucky.id)).status, "active");
});

/** Idle connections whose refresh tokens begin so, the first the longest idle. */
async function idle(context: TestContext, count: number, name: string, days = 31): Promise<Connected[]> {
  const made: Connected[] = [];
  for (let n = 0; n < count; n += 1) {
    const one = await connected(context, { refresh_token: `${name}-${n}` });
    await context.store.backdate(one.id, { refreshed_at: days * DAY + (count - n) * 1_000 });
    made.push(one);
  }
  return made;
}

const WAYS: Record<string, () => Response> = {
  "500": () => json({}, 500),
  "404": () => json({}, 404),
  "400 without a code": () => json({ success: false }, 400),
  "429": () => json({}, 429, { "retry-after": "1" }),
  "invalid_client": () => refusal("invalid_client", 401),
};
for (const [way, answer] of Object.entries(WAYS)) {
  Deno.test(`sweep() reaches a healthy connection behind a hundred that are always answered ${way}`, async () => {
    const well = provider();
    const context = await makeContext({
      fetch: respondWith((request) => request.body.includes("dead") ? answer() : well(request.url, request)),
    });
    await idle(context, 100, "dead", 40);
    const [healthy] = await idle(context, 1, "healthy");
    let refreshed = 0;
    for (let n = 0; n < 4; n += 1) {
      refreshed += (await sweep(context)).refreshed;
      context.clock.pause(5 * 60_000);
    }
    assertEquals([refreshed, (await context.store.row(healthy?.id ?? "")).version], [1, 2]);
  });
}

/** Answers those whose token begins so only after this time, or when it is given up. */
function slowly(clock: FakeClock, ms: number, name: string, send: typeof fetch) {
  const times = { most_at_once: 0, at_once: 0, last_other: 0 };
  const slow = async (...[url, init]: Parameters<typeof fetch>): Promise<Response> => {
    const request = new Request(url, init);
    if (!(await request.clone().text()).includes(name)) {
      times.last_other = clock.now();
      return send(request);
    }
    times.most_at_once = Math.max(times.most_at_once, times.at_once += 1);
    try {
      await clock.sleep(ms, request.signal);
      return await send(request);
    } finally {
      times.at_once -= 1;
    }
  };
  return { times, fetch: slow as typeof fetch };
}

Deno.test("sweep() gives what failed before a quarter of its places, so that others do not wait while it hangs", async () => {
  const clock = new FakeClock({ auto: true });
  const { times, fetch } = slowly(clock, 60_000, "hangs", provider());
  const context = await makeContext({ clock, fetch });
  const timings = { request_ms: 20_000, lease_ms: 30_000, settle_ms: 30_000, key_ids: ["k2"] };
  for (const { id, version } of await idle(context, 25, "hangs", 40)) {
    await context.store.claimRefresh({ id, seen_version: version, force: true, ...timings });
    await context.store.backdate(id, { lease_until: 1 });
  }
  await idle(context, 100, "healthy");
  const began = clock.now();
  assertEquals([(await sweep(context)).refreshed, times.most_at_once], [100, 10]);
  assertEquals(
    times.last_other - began < 20_000,
    true,
    "all were asked before the first of those was given up",
  );
});

Deno.test("sweep() fills a place as soon as it is free: a slow one holds up nobody", async () => {
  const clock = new FakeClock({ auto: true });
  const { times, fetch } = slowly(clock, 15_000, "slow", provider());
  const context = await makeContext({ clock, fetch });
  await idle(context, 29, "slow", 40);
  await idle(context, 100, "healthy");
  const began = clock.now();
  assertEquals((await sweep(context)).refreshed, 129);
  assertEquals(times.last_other - began < 15_000, true);
});

Deno.test("sweep() whose database goes away ends what it has begun before it says so", async () => {
  const clock = new FakeClock({ auto: true });
  const { fetch } = slowly(clock, 15_000, "slow", provider());
  const context = await makeContext({
    clock,
    fetch: (url, init) => {
      context.store.failNext("claim_due");
      return fetch(url, init);
    },
  });
  const slow = await idle(context, 29, "slow", 40);
  await idle(context, 1, "quick");
  const { code } = await assertRejects(() => sweep(context), PublicError);
  assertEquals(code, "STORAGE_UNAVAILABLE");
  const versions = await Promise.all(slow.map(async ({ id }) => (await context.store.row(id)).version));
  assertEquals(versions, slow.map(() => 2));
});

Deno.test("sweep() claims nothing more while the token endpoint is left alone", async () => {
  const fetch = respondWith(() => json({}, 429, { "retry-after": "120" }));
  const context = await makeContext({ fetch });
  await idle(context, 50, "idle");
  assertEquals((await sweep(context)).failed, 30);
  context.clock.pause(60_000);
  assertEquals([(await sweep(context)).due, fetch.requests.length], [0, 30]);
});

Deno.test("sweep() reseals under the key that seals now; the version stays and every token still opens", async () => {
  const before = await makeContext({ keyring: await makeKeyring(`k1:${"B".repeat(42)}A`) });
  const connections = await Promise.all(Array.from({ length: 3 }, () => connected(before)));
  const after = {
    ...before,
    keyring: await makeKeyring(`k2:${"C".repeat(42)}A,k1:${"B".repeat(42)}A`),
  };
  assertEquals((await sweep(after)).resealed, 3);
  const alone = { ...before, keyring: await makeKeyring(`k2:${"C".repeat(42)}A`) };
  for (const { id, user_id, access_token, version } of connections) {
    assertEquals((await getAccessToken(alone, { connection_id: id, user_id })).access_token, access_token);
    assertEquals((await before.store.row(id)).version, version);
  }
  assertEquals((await sweep(after)).resealed, 0);
});

Deno.test("sweep() leaves a token set whose key is gone to whoever has it, counts it and reports its key id", async () => {
  const before = await makeContext({ fetch: provider() });
  const { id } = await connected(before);
  await before.store.backdate(id, { refreshed_at: 31 * DAY });
  const after = { ...before, keyring: await makeKeyring(`new:${"C".repeat(42)}A`) };
  const row = await before.store.row(id);
  const swept = await sweep(after);
  assertEquals([swept.due, swept.resealed, swept.unreadable], [0, 0, 1]);
  assertEquals(swept.unreadable_key_ids, ["k2"]);
  assertEquals(before.reports.map((error) => (error as PublicError).reason), [
    'unreadable: 1 under key id "k2" do not open with TOKEN_ENCRYPTION_KEYS',
  ]);
  assertEquals(await before.store.row(id), row);
  const there = await sweep(before);
  assertEquals([there.refreshed, there.unreadable], [1, 0]);
});

Deno.test("sweep() finds a wrong key under the right id before anybody asks for a token", async () => {
  const right = await makeContext();
  for (let n = 0; n < 5; n += 1) await connected(right);
  const wrong = { ...right, keyring: await makeKeyring(`k2:${"C".repeat(42)}A`) };
  for (const [context, unreadable] of [[right, 0], [wrong, 5], [wrong, 5], [right, 0]] as const) {
    assertEquals((await sweep(context)).unreadable, unreadable);
  }
  assertEquals(right.reports.length, 2);
});

Deno.test("sweep() tells a damaged seal from a missing key, and reseals the others", async () => {
  const before = await makeContext({ keyring: await makeKeyring(`k1:${"B".repeat(42)}A`) });
  const [damaged] = await Promise.all(Array.from({ length: 6 }, () => connected(before)));
  const { id } = damaged ?? await connected(before);
  const seals = { access_token_sealed: "v1.k1.AAAAA.AAAAA", refresh_token_sealed: "v1.k1.AAAAA.AAAAA" };
  const { refresh_token_sealed } = await before.store.row(id);
  await before.store.reseal({ id, sealed: refresh_token_sealed ?? "", ...seals, key_id: "k1" });
  const after = {
    ...before,
    keyring: await makeKeyring(`k2:${"C".repeat(42)}A,k1:${"B".repeat(42)}A`),
  };
  for (const resealed of [5, 0]) {
    const swept = await sweep(after);
    assertEquals([swept.resealed, swept.unreadable], [resealed, 1]);
  }
  assertEquals(before.reports.length, 2, "one for the key id, however many lie under it");
  await connected(after, damaged);
  assertEquals((await sweep(after)).unreadable, 0);
});

Deno.test("sweep() purges what nobody came back for and history past its time, and counts them together", async () => {
  const context = await makeContext();
  const { clock, store } = context;
  const { account_key } = await connected(context, { user_id: MARI });
  await store.uninstall({ provider: "pipedrive", account_key, occurred_at: null });
  clock.pause(729 * DAY);
  const request = { id: "h", user_id: MARI, provider: "pipedrive", binding_hash: "b" };
  const place = { redirect_uri: "https://x.example/callback", return_to: "/", code_verifier_sealed: null };
  await store.beginAuthorization({ ...request, ...place, lifetime_ms: 600_000, limit: 5 });
  assertEquals((await sweep(context)).purged, 0);
  clock.pause(DAY);
  assertEquals((await sweep(context)).purged, 3);
  assertEquals(await store.events(), []);
});

Deno.test("sweep() purges all that is past its time, however many calls that takes, until its own time is over", async () => {
  const context = await makeContext();
  const { clock, store } = context;
  const { id } = await connected(context);
  const purges = () => store.calls.filter((call) => call === "purge").length;
  await store.addOldEvents(id, 20_001);
  assertEquals([(await sweep(context)).purged, purges()], [20_001, 3]);
  await store.addOldEvents(id, 40_000);
  const purge: typeof store.purge = (args) => {
    clock.pause(20_000);
    return store.purge(args);
  };
  const swept = await sweep({ ...context, store: { ...store, purge } });
  assertEquals([swept.purged, purges()], [30_000, 6]);
});

Deno.test("sweep() whose purge fails ends all else before it says so", async () => {
  const fetch = provider();
  const context = await makeContext({ fetch });
  await idle(context, 30, "idle");
  context.store.failNext("purge");
  const { code } = await assertRejects(() => sweep(context), PublicError);
  assertEquals(code, "STORAGE_UNAVAILABLE");
  assertEquals(fetch.requests.length, 30);
  assertEquals((await sweep(context)).due, 0);
});
