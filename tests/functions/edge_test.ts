/** What every function's answers have in common. */
import { readJson } from "../../supabase/functions/_shared/http/input.ts";
import { json, seeOther } from "../../supabase/functions/_shared/http/respond.ts";
import type { Edge } from "../../supabase/functions/_shared/http/serve.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { SECRET_KEYS } from "./callers.ts";
import { ask, asUser } from "./edge_scene.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const EXPOSED = ["x-request-id", "retry-after", "x-ratelimit-reset", "x-daily-ratelimit-token-remaining"];

Deno.test("every answer carries a request id, forbids caching and can be read by a page", async () => {
  const requests: Parameters<typeof ask>[] = [
    [await asUser()],
    [{}],
    [{ method: "OPTIONS" }],
    [await asUser(), () => Promise.reject(new Error("canary"))],
    [await jsonPost("x".repeat(17_000)), read],
    [await asUser(), () => Promise.resolve(seeOther("https://app.example/#done"))],
  ];
  const statuses = [];
  for (const request of requests) {
    const { result: { status, headers }, lines } = await ask(...request);
    statuses.push(status);
    assertMatch(headers.get("x-request-id") ?? "", UUID);
    assertEquals(headers.get("cache-control"), "no-store");
    assertEquals(headers.get("x-content-type-options"), "nosniff");
    assertEquals(headers.get("referrer-policy"), "no-referrer");
    assertEquals(headers.get("access-control-allow-origin"), "*");
    const exposed = headers.get("access-control-expose-headers")?.split(", ") ?? [];
    for (const name of EXPOSED) assert(exposed.includes(name), name);
    assertEquals(lines.map(({ request_id }) => request_id), [headers.get("x-request-id")]);
  }
  assertEquals(statuses, [200, 401, 204, 500, 400, 303]);
});

Deno.test("a preflight is answered without credentials and allows what supabase-js sends", async () => {
  const { result } = await ask({ method: "OPTIONS" });
  assertEquals(result.status, 204);
  const allowed = result.headers.get("access-control-allow-headers")?.split(", ") ?? [];
  for (const name of ["authorization", "apikey", "content-type", "x-client-info"]) {
    assert(allowed.includes(name));
  }
});

Deno.test("a request has an id of its own; the caller's is logged beside it if it is a UUID", async () => {
  const theirs = crypto.randomUUID().toUpperCase();
  const ids = new Set<unknown>([theirs]);
  for (const given of [theirs, theirs, `${theirs}x`, "canary", ""]) {
    const { result, lines, text } = await ask({ headers: { "x-request-id": given } });
    const ours = result.headers.get("x-request-id");
    assertMatch(ours ?? "", UUID);
    assertEquals(lines[0]?.request_id, ours);
    assertEquals(lines[0]?.caller_request_id, given === theirs ? theirs : undefined);
    assert(!text.includes("canary"));
    ids.add(ours);
  }
  assertEquals(ids.size, 6);
});

const read = async ({ request }: Edge) => json(await readJson(request));
const jsonPost = async (body: BodyInit, extra: HeadersInit = {}) => ({
  method: "POST",
  body,
  headers: { ...(await asUser()).headers, "content-type": "application/json", ...extra },
});

Deno.test("a body of exactly 16 KiB arrives whole", async () => {
  const body = JSON.stringify({ text: "x".repeat(16 * 1024 - 11) });
  assertEquals(body.length, 16 * 1024);
  const { result } = await ask(await jsonPost(body), read);
  assertEquals(await result.text(), body);
});

const larger: [string, HeadersInit, number][] = [
  ["by what it announces, without being read", { "content-length": "16385" }, 0],
  ["while it is read, if it announces nothing", {}, 18],
];
for (const [how, announced, most] of larger) {
  Deno.test(`a larger body is refused ${how}`, async () => {
    let pulled = 0;
    const pull = (controller: ReadableStreamDefaultController) => {
      pulled += 1;
      controller.enqueue(new Uint8Array(1024));
    };
    const endless = new ReadableStream({ pull }, { highWaterMark: 0 });
    const { result } = await ask(await jsonPost(endless, announced), read);
    assertEquals([result.status, (await result.json()).code], [400, "INVALID_REQUEST"]);
    assert(pulled <= most, `${pulled} KiB were read`);
  });
}

/** A body of which only the beginning ever comes, and how often more of it was asked for. */
function halfSent() {
  const asked = { times: 0 };
  const pull = (controller: ReadableStreamDefaultController) => {
    asked.times += 1;
    if (asked.times === 1) controller.enqueue(new TextEncoder().encode('{"a'));
    else return new Promise<void>(() => {});
  };
  return { body: new ReadableStream({ pull }, { highWaterMark: 0 }), asked };
}

Deno.test("whoever may not call is told so without their body being read, and a body that nobody needs is not", async () => {
  const { apikey, authorization } = { apikey: SECRET_KEYS.default, authorization: "Bearer canary" };
  for (const [headers, status] of [[{}, 401], [{ authorization }, 401], [{ apikey }, 200]] as const) {
    const { body, asked } = halfSent();
    const { result } = await ask({ method: "POST", body, headers });
    assertEquals([result.status, asked.times], [status, 0]);
  }
});

Deno.test("an error that nobody foresaw is INTERNAL_ERROR, and its message goes nowhere", async () => {
  const { result, lines, text } = await ask(await asUser(), () => Promise.reject(new TypeError("canary")));
  const body = await result.text();
  assertEquals([result.status, JSON.parse(body).code], [500, "INTERNAL_ERROR"]);
  assertEquals(lines[0]?.code, "INTERNAL_ERROR");
  assertMatch(String(lines[0]?.reason), /^TypeError/);
  assert(!body.includes("canary") && !text.includes("canary"));
});

Deno.test("a line break in a field does not break the line", async () => {
  const { text } = await ask(await asUser(), ({ log }) => {
    log.outcome = 'a\nb"c';
    return Promise.resolve(json({}));
  });
  assertEquals(text.split("\n").length, 1);
});

Deno.test("the handler sees the caller hang up, with a body and without", async () => {
  for (const request of [await asUser(), await jsonPost("{}")]) {
    const hangUp = new AbortController();
    const { result } = await ask({ ...request, signal: hangUp.signal }, ({ request }) => {
      hangUp.abort();
      return Promise.resolve(json({ aborted: request.signal.aborted }));
    });
    assertEquals(await result.json(), { aborted: true });
  }
});
