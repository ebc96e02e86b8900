/** Between the exchange and the connection: the account is learnt, and what was issued is stored, whatever stumbles. */
import type { FaultKind } from "../../local/sandbox/mod.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { story } from "./stage.ts";
import { complete, connect, park } from "./steps.ts";

const faults: [FaultKind, number, string, number, number?][] = [
  ["500", 503, "PROVIDER_UNAVAILABLE", 4],
  ["reset", 503, "PROVIDER_UNAVAILABLE", 4],
  ["timeout", 503, "PROVIDER_UNAVAILABLE", 3],
  ["html_403", 503, "PROVIDER_UNAVAILABLE", 1],
  ["429", 429, "PROVIDER_RATE_LIMITED", 4],
  ["429", 429, "PROVIDER_RATE_LIMITED", 1, 120],
  ["401", 503, "PROVIDER_UNAVAILABLE", 4],
  ["402", 403, "PROVIDER_FORBIDDEN", 1],
  ["403_scope", 403, "PROVIDER_FORBIDDEN", 1],
  ["html_200", 502, "PROVIDER_RESPONSE_INVALID", 1],
  // JSON, but nobody's account.
  ["no_access_token", 502, "PROVIDER_RESPONSE_INVALID", 1],
  ["redirect", 502, "PROVIDER_RESPONSE_INVALID", 1],
  ["huge", 502, "PROVIDER_RESPONSE_INVALID", 1],
];
for (const [how, status, code, times, retry_after] of faults) {
  const fault = retry_after ? `${how}, come back in ${retry_after} s` : how;
  story(`an account not learnt (${fault}) is ${code}, and what was there lives on`, async (stage) => {
    await stage.provider.configure({ reinstall_ends_old: false });
    const id = await connect(stage);
    const request = await park(stage);
    await stage.provider.fail_next({ on: "users/me", how, times: 9, retry_after });
    const began = stage.clock.now();
    const answer = await complete(stage, request);
    assertEquals([answer.refusal, answer.line.provider_calls], [[status, code], 1 + times]);
    assert(stage.clock.now() - began <= 21_000, `${stage.clock.now() - began} ms`);
    assertEquals([(await stage.store.row(id)).status, (await stage.store.row(id)).version], ["active", 1]);
    assertEquals([await stage.requests("revoke"), (await stage.provider.installations()).length], [0, 1]);
    // The code is spent.
    assertEquals((await complete(stage, request)).refusal, [400, "AUTHORIZATION_REQUEST_INVALID"]);
  });
}

story(
  "an API that stumbles is asked again, one that limits us after two seconds, one that refuses a young token after one",
  async (stage) => {
    for (
      const [how, least, most] of [["503", 0, 1_000], ["429", 2_000, 2_000], ["401", 1_000, 1_000]] as const
    ) {
      await stage.provider.fail_next({ on: "users/me", how });
      const began = stage.clock.now();
      await connect(stage);
      const waited = stage.clock.now() - began;
      assert(waited >= least && waited <= most, `${how}: ${waited} ms`);
    }
  },
);

story("the time that the exchange took is taken off the token's life", async (stage) => {
  await stage.provider.configure({ token_latency_ms: 9_000 });
  const id = await connect(stage);
  assertEquals([(await stage.store.row(id)).access_expires_at, stage.clock.now()], [3_599_000, 9_000]);
});

story("a database that stumbles after the exchange is asked again, if it heard or not", async (stage) => {
  for (const when of ["before", "after"] as const) {
    const request = await park(stage);
    stage.store.failNext("connect", 3, when);
    assertEquals((await complete(stage, request)).status, 200, when);
  }
  assertEquals(await stage.requests("token:exchange"), 2);
});

story("a database that stumbles at the take is asked again, if it heard or not", async (stage) => {
  for (const when of ["before", "after"] as const) {
    const request = await park(stage);
    stage.store.failNext("take_authorization", 2, when);
    assertEquals((await complete(stage, request)).status, 200, when);
  }
  assertEquals(await stage.requests("token:exchange"), 2);
});

story("a database that is down at the take spends nothing: the same ticket completes", async (stage) => {
  const request = await park(stage);
  stage.store.failNext("take_authorization", 3);
  assertEquals((await complete(stage, request)).refusal, [503, "STORAGE_UNAVAILABLE"]);
  assertEquals(await stage.requests("token:exchange"), 0);
  assertEquals((await complete(stage, request)).status, 200);
});

story("a database that has taken the request and never says so gives it back", async (stage) => {
  const request = await park(stage);
  stage.store.failNext("take_authorization", 3, "after");
  assertEquals((await complete(stage, request)).refusal, [503, "STORAGE_UNAVAILABLE"]);
  await stage.context.background();
  assertEquals((await complete(stage, request)).status, 200);
  assertEquals([await stage.requests("token:exchange"), stage.context.reports], [1, []]);
});

story(
  "a database that stumbles as the request is put back is asked again, if it heard or not",
  async (stage) => {
    for (const when of ["before", "after"] as const) {
      const request = await park(stage);
      await stage.provider.fail_next({ on: "token:exchange", how: "503" });
      stage.store.failNext("return_authorization", 2, when);
      assertEquals((await complete(stage, request)).refusal, [503, "PROVIDER_UNAVAILABLE"]);
      assertEquals((await complete(stage, request)).status, 200, when);
    }
  },
);

story("a request that cannot be put back is reported, and the caller learns why it failed", async (stage) => {
  const request = await park(stage);
  await stage.provider.fail_next({ on: "token:exchange", how: "invalid_client" });
  stage.store.failNext("return_authorization", 3);
  assertEquals((await complete(stage, request)).refusal, [500, "CONFIGURATION_INVALID"]);
  const reported = stage.context.reports.map((error) => (error as { code?: string }).code);
  assertEquals(reported, ["STORAGE_UNAVAILABLE"]);
});

story("what a user began and left is finished: the isolate is kept until it is stored", async (stage) => {
  const kept: Promise<unknown>[] = [];
  Object.assign(stage.context, { waitUntil: (work: Promise<unknown>) => kept.push(work) });
  const request = await park(stage);
  const held = stage.store.hold("connect");
  const left = complete(stage, request);
  await Promise.race([held.arrived, left]);
  assertEquals(kept.length, 2, "the exchange, and the storing");
  held.release();
  await Promise.all(kept);
  assertEquals((await stage.store.events()).map(({ kind }) => kind), ["connected"]);
  await left;
});
