import { pipedrive } from "../../supabase/functions/_shared/providers/pipedrive.ts";
import { createClient } from "@supabase/supabase-js";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { Meter } from "../../supabase/functions/_shared/http/meter.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { systemClock } from "../../supabase/functions/_shared/time.ts";
import {
  clientOf,
  measuredFetch,
  measuredStore,
  sendOnce,
  storeOf,
} from "../../supabase/functions/_shared/wiring.ts";
import { assertEquals, assertRejects, assertThrows } from "../support/assert.ts";
import { fakeFetch, json } from "../support/fake_fetch.ts";

const settings = {
  client_id: "id",
  client_secret: "secret",
  scopes: ["deals:read"],
  values: {},
  hosts: [],
  api_origins: [],
};
const CALLBACK = "https://project.supabase.co/functions/v1/oauth-callback";

Deno.test("clientOf() leaves a provider's endpoints as they are documented", () => {
  const client = clientOf(pipedrive, settings, CALLBACK);
  assertEquals(client.provider, pipedrive);
  assertEquals(client.redirect_uri, `${CALLBACK}/pipedrive`);
});

Deno.test("clientOf() adds the application's scopes to those that connecting needs", () => {
  const provider = { ...pipedrive, scopes: ["base"] };
  assertEquals(clientOf(provider, settings, CALLBACK).scopes, ["base", "deals:read"]);
});

Deno.test("measuredFetch() counts every request, failed ones too", async () => {
  const meter = new Meter();
  const send = measuredFetch(meter, fakeFetch(json({}), new TypeError("reset")));
  await send("https://acme.pipedrive.com/");
  await assertRejects(() => send("https://acme.pipedrive.com/"), TypeError);
  assertEquals(meter.calls, 2);
});

Deno.test("measuredStore() counts each request that goes to the database, and changes none", async () => {
  const meter = new Meter();
  const fetch = fakeFetch(json([]), json(3), json({ code: "55P03", message: "lock timeout" }, 500));
  const client = createClient("https://project.supabase.co", "sb_secret_x", {
    global: { fetch },
    auth: { persistSession: false, autoRefreshToken: false },
  });
  const store = measuredStore(meter, supabaseStore(client));
  assertEquals(await store.peek({ id: "i", user_id: null, seen_version: -1 }), []);
  assertEquals(await store.purge({ limit: 10 }), 3);
  await assertRejects(() => store.purge({ limit: 10 }));
  assertEquals([meter.calls, fetch.requests.length], [3, 3]);
  assertEquals(fetch.requests[0]?.body, '{"p_id":"i","p_user_id":null,"p_seen_version":-1}');
});

Deno.test("storeOf() tells the operator which of the platform's settings is missing", () => {
  const message = 'No "default" secret key found';
  const without = () => {
    throw new Error(message);
  };
  const error = assertThrows(() => storeOf(without), PublicError, message);
  assertEquals(error.code, "CONFIGURATION_INVALID");
});

Deno.test("systemClock sleeps until the signal fires, and leaves no timer behind", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  const asleep = systemClock.sleep(1_000_000, stop.signal);
  stop.abort(reason);
  assertEquals(await assertRejects(() => asleep), reason);
  assertEquals(await assertRejects(() => systemClock.sleep(1_000_000, stop.signal)), reason);
});

Deno.test("systemClock wakes by itself, and its time never goes back", async () => {
  const before = systemClock.now();
  await systemClock.sleep(0, new AbortController().signal);
  assertEquals(systemClock.now() >= before, true);
});

Deno.test("sendOnce() sends a POST once, also when its connection breaks before the answer", async () => {
  await using server = breakingServer();
  await (await sendOnce(server.url, { method: "POST", body: "first" })).body?.cancel();
  await (await sendOnce(server.url)).body?.cancel();
  server.break_next = true;
  await assertRejects(() => sendOnce(server.url, { method: "POST", body: "second" }), TypeError);
  assertEquals(server.received, ["POST", "GET", "POST"]);
});

/** Keeps connections alive, until it is told to read one more request and close without an answer. */
function breakingServer() {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const open = new Set<Deno.Conn>();
  const server = {
    url: `http://127.0.0.1:${listener.addr.port}/`,
    received: [] as string[],
    break_next: false,
    async [Symbol.asyncDispose]() {
      listener.close();
      open.forEach(close);
      await Promise.all(await accepting);
    },
  };
  function close(connection: Deno.Conn): void {
    if (open.delete(connection)) connection.close();
  }
  async function serveConnection(connection: Deno.Conn): Promise<void> {
    open.add(connection);
    const bytes = new Uint8Array(4096);
    for (let n = await read(connection, bytes); n !== null; n = await read(connection, bytes)) {
      const [method] = /^(?:GET|POST)/.exec(new TextDecoder().decode(bytes.subarray(0, n))) ?? [];
      if (method === undefined) continue;
      server.received.push(method);
      if (server.break_next) return close(connection);
      await connection.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"));
    }
  }
  const accepting = (async () => {
    const served: Promise<void>[] = [];
    for await (const connection of listener) served.push(serveConnection(connection));
    return served;
  })();
  return server;
}

/** Null at the end, also where the test has closed the connection meanwhile. */
async function read(connection: Deno.Conn, bytes: Uint8Array): Promise<number | null> {
  try {
    return await connection.read(bytes);
  } catch (error) {
    if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return null;
    throw error;
  }
}
