import { controlOf, serveSandbox } from "../../local/sandbox/mod.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../../tests/support/assert.ts";
import { statusOf } from "./sandbox_support.ts";

const CALLBACK = "http://127.0.0.1:1/callback";

async function served() {
  const server = await serveSandbox({ redirect_uri: CALLBACK });
  return { ...server, remote: controlOf(server.origin), [Symbol.asyncDispose]: server.stop };
}

Deno.test("the whole story works over HTTP, controlled over HTTP", async () => {
  await using sandbox = await served();
  const query = new URLSearchParams({ client_id: "sandbox-client", redirect_uri: CALLBACK, state: "s" });
  const authorization_url = `${sandbox.origin}/oauth/authorize?${query}`;
  const location = await sandbox.remote.authorize({ authorization_url, user: 23 });
  const code = new URL(location).searchParams.get("code") ?? "";
  const response = await fetch(`${sandbox.origin}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa("sandbox-client:sandbox-secret")}` },
    body: new URLSearchParams({ grant_type: "authorization_code", code, redirect_uri: CALLBACK }),
  });
  const { access_token, api_domain } = await response.json();
  assertEquals(api_domain, sandbox.origin);
  const me = await fetch(`${api_domain}/api/v1/users/me`, {
    headers: { authorization: `Bearer ${access_token}` },
  });
  assertEquals((await me.json()).data.name, "Inês Duarte");
  assertEquals((await sandbox.remote.counts()).requests, (await sandbox.control.counts()).requests);
  assertEquals((await sandbox.remote.journal()).length, 3);
});

Deno.test("every control is there over HTTP, and errors come back as errors", async () => {
  await using sandbox = await served();
  assertEquals(Object.keys(sandbox.remote).toSorted(), Object.keys(sandbox.control).toSorted());
  assertEquals((await sandbox.remote.configure({ search_burst: null })).search_burst, null);
  assertEquals(await sandbox.remote.clear_faults(), undefined);
  await assertRejects(() => sandbox.remote.grant({ user: 999 }), Error, 'no user "999"');
});

Deno.test("a reset connection is an error of fetch or of the body, never an answer", async () => {
  await using sandbox = await served();
  await sandbox.remote.fail_next({ on: "token", how: "reset" });
  const ask = async () => {
    const response = await fetch(`${sandbox.origin}/oauth/token`, { method: "POST" });
    return await response.text();
  };
  await assertRejects(ask, TypeError);
});

Deno.test("who hangs up on a timeout is let go, and stopping lets go of the rest", async () => {
  const sandbox = await served();
  await sandbox.remote.fail_next({ on: "token", how: "timeout", times: 2 });
  const arrived = async (count: number) => {
    while ((await sandbox.remote.counts()).requests["token:other"] < count);
  };
  const caller = new AbortController();
  const ask = async (signal?: AbortSignal) => {
    const init = signal ? { method: "POST", signal } : { method: "POST" };
    return await (await fetch(`${sandbox.origin}/oauth/token`, init)).text();
  };
  const impatient = assertRejects(() => ask(caller.signal), DOMException);
  await arrived(1);
  caller.abort();
  await impatient;
  const patient = assertRejects(() => ask(), TypeError);
  await arrived(2);
  await sandbox.stop();
  await patient;
});

Deno.test("who leaves before the request is whole is let go, and nothing is noted", async () => {
  await using sandbox = await served();
  const { hostname, port } = new URL(sandbox.origin);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const head = "POST /oauth/token HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 10\r\n\r\nhalf";
  await connection.write(new TextEncoder().encode(head));
  await connection.closeWrite();
  await new Response(connection.readable).text();
  assertEquals(await sandbox.remote.journal(), []);
});

Deno.test("the control interface is for this machine only", async () => {
  await using sandbox = await served();
  const url = `${sandbox.origin}/_control/counts`;
  const json = { "content-type": "application/json" };
  const form = await fetch(url, { method: "POST", body: new URLSearchParams() });
  assertEquals(form.status, 405);
  await form.body?.cancel();
  const evil = await fetch(url, {
    method: "POST",
    headers: { ...json, origin: "https://evil.example" },
    body: "null",
  });
  assertEquals(evil.headers.has("access-control-allow-origin"), false);
  await evil.body?.cancel();
  const origin = "http://localhost:3000";
  const page = await fetch(url, { method: "OPTIONS", headers: { origin } });
  assertEquals(page.headers.get("access-control-allow-origin"), origin);
  await page.body?.cancel();
  assertEquals(await rebound(new URL(sandbox.origin)), "HTTP/1.1 403 Forbidden");
});

