import { ProviderUnreachable, UnexpectedResponse } from "../../../supabase/functions/_shared/oauth/errors.ts";
import {
  boundedFetch,
  isLoopback,
  parseRetryAfter,
  RESPONSE_LIMIT_BYTES,
} from "../../../supabase/functions/_shared/oauth/http.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { fakeFetch } from "../../support/fake_fetch.ts";
import { makeTransport } from "../../support/make.ts";

const POST = { method: "POST", body: "refresh_token=r" };

/** A server on this machine that reads a request, writes these bytes and hangs up. */
async function withServer<T>(answer: string, work: (port: number) => Promise<T>): Promise<T> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.read(new Uint8Array(4096));
      await connection.write(new TextEncoder().encode(answer));
      connection.close();
    }
  })();
  try {
    return await work(listener.addr.port);
  } finally {
    listener.close();
    await serving;
  }
}

async function closedPort(): Promise<number> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  return await Promise.resolve(port);
}

async function failure(work: () => Promise<unknown>): Promise<[string, boolean, number | undefined]> {
  const { reason, sent, status } = await assertRejects(work, ProviderUnreachable);
  return [reason, sent, status];
}

const send = boundedFetch(makeTransport(fetch));

Deno.test("boundedFetch() knows that nothing was sent where the connection was refused", async () => {
  const port = await closedPort();
  assertEquals(await failure(() => send(`http://127.0.0.1:${port}/token`, POST)), [
    "not_reached",
    false,
    undefined,
  ]);
});

Deno.test("boundedFetch() knows that nothing was sent where TLS failed", async () => {
  await withServer("not TLS", async (port) => {
    assertEquals(await failure(() => send(`https://127.0.0.1:${port}/token`, POST)), [
      "not_reached",
      false,
      undefined,
    ]);
  });
});

Deno.test("boundedFetch() does not take words in a URL for the reason of a failure", async () => {
  await withServer("", async (port) => {
    const url = `http://127.0.0.1:${port}/?term=client error (Connect)`;
    assertEquals(await failure(() => send(url, POST)), ["connection_lost", true, undefined]);
  });
});

Deno.test("boundedFetch() counts a connection that ended without an answer as sent", async () => {
  for (const answer of ["", "garbage\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-le"]) {
    await withServer(answer, async (port) => {
      assertEquals(await failure(() => send(`http://127.0.0.1:${port}/token`, POST)), [
        "connection_lost",
        true,
        undefined,
      ]);
    });
  }
});

Deno.test("boundedFetch() counts an answer that was cut as sent", async () => {
  await withServer('HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{"access_token":', async (port) => {
    assertEquals(await failure(() => send(`http://127.0.0.1:${port}/token`, POST)), [
      "connection_lost",
      true,
      200,
    ]);
  });
});

Deno.test("boundedFetch() ends with its signal, and says whether anything went out before", async () => {
  const controller = new AbortController();
  const hangs = fakeFetch(() => new Promise<Response>(() => {}), () => new Response("never"));
  const sending = boundedFetch({ fetch: hangs, signal: controller.signal });
  const sent = sending("https://id.example/token", POST);
  controller.abort(new DOMException("late", "TimeoutError"));
  assertEquals(await failure(() => sent), ["timeout", true, undefined]);
  assertEquals(await failure(() => sending("https://id.example/token", POST)), [
    "not_reached",
    false,
    undefined,
  ]);
});

Deno.test("boundedFetch() ends with its signal while it reads the body", async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const body = new ReadableStream<Uint8Array>({
    pull(stream) {
      controller.abort();
      stream.error(signal.reason);
    },
  }, { highWaterMark: 0 });
  const sending = boundedFetch({ fetch: () => Promise.resolve(new Response(body)), signal });
  assertEquals(await failure(() => sending("https://id.example/token", POST)), ["timeout", true, 200]);
});

Deno.test("boundedFetch() never says of an answer that began that nothing was sent", async () => {
  const body = new ReadableStream({
    start: (stream) => stream.error(new TypeError("client error (Connect)")),
  });
  const sending = boundedFetch(makeTransport(() => Promise.resolve(new Response(body))));
  assertEquals(await failure(() => sending("https://id.example/token", POST)), [
    "connection_lost",
    true,
    200,
  ]);
});

