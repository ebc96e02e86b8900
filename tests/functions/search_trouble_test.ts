import type { FaultKind } from "../../local/sandbox/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { makeKeyring } from "../support/make.ts";
import { userToken } from "./callers.ts";
import { ADDRESS, scene } from "./search_scene.ts";

const faults: [FaultKind, number, number, string, number][] = [
  ["401", 2, 401, "PROVIDER_REJECTED", 1],
  ["402", 1, 403, "PROVIDER_FORBIDDEN", 0],
  ["403", 1, 403, "PROVIDER_FORBIDDEN", 0],
  ["403_scope", 1, 403, "PROVIDER_FORBIDDEN", 0],
  ["html_403", 1, 503, "PROVIDER_UNAVAILABLE", 0],
  ["404", 1, 404, "PROVIDER_REJECTED", 0],
  ["429", 3, 429, "PROVIDER_RATE_LIMITED", 0],
  ["500", 3, 503, "PROVIDER_UNAVAILABLE", 0],
  ["503", 3, 503, "PROVIDER_UNAVAILABLE", 0],
  ["timeout", 3, 503, "PROVIDER_UNAVAILABLE", 0],
  ["reset", 3, 503, "PROVIDER_UNAVAILABLE", 0],
  ["html_200", 1, 502, "PROVIDER_RESPONSE_INVALID", 0],
  ["empty", 1, 502, "PROVIDER_RESPONSE_INVALID", 0],
  ["truncated", 1, 502, "PROVIDER_RESPONSE_INVALID", 0],
  ["redirect", 1, 502, "PROVIDER_RESPONSE_INVALID", 0],
  ["huge", 1, 502, "PROVIDER_RESPONSE_INVALID", 0],
];

for (const [how, requests, status, code, refreshed] of faults) {
  Deno.test(`where Pipedrive's search answers ${how} for good, ours answers ${status} ${code}`, async () => {
    const { connect, search, control, searches, refreshes, context } = await scene();
    const { user_id, id } = await connect();
    await control.fail_next({ on: "search", how, times: 9 });
    const { result } = await search(user_id);
    const body = await result.json();
    assertEquals([result.status, body.code], [status, code]);
    assertEquals(result.headers.has("retry-after"), status === 429 || status === 503);
    assertEquals([await searches(), await refreshes()], [requests, refreshed]);
    assertEquals((await context.store.row(id)).status, "active");
  });
}

for (const how of ["401", "429", "500", "503", "timeout", "reset"] as const) {
  Deno.test(`a single ${how} of Pipedrive's search goes unnoticed`, async () => {
    const { connect, search, control } = await scene();
    const { user_id } = await connect();
    await control.fail_next({ on: "search", how });
    const { result } = await search(user_id);
    assertEquals(result.status, 200);
  });
}

Deno.test("a burst above Pipedrive's limit waits for its window, and is answered", async () => {
  const { connect, search, context } = await scene();
  const { user_id } = await connect();
  for (let asked = 0; asked < 12; asked += 1) {
    assertEquals((await search(user_id)).result.status, 200);
  }
  assert(context.clock.now() >= 2_000, `${context.clock.now()} ms`);
});

Deno.test("a spent daily budget is passed on at once, with Pipedrive's headers", async () => {
  const { connect, search, searches } = await scene({ daily_budget: 20 });
  const { user_id } = await connect();
  assertEquals((await search(user_id)).result.status, 200);
  const { result } = await search(user_id);
  assertEquals([result.status, (await result.json()).code], [429, "PROVIDER_RATE_LIMITED"]);
  assertEquals([result.headers.get("x-daily-ratelimit-token-remaining"), await searches()], ["0", 2]);
});

Deno.test("while the token endpoint does not answer, the search says when to come back", async () => {
  const { connect, search, control, context } = await scene();
  const { user_id } = await connect({ expires_in_ms: 0 });
  await control.fail_next({ on: "token", how: "timeout" });
  const { result } = await search(user_id);
  assertEquals([result.status, (await result.json()).code], [503, "REFRESH_IN_PROGRESS"]);
  assert(result.headers.has("retry-after"));
  await context.background();
});

Deno.test("trouble of our own has a code of its own", async () => {
  const { connect, search, context, searches } = await scene();
  const { user_id } = await connect();
  context.store.failNext("connections_of");
  const storage = await search(user_id);
  assertEquals([storage.result.status, (await storage.result.json()).code], [503, "STORAGE_UNAVAILABLE"]);
  assert(storage.result.headers.has("retry-after"));
  Object.assign(context, { keyring: await makeKeyring(`k9:${"CQ".padEnd(43, "kJCQkJ")}`) });
  const configuration = await search(user_id);
  const { code, message } = await configuration.result.json();
  assertEquals([configuration.result.status, code], [500, "CONFIGURATION_INVALID"]);
  assert(message.includes("TOKEN_ENCRYPTION_KEYS"));
  Object.assign(context.store, { connectionsOf: () => Promise.reject(new Error("canary")) });
  const internal = await search(user_id);
  assertEquals([internal.result.status, (await internal.result.json()).code], [500, "INTERNAL_ERROR"]);
  assert(!internal.text.includes("canary"));
  assertEquals(await searches(), 0);
});

Deno.test("nothing of the caller's request travels to Pipedrive", async () => {
  const sent: Headers[] = [];
  const { connect, context, network, ask } = await scene();
  const { user_id, access_token } = await connect();
  Object.assign(context, {
    fetch: (...[input, init]: Parameters<typeof fetch>) => {
      sent.push(new Headers(init?.headers));
      return network(input, init);
    },
  });
  const token = await userToken({ sub: user_id });
  await ask(`${ADDRESS}?term=jane`, {
    headers: {
      authorization: `Bearer ${token}`,
      apikey: "sb_publishable_test",
      cookie: "session=canary",
      "x-forwarded-for": "192.0.2.1",
      "x-custom": "canary",
    },
  });
  assertEquals(sent.map((headers) => [...headers.keys()].sort()), [[
    "accept",
    "authorization",
    "user-agent",
  ]]);
  assertEquals(sent[0]?.get("authorization"), `Bearer ${access_token}`);
});

Deno.test("no token, no search and no caller's credential gets into an answer, a header or a line", async () => {
  const { connect, search, control, context } = await scene({ search_burst: null });
  const made = await connect();
  const canaries = [made.access_token, made.refresh_token, "needle-4711"];
  const query = "term=needle-4711";
  const kinds: FaultKind[] = ["401", "403", "404", "429", "500", "html_200", "redirect", "reset"];
  for (const how of [null, ...kinds]) {
    if (how) await control.fail_next({ on: "search", how, times: 3 });
    const { result, text } = await search(made.user_id, query);
    const sinks = [
      text,
      JSON.stringify([...result.headers]),
      await result.text(),
      Deno.inspect(context.reports),
    ];
    for (const canary of canaries) assert(!sinks.join("\n").includes(canary), `${how}: ${canary}`);
    assert(!sinks.join("\n").includes("Bearer"), `${how}`);
    await control.clear_faults();
  }
});