Deno.test("an unknown control is 404", async () => {
  await using sandbox = await served();
  for (const name of ["nope", "constructor"]) {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${sandbox.origin}/_control/${name}`, {
      method: "POST",
      headers,
      body: "null",
    });
    assertEquals(response.status, 404);
    assertStringIncludes((await response.json()).error, name);
  }
});

/** The first line of the answer to a request that names another host, as after DNS rebinding. */
async function rebound({ hostname, port }: URL): Promise<string | undefined> {
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const lines = [
    "POST /_control/counts HTTP/1.1",
    "Host: evil.example",
    "Content-Type: application/json",
    "Content-Length: 4",
    "Connection: close",
    "",
    "null",
  ];
  await connection.write(new TextEncoder().encode(lines.join("\r\n")));
  return (await new Response(connection.readable).text()).split("\r\n")[0];
}

Deno.test("over HTTP too a huge answer costs only what is read, and the consent page is there", async () => {
  await using sandbox = await served();
  await sandbox.remote.fail_next({ on: "token", how: "huge" });
  const response = await fetch(`${sandbox.origin}/oauth/token`, { method: "POST" });
  const reader = response.body?.getReader();
  await reader?.read();
  await reader?.cancel();
  const query = new URLSearchParams({ client_id: "sandbox-client", redirect_uri: CALLBACK });
  const page = await fetch(`${sandbox.origin}/oauth/authorize?${query}`);
  assertStringIncludes(await page.text(), "Allow and install");
});

Deno.test("what a sandbox kept, the next one goes on with: living tokens, spent ones, ended ones, the clock", async () => {
  let kept = "";
  let asked = 0;
  const keep = (text: string) => {
    kept = text;
    asked += 1;
  };
  const before = await serveSandbox({ redirect_uri: CALLBACK, keep });
  const mari = await before.control.grant({ user: "7100201:11" });
  const ines = await before.control.grant({ user: 23 });
  const spent = mari.refresh_token ?? "";
  const { refresh_token } = await (await refresh(before.origin, spent)).json();
  await before.control.revoke({ user: 23 });
  await before.control.advance_clock(3_599_000);
  const query = new URLSearchParams({ client_id: "sandbox-client", redirect_uri: CALLBACK });
  const authorization_url = `${before.origin}/oauth/authorize?${query}`;
  const code = new URL(await before.control.authorize({ authorization_url })).searchParams.get("code") ?? "";
  const seen = asked;
  assertEquals(await me(before.origin, mari.access_token), 200);
  assertEquals(asked, seen, "what changes nothing is not written");
  await before.stop();

  const after = await serveSandbox({ redirect_uri: CALLBACK, kept, keep });
  assertEquals(after.moved, after.origin !== before.origin);
  assertEquals(await me(after.origin, mari.access_token), 200);
  assertEquals(await me(after.origin, ines.access_token), 401);
  for (const token of [spent, ines.refresh_token ?? ""]) {
    const refused = await refresh(after.origin, token);
    assertEquals([refused.status, (await refused.json()).error], [400, "invalid_grant"]);
  }
  assertEquals((await after.control.counts()).reused, 1);
  const again = await (await refresh(after.origin, refresh_token)).json();
  assertEquals(again.api_domain, after.origin);
  await after.control.advance_clock(1_000);
  assertEquals(await me(after.origin, mari.access_token), 401);
  assertEquals(await me(after.origin, again.access_token), 200);
  const exchange = { grant_type: "authorization_code", code, redirect_uri: CALLBACK };
  assertEquals(await statusOf(post(after.origin, exchange)), 200);
  await after.stop();
});

function post(origin: string, fields: Record<string, string>): Promise<Response> {
  const headers = { authorization: `Basic ${btoa("sandbox-client:sandbox-secret")}` };
  return fetch(`${origin}/oauth/token`, { method: "POST", headers, body: new URLSearchParams(fields) });
}

const refresh = (origin: string, refresh_token: string) =>
  post(origin, { grant_type: "refresh_token", refresh_token });

const me = (origin: string, token: string) =>
  statusOf(fetch(`${origin}/api/v1/users/me`, { headers: { authorization: `Bearer ${token}` } }));
