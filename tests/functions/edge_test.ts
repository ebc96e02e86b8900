import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { readJson } from "../../supabase/functions/_shared/http/input.ts";
import { json, seeOther } from "../../supabase/functions/_shared/http/respond.ts";
import type { Edge } from "../../supabase/functions/_shared/http/serve.ts";
import { assert, assertEquals, assertMatch, assertNotEquals } from "../support/assert.ts";
import { ask, asUser, USER } from "./edge_scene.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

Deno.test("every answer carries a request id, forbids caching and can be read by a page", async () => {
  const requests: Parameters<typeof ask>[] = [
    [await asUser()],
    [{}],
    [{ method: "OPTIONS" }],
    [await asUser(), () => Promise.reject(new Error("canary"))],
    [{ ...await asUser(), method: "POST", body: "x".repeat(17_000) }],
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
    for (
      const name of ["x-request-id", "retry-after", "x-ratelimit-reset", "x-daily-ratelimit-token-remaining"]
    ) {
      assert(exposed.includes(name), name);
    }
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

Deno.test("a caller's well-formed request id is kept, any other is replaced", async () => {
  const id = crypto.randomUUID();
  const kept = await ask({ headers: { "x-request-id": id } });
  assertEquals([kept.result.headers.get("x-request-id"), kept.lines[0]?.request_id], [id, id]);
  const replaced = await ask({ headers: { "x-request-id": "canary" } });
  assertNotEquals(replaced.result.headers.get("x-request-id"), "canary");
  assert(!replaced.text.includes("canary"));
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

Deno.test("a larger body is refused by what it announces, without being read", async () => {
  let pulled = 0;
  const endless = new ReadableStream({
    pull: (controller) => (pulled += 1, controller.enqueue(new Uint8Array(1))),
  }, {
    highWaterMark: 0,
  });
  const { result } = await ask(await jsonPost(endless, { "content-length": "16385" }), read);
  assertEquals([result.status, (await result.json()).code, pulled], [400, "INVALID_REQUEST", 0]);
});

Deno.test("a larger body that announces nothing is refused while it is read", async () => {
  let pulled = 0;
  const endless = new ReadableStream({
    pull: (controller) => (pulled += 1, controller.enqueue(new Uint8Array(1024))),
  }, {
    highWaterMark: 0,
  });
  const { result } = await ask(await jsonPost(endless), read);
  assertEquals([result.status, (await result.json()).code], [400, "INVALID_REQUEST"]);
  assert(pulled <= 18, `${pulled} KiB were read`);
});

Deno.test("malformed JSON is the caller's fault, and is not repeated", async () => {
  const { result, text } = await ask(await jsonPost('{"term":"canary'), read);
  const body = await result.text();
  assertEquals([result.status, JSON.parse(body).code], [400, "INVALID_REQUEST"]);
  assert(!body.includes("canary") && !text.includes("canary"));
});

Deno.test("an error that nobody foresaw is INTERNAL_ERROR, and its message goes nowhere", async () => {
  const { result, lines, text } = await ask(await asUser(), () => Promise.reject(new TypeError("canary")));
  const body = await result.text();
  assertEquals([result.status, JSON.parse(body).code], [500, "INTERNAL_ERROR"]);
  assertEquals(lines[0]?.code, "INTERNAL_ERROR");
  assertMatch(String(lines[0]?.reason), /^TypeError/);
  assert(!body.includes("canary") && !text.includes("canary"));
});

Deno.test("an error with a code is answered with its status and headers", async () => {
  const { result } = await ask(
    await asUser(),
    () =>
      Promise.reject(new PublicError("REFRESH_IN_PROGRESS", "soon", { retry_after: 3, connection_id: "c1" })),
  );
  assertEquals([result.status, result.headers.get("retry-after")], [503, "3"]);
  assertEquals(await result.json(), {
    code: "REFRESH_IN_PROGRESS",
    message: "soon",
    retry_after: 3,
    connection_id: "c1",
  });
});

Deno.test("a wrong method is told the right ones", async () => {
  const { result } = await ask(
    { ...await asUser(), method: "PUT" },
    () =>
      Promise.reject(new PublicError("METHOD_NOT_ALLOWED", "no", { headers: new Headers({ allow: "GET" }) })),
  );
  assertEquals([result.status, result.headers.get("allow")], [405, "GET"]);
});

Deno.test("one request is one line, and holds only what is on the list", async () => {
  const { lines } = await ask(await asUser(), ({ log }) => {
    Object.assign(log, { connection_id: "c1", version: 7, outcome: "found", attempts: 2, token: "canary" });
    return Promise.resolve(json({ token: "canary" }));
  });
  assertEquals(lines.length, 1);
  const { request_id, milliseconds, ...rest } = lines[0] ?? {};
  assertMatch(String(request_id), UUID);
  assertEquals(typeof milliseconds, "number");
  assertEquals(rest, {
    function: "echo",
    caller: USER,
    connection_id: "c1",
    version: 7,
    outcome: "found",
    attempts: 2,
    status: 200,
  });
});

Deno.test("a line break in a field does not break the line", async () => {
  const { text } = await ask(await asUser(), ({ log }) => {
    log.outcome = 'a\nb"c';
    return Promise.resolve(json({}));
  });
  assertEquals(text.split("\n").length, 1);
});

Deno.test("the handler sees the caller hang up", async () => {
  const hangUp = new AbortController();
  const { result } = await ask({ ...await asUser(), signal: hangUp.signal }, ({ request }) => {
    hangUp.abort();
    return Promise.resolve(json({ aborted: request.signal.aborted }));
  });
  assertEquals(await result.json(), { aborted: true });
});

Deno.test("the handler sees the caller hang up on a request with a body, too", async () => {
  const hangUp = new AbortController();
  const { result } = await ask({ ...await jsonPost("{}"), signal: hangUp.signal }, ({ request }) => {
    hangUp.abort();
    return Promise.resolve(json({ aborted: request.signal.aborted }));
  });
  assertEquals(await result.json(), { aborted: true });
});
