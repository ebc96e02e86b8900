import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import type { Answer } from "../../support/fake_fetch.ts";
import { found, never, refusal, scene, status } from "./call_api_scene.ts";

const passing: [string, Answer, number][] = [
  ["a 429 with Retry-After", status(429, { "retry-after": "3" }), 3_000],
  ["a 429 with x-ratelimit-reset", status(429, { "x-ratelimit-reset": "2" }), 2_000],
  ["a 429 with both, by the longer", status(429, { "retry-after": "1", "x-ratelimit-reset": "2" }), 2_000],
  ["a 429 that says nothing, as long as a window lasts", status(429), 2_000],
  [
    "a 429 whose reset is no delta, as long as a penalty lasts",
    status(429, { "x-ratelimit-reset": "1764000000" }),
    10_000,
  ],
  [
    "a 429 with a date, by the provider's own clock",
    status(429, { date: "Mon, 23 Nov 2026 10:00:00 GMT", "retry-after": "Mon, 23 Nov 2026 10:00:04 GMT" }),
    4_000,
  ],
  ["a 503 with Retry-After", status(503, { "retry-after": "2" }), 2_000],
  ["a 500, by jitter alone", status(500), 200],
  ["a 408", status(408), 200],
  ["a 502", status(502), 200],
  ["a 500 with the rate limit's headers, by jitter alone", status(500, { "x-ratelimit-reset": "2" }), 200],
  ["a connection that broke", new TypeError("connection reset"), 200],
  ["an attempt without an answer", never, 8_200],
];

for (const [what, answer, waited] of passing) {
  Deno.test(`callApi() gets over ${what}`, async () => {
    const { ask, context, refreshes } = await scene([answer, found()]);
    assertEquals([(await ask()).attempts, context.clock.now(), refreshes()], [2, waited, 0]);
  });
}

Deno.test("callApi() gets over a body that breaks off", async () => {
  const broken = new ReadableStream({ start: (controller) => controller.error(new TypeError("reset")) });
  const { ask } = await scene([
    new Response(broken, { headers: { "content-type": "application/json" } }),
    found(),
  ]);
  assertEquals((await ask()).attempts, 2);
});

Deno.test("callApi() gives up after three attempts, with a code that says when to come back", async () => {
  const limited = await scene(
    [1, 2, 3, 4].map(() => status(429, { "retry-after": "1", "x-ratelimit-remaining": "0" })),
  );
  const error = await refusal(limited.ask(), "PROVIDER_RATE_LIMITED");
  assertEquals([limited.api().length, error.details.retry_after], [3, 1]);
  assertEquals(error.details.headers?.get("x-ratelimit-remaining"), "0");
  const down = await scene([status(503), status(500), new TypeError("reset")]);
  await refusal(down.ask(), "PROVIDER_UNAVAILABLE");
  assertEquals(down.api().length, 3);
});

Deno.test("callApi() draws its pauses below a bound that doubles", async () => {
  const { ask, context } = await scene([status(500), status(500), found()]);
  await ask();
  assertEquals(context.clock.now(), (400 + 800) / 2);
});

Deno.test("callApi() does not retry a spent daily budget", async () => {
  const { ask, api } = await scene([
    status(429, { "retry-after": "1", "x-daily-ratelimit-token-remaining": "0" }),
  ]);
  const error = await refusal(ask(), "PROVIDER_RATE_LIMITED");
  assertEquals([api().length, error.details.retry_after], [1, 3600]);
});

Deno.test("callApi() passes a wait on that does not fit into its deadline", async () => {
  const { ask, api, context } = await scene([status(429, { "retry-after": "60" })]);
  const error = await refusal(ask(), "PROVIDER_RATE_LIMITED");
  assertEquals([api().length, error.details.retry_after, context.clock.now()], [1, 60, 0]);
});

Deno.test("callApi() ends within 25 s however the provider behaves", async () => {
  const { ask, context } = await scene([never, never, never]);
  await refusal(ask(), "PROVIDER_UNAVAILABLE");
  assert(context.clock.now() <= 25_000, `${context.clock.now()} ms`);
});

Deno.test("callApi() still replays when every retry is used up", async () => {
  const { ask } = await scene([status(500), status(500), status(401), found()]);
  assertEquals((await ask()).attempts, 4);
});

Deno.test("callApi() does not begin to count anew after a refresh", async () => {
  const { ask, api } = await scene([status(500), status(401), status(500)]);
  await refusal(ask(), "PROVIDER_UNAVAILABLE");
  assertEquals(api().length, 3);
});

Deno.test("callApi() sends 20 retries ahead, then one for every ten requests", async () => {
  for (const failing of [status(500), status(429), new TypeError("reset")]) {
    const { ask, api, context } = await scene(
      Array.from({ length: 86 }, () => failing instanceof Response ? () => failing.clone() : failing),
    );
    for (let asked = 0; asked < 60; asked += 1) await assertRejects(() => ask(), PublicError);
    assert(api().length > 60 + 20 && api().length <= 60 + 20 + 6, `${api().length} requests`);
    assertEquals(context.reports, []);
  }
});

Deno.test("callApi() sends 20 retries ahead of 60 searches at once", async () => {
  const { ask, api } = await scene(Array.from({ length: 86 }, () => status(503)));
  await Promise.all(Array.from({ length: 60 }, () => assertRejects(() => ask(), PublicError)));
  assert(api().length <= 60 + 20 + 6, `${api().length} requests`);
});

Deno.test("callApi() has a retry again ten requests after it ran out of them, whatever came of those", async () => {
  const { ask, api, context } = await scene([
    ...Array.from({ length: 10 }, () => status(500)),
    status(500),
    found(),
  ]);
  while (context.memory.retries.take());
  for (let asked = 0; asked < 9; asked += 1) await refusal(ask(), "PROVIDER_UNAVAILABLE");
  assertEquals(api().length, 9);
  assertEquals((await refusal(ask(), "PROVIDER_UNAVAILABLE")).code, "PROVIDER_UNAVAILABLE");
  assertEquals(api().length, 11);
  assertEquals((await ask()).attempts, 1);
});
