import { type PublicCode, PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { type Answer, json, type SentRequest } from "../../support/fake_fetch.ts";
import { FOUND, found, never, refusal, scene, status } from "./call_api_scene.ts";

const bearerOf = ({ headers }: SentRequest) => headers.get("authorization");

Deno.test("callApi() gives the body byte for byte, and of the headers only type and limits", async () => {
  const limits = {
    "retry-after": "3",
    "x-daily-ratelimit-token-limit": "30000",
    "x-daily-ratelimit-token-remaining": "29980",
    "x-ratelimit-limit": "10",
    "x-ratelimit-remaining": "9",
    "x-ratelimit-reset": "2",
  };
  const { ask, made } = await scene([found({
    ...limits,
    "x-ratelimit-policy": "secret",
    "x-daily-ratelimit-token-used": "20",
    "x-daily-requests-left": "1",
    "set-cookie": "session=1",
    "x-correlation-id": "c",
  })]);
  const response = await ask();
  assertEquals(await new Response(response.body).text(), FOUND);
  assertEquals(Object.fromEntries(response.headers), { "content-type": "application/json", ...limits });
  assertEquals([response.status, response.version, response.attempts], [200, made.version, 1]);
});

for (const value of ["9e19", "-1", "0x10", "1e3", "soon", "9, 9", "9".repeat(20)]) {
  Deno.test(`callApi() passes no limit of ${value}`, async () => {
    const { ask } = await scene([found({
      "x-ratelimit-remaining": value,
      "x-daily-ratelimit-token-limit": value,
      "retry-after": value,
    })]);
    const { "content-type": _, ...limits } = Object.fromEntries((await ask()).headers);
    // So many digits are a number of seconds, and mean "not soon".
    assertEquals(limits, value.startsWith("99") ? { "retry-after": "120" } : {});
  });
}

const types: [string | null, string][] = [
  ["Application/JSON; charset=utf-8", "application/json"],
  ["application/hal+json", "application/hal+json"],
  ["application/vnd.api+json;profile=x", "application/vnd.api+json"],
  [null, "application/json"],
];
for (const [sent, passed] of types) {
  Deno.test(`callApi() takes ${sent ?? "an answer that names no type"} for JSON`, async () => {
    const answer = new Response(
      new TextEncoder().encode(FOUND),
      sent ? { headers: { "content-type": sent } } : {},
    );
    const { ask } = await scene([answer]);
    assertEquals((await ask()).headers.get("content-type"), passed);
  });
}

Deno.test("callApi() encodes a query so that every character arrives", async () => {
  const { ask, api } = await scene([found()]);
  const query = { term: "a+b@example.com & ü%/?#", fields: "name,email" };
  await ask({ query });
  const [sent] = api();
  assert(sent);
  assert(sent.url.includes("term=a%2Bb%40example.com%20%26%20"), sent.url);
  assertEquals(Object.fromEntries(new URL(sent.url).searchParams), query);
});

Deno.test("callApi() sends to the connection's own origin, with three headers and no redirect followed", async () => {
  const { ask, api } = await scene([found()], { api_origin: "https://globex.pipedrive.com" });
  await ask();
  const [sent] = api();
  assert(sent);
  assertEquals(sent.url, "https://globex.pipedrive.com/api/v2/persons/search?term=jane");
  assertEquals([...sent.headers.keys()].sort(), ["accept", "authorization", "user-agent"]);
  assertEquals([bearerOf(sent), sent.redirect, sent.method], ["Bearer first-access", "manual", "GET"]);
});

for (
  const origin of [
    "https://evil.example",
    "https://pipedrive.com.evil.example",
    "https://acme.pipedrive.com@evil.example",
    "https://evil.example#.pipedrive.com",
    "http://acme.pipedrive.com",
    "https://acme.pipedrive.com:8443",
    "https://acme.pipedrive.com.",
    "http://169.254.169.254",
    "http://127.0.0.1:8080",
    "javascript:alert(1)",
    "",
  ]
) {
  Deno.test(`callApi() sends no token to ${origin || "nowhere"}`, async () => {
    const { ask, api } = await scene([], { api_origin: origin });
    await refusal(ask(), "PROVIDER_RESPONSE_INVALID");
    assertEquals(api().length, 0);
  });
}

Deno.test("callApi() keeps a path where it belongs", async () => {
  const { ask, api } = await scene([found()]);
  await ask({ path: "//evil.example/x" });
  assertEquals(new URL(api()[0]?.url ?? "").host, "acme.pipedrive.com");
});

Deno.test("callApi() answers a 401 with one refresh and one replay", async () => {
  const { ask, api, refreshes, made } = await scene([status(401), found()]);
  const { version, attempts } = await ask();
  assertEquals([refreshes(), version, attempts], [1, made.version + 1, 2]);
  assertEquals(api().map(bearerOf), ["Bearer first-access", "Bearer new-access-1"]);
});

Deno.test("callApi() replays with the newer token that somebody else has fetched meanwhile", async () => {
  const { ask, refreshes, api } = await scene([
    async () => {
      await ask();
      return status(401);
    },
    status(401),
    found(),
    found(),
  ]);
  await ask();
  assertEquals(
    [refreshes(), api().map(bearerOf).filter((bearer) => bearer === "Bearer new-access-1").length],
    [1, 2],
  );
});

const final: [string, Response, PublicCode, number?][] = [
  ["402, a closed account", status(402), "PROVIDER_FORBIDDEN"],
  ["403, a missing scope", status(403), "PROVIDER_FORBIDDEN"],
  ["400", status(400), "PROVIDER_REJECTED", 400],
  ["404", status(404), "PROVIDER_REJECTED", 404],
  ["410", status(410), "PROVIDER_REJECTED", 410],
  ["a redirect that is none", new Response(null, { status: 300 }), "PROVIDER_RESPONSE_INVALID"],
  ["407, which a browser takes for its proxy's", status(407), "PROVIDER_RESPONSE_INVALID"],
  [
    "a page with 200",
    new Response("<html>canary", { headers: { "content-type": "text/html" } }),
    "PROVIDER_RESPONSE_INVALID",
  ],
  ...[
    "text/html",
    "text/html+json",
    "application/json+html",
    "application/+json",
    "application/json, text/html",
  ]
    .map((type): [string, Response, PublicCode] => [
      `JSON that is called ${type}`,
      new Response(FOUND, { headers: { "content-type": type } }),
      "PROVIDER_RESPONSE_INVALID",
    ]),
  [
    "an empty 200",
    new Response("", { headers: { "content-type": "application/json" } }),
    "PROVIDER_RESPONSE_INVALID",
  ],
  [
    "half a 200",
    new Response('{"success":tr', { headers: { "content-type": "application/json" } }),
    "PROVIDER_RESPONSE_INVALID",
  ],
  ["success: false with 200", json({ success: false, error: "canary" }), "PROVIDER_RESPONSE_INVALID"],
];

for (const [what, answer, code, passed] of final) {
  Deno.test(`callApi() asks once for ${what}, and never refreshes over it`, async () => {
    const { ask, api, refreshes } = await scene([answer]);
    const error = await refusal(ask(), code);
    assertEquals([api().length, refreshes()], [1, 0]);
    if (passed) assertEquals(error.details.status, passed);
    assert(!error.message.includes("canary"));
  });
}

Deno.test("callApi() keeps away from a block page for a long time", async () => {
  const page = new Response("<html>", {
    status: 403,
    headers: { "content-type": "text/html; charset=UTF-8" },
  });
  const { ask, api, refreshes } = await scene([page]);
  const error = await refusal(ask(), "PROVIDER_UNAVAILABLE");
  assertEquals([error.details.retry_after, api().length, refreshes()], [60, 1, 0]);
});

const MIB = 1024 * 1024;

/** A page in pieces of 64 KiB. */
const inPieces = (page: Uint8Array, ends: (controller: ReadableStreamDefaultController) => void) => {
  let at = 0;
  const pull = (controller: ReadableStreamDefaultController) => {
    if (at >= page.length) return ends(controller);
    controller.enqueue(page.slice(at, at += 64 * 1024));
  };
  return new Response(new ReadableStream({ pull }, { highWaterMark: 0 }), {
    headers: { "content-type": "application/json" },
  });
};
const close = (controller: ReadableStreamDefaultController) => controller.close();
const breakOff = (controller: ReadableStreamDefaultController) => controller.error(new Error("reset"));
const pageOf = (bytes: number, begins = FOUND) => new TextEncoder().encode(begins.padEnd(bytes));

for (const bytes of [2 * MIB, 2_600_000, 10 * MIB]) {
  Deno.test(`callApi() passes a page of ${bytes} bytes on as it came`, async () => {
    const page = pageOf(bytes);
    const { ask } = await scene([inPieces(page, close)]);
    const { body } = await ask();
    assertEquals(body instanceof ReadableStream, bytes > 2 * MIB);
    const passed = new Uint8Array(await new Response(body).arrayBuffer());
    assert(passed.length === bytes && passed.every((byte, at) => byte === page[at]));
  });
}

Deno.test("callApi() asks again for what breaks off, and passes a break on that comes after 2 MiB", async () => {
  const [short, long] = [2 * MIB, 3 * MIB].map((bytes) => inPieces(pageOf(bytes), breakOff));
  const { ask, api } = await scene([short ?? never, found(), long ?? never]);
  assertEquals((await ask()).attempts, 2);
  const { body } = await ask();
  await assertRejects(() => new Response(body).arrayBuffer(), TypeError, "the body broke off");
  assertEquals(api().length, 3);
});

Deno.test("callApi() breaks off what is more than 10 MiB, whatever was announced", async () => {
  let [sent, cancelled] = [0, false];
  const endless = new ReadableStream({
    pull: (controller) => (sent += 1, controller.enqueue(pageOf(64 * 1024))),
    cancel: () => void (cancelled = true),
  });
  const { ask } = await scene([new Response(endless, { headers: { "content-type": "application/json" } })]);
  const { body } = await ask();
  await assertRejects(() => new Response(body).arrayBuffer(), RangeError);
  assert(cancelled && sent <= 164, `${sent} times 64 KiB`);
});

Deno.test("callApi() reads no more than 2 MiB of what does not begin as a success, and says how to get less", async () => {
  for (
    const [begins, type] of [["[", "application/json"], [FOUND, "text/plain"], [
      '{"data":1}',
      "application/json",
    ]]
  ) {
    let sent = 0;
    const endless = new ReadableStream({
      pull: (controller) => (sent += 1, controller.enqueue(pageOf(64 * 1024, begins))),
    });
    const { ask } = await scene([new Response(endless, { headers: { "content-type": type ?? "" } })]);
    const { message } = await refusal(ask(), "PROVIDER_RESPONSE_INVALID");
    assert(message.includes("2048 KiB") && message.includes('"limit"'), message);
    assert(sent <= 36, `${sent} times 64 KiB`);
  }
});

Deno.test("callApi() parses what its ends do not tell, and takes a part of an answer for none", async () => {
  const bodies: [string, boolean][] = [
    ['{"success":true}', true],
    [' { "success" : true , "data":[]}\n', true],
    ['{"data":[],"success":true}', true],
    ['{"success":true,"data":[', false],
    ['{"success":false}', false],
    ['{"data":[],"success":false}', false],
    ['{"success":truely}', false],
    ["<html>{}", false],
    ["", false],
  ];
  for (const [body, usable] of bodies) {
    const { ask } = await scene([new Response(body, { headers: { "content-type": "application/json" } })]);
    if (usable) assertEquals(await new Response((await ask()).body).text(), body);
    else await refusal(ask(), "PROVIDER_RESPONSE_INVALID");
  }
});

Deno.test("a caller who hangs up ends the call to the API", async () => {
  const hangUp = new AbortController();
  const { ask, api } = await scene([() => {
    hangUp.abort();
    return never();
  }]);
  await refusal(ask({ signal: hangUp.signal }), "PROVIDER_UNAVAILABLE");
  assertEquals(api().length, 1);
});

for (
  const [when, answers, options] of [
    ["during a pause", [status(500)], {}],
    ["during the wait for a refused token", [status(401), status(401)], {}],
    ["during a refresh", [], { expires_in_ms: 0, slow: true }],
  ] as const
) {
  Deno.test(`a caller who hangs up ${when} is not waited for`, async () => {
    const clock = new FakeClock();
    const { ask, api } = await scene([...answers], { clock, ...options });
    const hangUp = new AbortController();
    const asked = refusal(ask({ signal: hangUp.signal }), "PROVIDER_UNAVAILABLE");
    await clock.settle();
    hangUp.abort();
    assert((await asked).message.includes("left"));
    await clock.advance(60_000);
    assertEquals(
      [clock.now(), api().length],
      [60_000, answers.length],
      "and nothing is sent for it any more",
    );
  });
}

Deno.test("a caller who has hung up already is answered at once", async () => {
  const { ask, api } = await scene([]);
  await refusal(ask({ signal: AbortSignal.abort() }), "PROVIDER_UNAVAILABLE");
  assertEquals(api().length, 0);
});

Deno.test("a caller who hangs up does not end the refresh", async () => {
  const hangUp = new AbortController();
  const { ask, context, made, refreshes, api } = await scene([], {
    expires_in_ms: 0,
    onRefresh: () => hangUp.abort(),
  });
  await refusal(ask({ signal: hangUp.signal }), "PROVIDER_UNAVAILABLE");
  assertEquals([refreshes(), api().length], [1, 0]);
  assertEquals((await context.store.row(made.id)).version, made.version + 1);
});

Deno.test("callApi() lets no token into an error, whatever goes wrong", async () => {
  const canary = "canary-access";
  const answers: Answer[] = [
    status(400),
    status(403),
    new Response(`<html>${canary}`, { headers: { "content-type": "text/html" } }),
    json({ success: false, error: canary }),
  ];
  for (const answer of answers) {
    const { ask } = await scene([answer], { access_token: canary });
    const error = await assertRejects(() => ask());
    assertInstanceOf(error, PublicError);
    assert(!`${Deno.inspect(error)}${error.stack}${JSON.stringify(error)}`.includes(canary));
  }
  const hostile = await scene([() => Promise.reject(new TypeError(`bad header ${canary}`))], {
    access_token: canary,
  });
  const error = await assertRejects(() => hostile.ask(), Error);
  assert(!Deno.inspect(error).includes(canary));
});