Deno.test("boundedFetch() follows no redirect: the server it names hears nothing", async () => {
  let heard = 0;
  const spy = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, () => {
    heard += 1;
    return new Response("spied");
  });
  const location = `http://127.0.0.1:${spy.addr.port}/`;
  const redirect = `HTTP/1.1 307 Temporary Redirect\r\nlocation: ${location}\r\ncontent-length: 0\r\n\r\n`;
  await withServer(redirect, async (port) => {
    const error = await assertRejects(
      () => send(`http://127.0.0.1:${port}/token`, POST),
      UnexpectedResponse,
    );
    assertEquals([error.reason, error.status], ["redirect", 307]);
  });
  await spy.shutdown();
  assertEquals(heard, 0);
});

Deno.test("boundedFetch() takes a success up to its limit, and stops reading beyond", async () => {
  const url = "https://id.example/token";
  const full = new Uint8Array(RESPONSE_LIMIT_BYTES);
  const taken = await boundedFetch(makeTransport(fakeFetch(new Response(full))))(url, POST);
  assertEquals((await taken.arrayBuffer()).byteLength, RESPONSE_LIMIT_BYTES);

  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull: (stream) => stream.enqueue(new Uint8Array(16_384)),
    cancel: () => void (cancelled = true),
  });
  const error = await assertRejects(
    () => boundedFetch(makeTransport(() => Promise.resolve(new Response(endless))))(url, POST),
    UnexpectedResponse,
  );
  assertEquals([error.reason, cancelled], ["too_large", true]);
});

Deno.test("boundedFetch() counts what a compressed answer unpacks to", async () => {
  const zeros = new Blob([new Uint8Array(10 * RESPONSE_LIMIT_BYTES)]).stream();
  const packed = await new Response(zeros.pipeThrough(new CompressionStream("gzip"))).arrayBuffer();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(packed, { headers: { "content-encoding": "gzip" } }),
  );
  const error = await assertRejects(
    () => send(`http://127.0.0.1:${server.addr.port}/token`, POST),
    UnexpectedResponse,
  );
  await server.shutdown();
  assertEquals([packed.byteLength < RESPONSE_LIMIT_BYTES, error.reason], [true, "too_large"]);
});

Deno.test("parseRetryAfter() reads seconds and HTTP dates, from 0 to two minutes", () => {
  const now = Date.parse("2026-11-23T10:00:00.400Z");
  const cases: [string | null, number | undefined][] = [
    ["7", 7_000],
    [" 7 ", 7_000],
    ["0", 0],
    ["120", 120_000],
    ["121", 120_000],
    ["99999999999999999999", 120_000],
    ["Mon, 23 Nov 2026 10:00:30 GMT", 30_000],
    ["Mon, 23 Nov 2026 09:00:00 GMT", 0],
    ["Tue, 24 Nov 2026 10:00:00 GMT", 120_000],
    [null, undefined],
    ["", undefined],
    ["-1", undefined],
    ["1.5", undefined],
    ["soon", undefined],
    ["5 apples", undefined],
    ["2026-11-23T10:00:30Z", undefined],
    ["Mon, 99 Nov 2026 10:00:30 GMT", undefined],
  ];
  for (const [value, ms] of cases) assertEquals(parseRetryAfter(value, now), ms, `${value}`);
});

Deno.test("isLoopback() is this machine in every spelling the URL parser knows, and nothing like it", () => {
  for (const host of ["localhost", "127.0.0.1", "127.9.9.9", "[::1]", "2130706433", "0x7f.1", "LOCALHOST"]) {
    assertEquals(isLoopback(new URL(`http://${host}:9000`)), true, host);
  }
  for (const host of ["0.0.0.0", "localhost.example", "127.0.0.1.example", "10.0.0.1", "[::ffff:7f00:1]"]) {
    assertEquals(isLoopback(new URL(`http://${host}:9000`)), false, host);
  }
});
