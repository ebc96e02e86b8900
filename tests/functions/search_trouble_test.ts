/** What Pipedrive may answer to a search, and what its caller is told. */
import type { FaultKind } from "../../local/sandbox/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { makeKeyring } from "../support/make.ts";
import { MARI } from "../support/store.ts";
import { PUBLISHABLE_KEY } from "./callers.ts";
import { story } from "./stage.ts";
import { connect } from "./steps.ts";

const NEEDLE = "?term=needle-4711";

const faults: [FaultKind, number, string, number, number][] = [
  ["401", 503, "PROVIDER_UNAVAILABLE", 5, 1],
  ["402", 403, "PROVIDER_FORBIDDEN", 1, 0],
  ["403", 403, "PROVIDER_FORBIDDEN", 1, 0],
  ["403_scope", 403, "PROVIDER_FORBIDDEN", 1, 0],
  ["html_403", 503, "PROVIDER_UNAVAILABLE", 1, 0],
  ["404", 404, "PROVIDER_REJECTED", 1, 0],
  ["429", 429, "PROVIDER_RATE_LIMITED", 3, 0],
  ["500", 503, "PROVIDER_UNAVAILABLE", 3, 0],
  ["503", 503, "PROVIDER_UNAVAILABLE", 3, 0],
  ["timeout", 503, "PROVIDER_UNAVAILABLE", 3, 0],
  ["reset", 503, "PROVIDER_UNAVAILABLE", 3, 0],
  ["html_200", 502, "PROVIDER_RESPONSE_INVALID", 1, 0],
  ["empty", 502, "PROVIDER_RESPONSE_INVALID", 1, 0],
  ["truncated", 502, "PROVIDER_RESPONSE_INVALID", 1, 0],
  ["redirect", 502, "PROVIDER_RESPONSE_INVALID", 1, 1],
  ["huge", 502, "PROVIDER_RESPONSE_INVALID", 1, 0],
];
for (const [how, status, code, searches, refreshes] of faults) {
  story(`where Pipedrive's search answers ${how} for good, ours answers ${status} ${code}`, async (stage) => {
    // Nor is what was searched for repeated.
    stage.secrets.add("needle-4711");
    const id = await connect(stage);
    await stage.provider.fail_next({ on: "search", how, times: 9 });
    const { refusal, headers } = await stage.search(NEEDLE);
    assertEquals(refusal, [status, code]);
    assertEquals(headers.has("retry-after"), status === 429 || status === 503);
    assertEquals(
      [await stage.requests("search"), await stage.requests("token:refresh")],
      [searches, refreshes],
    );
    assertEquals((await stage.store.row(id)).status, "active");
  });
}

for (const how of ["401", "429", "500", "503", "timeout", "reset"] as const) {
  story(`a single ${how} of Pipedrive's search goes unnoticed`, async (stage) => {
    await connect(stage);
    await stage.provider.fail_next({ on: "search", how });
    const { status, line } = await stage.search(NEEDLE);
    assertEquals([status, line.attempts], [200, 2]);
  });
}

story("a page that is too large says how to get less", async (stage) => {
  await connect(stage);
  await stage.provider.fail_next({ on: "search", how: "huge" });
  assert(String((await stage.search(NEEDLE)).body.message).includes('"limit"'));
});

story("a burst above Pipedrive's limit waits for its window, and is answered", async (stage) => {
  await connect(stage);
  for (let asked = 0; asked < 12; asked += 1) assertEquals((await stage.search(NEEDLE)).status, 200);
  assert(stage.clock.now() >= 2_000, `${stage.clock.now()} ms`);
});

story("a spent daily budget is passed on at once, with Pipedrive's headers", async (stage) => {
  await stage.provider.configure({ daily_budget: 22 });
  await connect(stage);
  for (const refusal of [[200, undefined], [429, "PROVIDER_RATE_LIMITED"]] as const) {
    const answer = await stage.search(NEEDLE);
    assertEquals(answer.refusal, refusal);
    assertEquals(answer.headers.get("x-daily-ratelimit-token-remaining"), "0");
  }
  assertEquals(await stage.requests("search"), 2);
});

story("while the token endpoint does not answer, the search says when to come back", async (stage) => {
  await connect(stage);
  stage.clock.pause(3_600_000);
  await stage.provider.fail_next({ on: "token", how: "timeout" });
  const { refusal, headers } = await stage.search(NEEDLE);
  assertEquals([...refusal, headers.has("retry-after")], [503, "REFRESH_IN_PROGRESS", true]);
});

story("trouble of our own has a code of its own", async (stage) => {
  await connect(stage);
  stage.store.failNext("peek");
  const storage = await stage.search(NEEDLE);
  assertEquals([...storage.refusal, storage.headers.has("retry-after")], [503, "STORAGE_UNAVAILABLE", true]);
  Object.assign(stage.context, { keyring: await makeKeyring(`k9:${"CQ".padEnd(43, "kJCQkJ")}`) });
  const { refusal, body } = await stage.search(NEEDLE);
  assertEquals(refusal, [500, "CONFIGURATION_INVALID"]);
  assert(String(body.message).includes("TOKEN_ENCRYPTION_KEYS"));
  stage.secrets.add("canary");
  Object.assign(stage.store, { peek: () => Promise.reject(new Error("canary")) });
  assertEquals((await stage.search(NEEDLE)).refusal, [500, "INTERNAL_ERROR"]);
  assertEquals(await stage.requests("search"), 0);
});

story("nothing of the caller's request travels to Pipedrive", async (stage) => {
  await connect(stage);
  const headers = {
    apikey: PUBLISHABLE_KEY,
    cookie: "session=canary",
    "x-forwarded-for": "192.0.2.1",
    "x-custom": "canary",
  };
  const { line } = await stage.search(NEEDLE, { user: MARI, headers });
  const names = [...stage.sent.at(-1)?.headers.keys() ?? []];
  assertEquals(names.sort(), ["accept", "authorization", "user-agent"]);
  // That Pipedrive answered says that the token is the connection's, not the caller's.
  assertEquals([line.outcome, line.provider_calls], ["found", 1]);
});
