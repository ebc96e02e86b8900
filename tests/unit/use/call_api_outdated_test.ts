/** A token set that the provider goes by no longer: its token is refused, or its address has moved. */
import { assert, assertEquals } from "../../support/assert.ts";
import type { Answer, SentRequest } from "../../support/fake_fetch.ts";
import { found, refusal, scene, status } from "./call_api_scene.ts";

const bearerOf = ({ headers }: SentRequest) => headers.get("authorization");
const originOf = ({ url }: SentRequest) => new URL(url).origin;
const BEFORE = "https://acme.pipedrive.com";
const AFTER = "https://globex.pipedrive.com";

const grown = (answers: Answer[], options: Parameters<typeof scene>[1] = {}) => scene(answers, options);

/** Its token set is a second old. */
async function young(answers: Answer[], options: Parameters<typeof scene>[1] = {}) {
  const made = await scene(answers, options);
  await made.context.store.backdate(made.made.id, { refreshed_at: 1_000 });
  return made;
}

/** Refuses every token until this time of the clock. */
function refusesUntil(ms: number, now: () => number): Answer[] {
  return Array.from({ length: 100 }, () => () => now() < ms ? status(401) : found());
}

Deno.test("callApi() tries a refused young token again, and refreshes nothing", async () => {
  const { ask, api, refreshes, context } = await young([status(401), status(401), found()]);
  assertEquals([(await ask()).attempts, refreshes(), context.clock.now()], [3, 0, 2_000]);
  assertEquals(new Set(api().map(bearerOf)), new Set(["Bearer first-access"]));
});

Deno.test("callApi() gives a young token three seconds, then says when to come back: never 401", async () => {
  const { ask, api, refreshes, context, made } = await young(Array.from({ length: 4 }, () => status(401)));
  const error = await refusal(ask(), "PROVIDER_UNAVAILABLE");
  assertEquals([error.status, error.retry_after, api().length, refreshes()], [503, 5, 4, 0]);
  assertEquals([context.clock.now(), (await context.store.row(made.id)).status], [3_000, "active"]);
});

Deno.test("callApi() refreshes an older token once, and gives the new one the same time", async () => {
  const { ask, api, refreshes } = await grown(Array.from({ length: 5 }, () => status(401)));
  await refusal(ask(), "PROVIDER_UNAVAILABLE");
  assertEquals([refreshes(), api().map(bearerOf)], [1, [
    "Bearer first-access",
    ...Array.from({ length: 4 }, () => "Bearer new-access-1"),
  ]]);
});

Deno.test("callApi() draws the pauses before a refused token is tried again", async () => {
  for (const [drawn, waited] of [[0, 750], [0.999, 1_249]] as const) {
    const { ask, context } = await young([status(401), found()]);
    Object.assign(context, { random: () => drawn });
    await ask();
    assertEquals(Math.floor(context.clock.now()), waited);
  }
});

for (const make of [young, grown]) {
  Deno.test(`20 callers whose ${make.name} token is refused for two seconds are all answered, with at most one refresh`, async () => {
    const { ask, api, refreshes, context } = await make(refusesUntil(2_000, () => context.clock.now()));
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask()));
    assert(answers.every(({ status }) => status === 200));
    assertEquals(refreshes(), make === grown ? 1 : 0);
    // Each once, each again at the end, and what one of them tried in between.
    assert(api().length <= 20 * (refreshes() + 2) + 2, `${api().length} requests`);
  });
}

Deno.test("20 callers whose young token is refused for good wait for what one of them is told", async () => {
  const { ask, api, refreshes } = await young(Array.from({ length: 23 }, () => status(401)));
  await Promise.all(Array.from({ length: 20 }, () => refusal(ask(), "PROVIDER_UNAVAILABLE")));
  assertEquals([api().length, refreshes()], [23, 0]);
});

Deno.test("where the caller who tries again leaves, another one goes on", async () => {
  const leaves = new AbortController();
  const { ask } = await young([
    status(401),
    status(401),
    () => {
      leaves.abort();
      return new Promise<Response>(() => {});
    },
    found(),
  ]);
  const first = refusal(ask({ signal: leaves.signal }), "PROVIDER_UNAVAILABLE");
  assertEquals((await ask()).status, 200);
  await first;
});

