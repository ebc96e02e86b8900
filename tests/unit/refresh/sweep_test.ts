import { sweep } from "../../../supabase/functions/_shared/refresh/sweep.ts";
import { getAccessToken } from "../../../supabase/functions/_shared/use/access_token.ts";
import { Memory } from "../../../supabase/functions/_shared/keep/memory.ts";
import { connected, makeContext } from "../../support/context.ts";
import { makeKeyring } from "../../support/make.ts";
import { MARI } from "../../support/store.ts";
import { json, respondWith } from "../../support/fake_fetch.ts";
import { refusal } from "../../support/token_endpoint.ts";
import { assertEquals } from "../../support/assert.ts";

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
    assertEquals((await getAccessToken(alone, id, user_id)).access_token, access_token);
    assertEquals((await before.store.row(id)).version, version);
  }
  assertEquals((await sweep(after)).resealed, 0);
});

Deno.test("sweep() leaves and reports a token set whose key is gone", async () => {
  const before = await makeContext();
  const { id } = await connected(before);
  const after = { ...before, keyring: await makeKeyring(`new:${"C".repeat(42)}A`) };
  const { access_token_sealed } = await before.store.row(id);
  assertEquals((await sweep(after)).resealed, 0);
  assertEquals(before.reports.length, 1);
  assertEquals((await before.store.row(id)).access_token_sealed, access_token_sealed);
});

Deno.test("sweep() purges what nobody came back for and history past its time, and counts them together", async () => {
  const context = await makeContext();
  const { clock, store } = context;
  const { id } = await connected(context, { user_id: MARI });
  await store.disconnect({ id: id, user_id: MARI, provider: "pipedrive" });
  clock.pause(729 * DAY);
  const request = { id: "h", user_id: MARI, provider: "pipedrive", binding_hash: "b" };
  const place = { redirect_uri: "https://x.example/callback", return_to: "/", code_verifier_sealed: null };
  await store.beginAuthorization({ ...request, ...place, lifetime_ms: 600_000, limit: 5 });
  assertEquals((await sweep(context)).purged, 0);
  clock.pause(DAY);
  assertEquals((await sweep(context)).purged, 3);
  assertEquals(await store.events(), []);
});