Deno.test("a token that is refused for good costs no storm of retries", async () => {
  const { ask, api, refreshes } = await grown(Array.from({ length: 87 }, () => status(401)));
  for (let asked = 0; asked < 60; asked += 1) await refusal(ask(), "PROVIDER_UNAVAILABLE");
  const replays = refreshes();
  assert(
    replays <= 10 && api().length <= 60 + 20 + 6 + replays,
    `${api().length} requests, ${replays} replays`,
  );
});

Deno.test("callApi() refreshes no more where no further refresh is allowed", async () => {
  const { ask, refreshes, context, made } = await grown(Array.from({ length: 100 }, () => status(401)));
  for (let asked = 0; asked < 11; asked += 1) {
    await refusal(ask(), "PROVIDER_UNAVAILABLE");
    await context.store.backdate(made.id, { refreshed_at: 60_000 });
  }
  assertEquals(refreshes(), 10);
});

for (const code of [301, 302, 303, 307, 308, 421]) {
  Deno.test(`callApi() refreshes once over a ${code}, and asks where the new token set points`, async () => {
    const moved = new Response(null, { status: code, headers: { location: "https://evil.example/" } });
    const { ask, api, refreshes } = await grown([moved, found()], { api_domains: [`${AFTER}/`] });
    assertEquals([(await ask()).attempts, refreshes()], [2, 1]);
    assertEquals(api().map((sent) => [originOf(sent), bearerOf(sent)]), [
      [BEFORE, "Bearer first-access"],
      [AFTER, "Bearer new-access-1"],
    ]);
  });
}

const still: [string, typeof grown, readonly string[] | undefined, number][] = [
  ["whose refresh names the same", grown, [BEFORE], 1],
  ["whose refresh names none", grown, undefined, 1],
  ["whose refresh names one that is no use", grown, ["https://evil.example"], 1],
  ["of a young token set", young, [AFTER], 0],
];
for (const [what, make, api_domains, refreshed] of still) {
  Deno.test(`callApi() asks an address that has moved once, ${what}`, async () => {
    const moved = new Response(null, { status: 301, headers: { location: AFTER } });
    const { ask, api, refreshes } = await make([moved], api_domains && { api_domains });
    const error = await refusal(ask(), "PROVIDER_RESPONSE_INVALID");
    assertEquals([error.status, api().length, refreshes()], [502, 1, refreshed]);
  });
}

Deno.test("callApi() replays once, whatever the new address says", async () => {
  const moved = () => new Response(null, { status: 301 });
  const twice = await grown([moved, moved], { api_domains: [AFTER, BEFORE] });
  await refusal(twice.ask(), "PROVIDER_RESPONSE_INVALID");
  assertEquals([twice.api().length, twice.refreshes()], [2, 1]);
  const refused = await grown([moved, status(401), found()], { api_domains: [AFTER] });
  assertEquals([(await refused.ask()).attempts, refused.refreshes()], [3, 1]);
  const after = await grown([status(401), moved], { api_domains: [AFTER] });
  await refusal(after.ask(), "PROVIDER_RESPONSE_INVALID");
  assertEquals([after.api().map(originOf), after.refreshes()], [[BEFORE, AFTER], 1]);
});

Deno.test("20 callers at an address that has moved make one refresh, and all go on", async () => {
  const answer = ({ url }: SentRequest) =>
    url.startsWith(AFTER) ? found() : new Response(null, { status: 308 });
  const { ask, api, refreshes } = await grown(Array.from({ length: 40 }, () => answer), {
    api_domains: [AFTER],
  });
  await Promise.all(Array.from({ length: 20 }, () => ask()));
  assertEquals([api().length, refreshes()], [40, 1]);
});

for (const [code, answer] of [[404, "PROVIDER_REJECTED"], [500, "PROVIDER_UNAVAILABLE"]] as const) {
  Deno.test(`50 callers whose young token is refused no more, but who are answered ${code}, learn it without a queue`, async () => {
    let asked = 0;
    const { ask, api, context } = await young(
      Array.from({ length: 300 }, () => () => status((asked += 1) <= 50 ? 401 : code)),
    );
    await Promise.all(Array.from({ length: 50 }, () => refusal(ask(), answer)));
    assert(context.clock.now() < 5_000, `${context.clock.now()} ms`);
    assert(api().length <= 50 + 50 + 20 + 6, `${api().length} requests`);
  });
}
