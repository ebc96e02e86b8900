import type { FaultKind } from "../../local/sandbox/mod.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { consented, installed, opened, refusal, statusOf, tokensOf } from "./sandbox_support.ts";

const CODES: [FaultKind, number, RegExp][] = [
  ["401", 401, /"unauthorized access"/],
  ["402", 402, /Payment required/],
  ["403", 403, /You do not have permissions to do this/],
  ["403_scope", 403, /Scope and URL mismatch/],
  ["404", 404, /not found/],
  ["429", 429, /"request over limit"/],
  ["500", 500, /Internal Server Error/],
  ["503", 503, /^<!doctype html>/],
  ["html_200", 200, /^<!doctype html>/],
  ["html_403", 403, /^<!doctype html>.*Cloudflare/],
  ["empty", 200, /^$/],
  ["truncated", 200, /^\{"success":true,"data":[^}]*$/],
];

for (const [how, status, body] of CODES) {
  Deno.test(`the API can answer ${how}, as often as asked and no more`, async () => {
    const pipedrive = await opened();
    const { access_token } = await installed(pipedrive);
    await pipedrive.control.fail_next({ on: "api", how, times: 2 });
    for (let sent = 0; sent < 2; sent++) {
      const response = await pipedrive.me(access_token);
      assertEquals(response.status, status);
      assertMatch(await response.text(), body);
    }
    assertEquals(await statusOf(pipedrive.me(access_token)), 200);
  });
}

Deno.test("the token endpoint's own errors have its own shape", async () => {
  const { control, refresh } = await opened();
  await control.fail_next({ on: "token", how: "500" });
  await control.fail_next({ on: "token", how: "invalid_client" });
  const refusals = [];
  for (let sent = 0; sent < 2; sent++) refusals.push(await refusal(await refresh("1:1:00")));
  assertEquals(refusals.map(({ status, error }) => [status, error]), [
    [500, "server_error"],
    [401, "invalid_client"],
  ]);
});

Deno.test("a fault comes before the work and leaves the refresh token good", async () => {
  const pipedrive = await opened();
  const { refresh_token } = await installed(pipedrive);
  for (const how of ["500", "429", "html_200", "empty", "truncated", "no_access_token"] as const) {
    await pipedrive.control.fail_next({ on: "token:refresh", how });
    const response = await pipedrive.refresh(refresh_token);
    assert(!(await response.text()).includes(refresh_token), how);
  }
  await tokensOf(await pipedrive.refresh(refresh_token));
  assertEquals((await pipedrive.control.counts()).refreshed, 1);
});

Deno.test("a fault meets only what it was meant for, the oldest first, and can be taken back", async () => {
  const pipedrive = await opened();
  const { access_token } = await installed(pipedrive);
  await pipedrive.control.fail_next({ on: "search", how: "503" });
  await pipedrive.control.fail_next({ on: "token:exchange", how: "500" });
  await pipedrive.control.fail_next({ on: "api", how: "402" });
  assertEquals(await statusOf(pipedrive.search(access_token, { term: "jane" })), 503);
  assertEquals(await statusOf(pipedrive.search(access_token, { term: "jane" })), 402);
  assertEquals(await statusOf(pipedrive.exchange(await consented(pipedrive))), 500);
  await pipedrive.control.fail_next({ on: "users/me", how: "500", times: 99 });
  await pipedrive.control.clear_faults();
  assertEquals(await statusOf(pipedrive.me(access_token)), 200);
});

Deno.test("a 429 tells of the window, and when to come back only if it was asked to", async () => {
  const pipedrive = await opened();
  const { access_token } = await installed(pipedrive);
  const told = async () => {
    const { headers, body } = await pipedrive.search(access_token, { term: "jane" });
    await body?.cancel();
    return [headers.get("retry-after"), headers.get("x-ratelimit-reset")];
  };
  await pipedrive.control.fail_next({ on: "search", how: "429", retry_after: 7 });
  assertEquals(await told(), ["7", "2"]);
  await pipedrive.control.fail_next({ on: "search", how: "429" });
  assertEquals(await told(), [null, "2"]);
});

Deno.test("a timeout never answers and ends with the caller's own reason", async () => {
  const pipedrive = await opened();
  await pipedrive.control.fail_next({ on: "token", how: "timeout" });
  const caller = new AbortController();
  const waiting = pipedrive.send(`${pipedrive.sandbox.origin}/oauth/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "refresh_token" }),
    signal: caller.signal,
  });
  caller.abort(new DOMException("too long", "TimeoutError"));
  await assertRejects(() => waiting, DOMException, "too long");
});

Deno.test("who hangs up during the latency has spent the token all the same", async () => {
  const reached = Promise.withResolvers<void>();
  const sleep = () => {
    reached.resolve();
    return new Promise<void>(() => {});
  };
  const pipedrive = await opened({ token_latency_ms: 3_000 }, { sleep });
  const { refresh_token } = await installed(pipedrive);
  const caller = new AbortController();
  const fields = { grant_type: "refresh_token", refresh_token };
  const waiting = pipedrive.send(`${pipedrive.sandbox.origin}/oauth/token`, {
    method: "POST",
    headers: { authorization: `Basic ${btoa("sandbox-client:sandbox-secret")}` },
    body: new URLSearchParams(fields),
    signal: caller.signal,
  });
  await reached.promise;
  caller.abort();
  await assertRejects(() => waiting, DOMException);
  const [installation] = await pipedrive.control.installations();
  assertEquals(installation?.version, 2);
  assertEquals((await pipedrive.control.journal()).at(-1)?.status, 499);
  assertEquals((await pipedrive.control.counts()).refreshed, 1);
});

Deno.test("without a sleep of its own a latency passes on a timer that the caller can end", async () => {
  const pipedrive = await opened({ api_latency_ms: 3_600_000 });
  const { access_token } = await installed(pipedrive);
  const caller = new AbortController();
  const waiting = pipedrive.send("https://api.pipedrive.com/v1/users/me", {
    headers: { authorization: `Bearer ${access_token}` },
    signal: caller.signal,
  });
  caller.abort();
  await assertRejects(() => waiting, DOMException);
});

Deno.test("a redirect is for the caller to see, who must not follow it", async () => {
  const pipedrive = await opened();
  await pipedrive.control.fail_next({ on: "token", how: "redirect", times: 3 });
  const send = (redirect: RequestRedirect) =>
    pipedrive.send(`${pipedrive.sandbox.origin}/oauth/token`, { method: "POST", redirect });
  const left = await send("manual");
  assertEquals([left.status, left.headers.get("location")], [302, "https://oauth.pipedrive.com/elsewhere"]);
  await assertRejects(() => send("error"), TypeError, "redirect");
  await assertRejects(() => send("follow"), TypeError, "redirect");
});

Deno.test("a host that is not Pipedrive's cannot be reached", async () => {
  const { send } = await opened();
  for (
    const url of [
      "https://evil.example/",
      "https://unknown.pipedrive.com/api/v1/users/me",
      "http://oauth.pipedrive.com/oauth/token",
      "https://oauth.pipedrive.com.evil.example/oauth/token",
    ]
  ) {
    await assertRejects(() => send(url), TypeError, "error sending request for url");
  }
});

Deno.test("a misspelt switch or fault is an error of the test", async () => {
  const { control } = await opened();
  const switches = { rotate: true } as Record<string, boolean>;
  await assertRejects(() => control.configure(switches), Error, 'no switch "rotate"');
  const how = "explode" as FaultKind;
  await assertRejects(() => control.fail_next({ on: "api", how }), Error, 'no fault "explode"');
});

Deno.test("the journal tells what happened, in order, and holds no secret", async () => {
  const pipedrive = await opened();
  const code = await consented(pipedrive);
  const first = await tokensOf(await pipedrive.exchange(code));
  await pipedrive.me(first.access_token);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  await pipedrive.refresh(first.refresh_token);
  await pipedrive.search(second.access_token, { term: "jane" });
  await pipedrive.post("/oauth/revoke", { token: second.refresh_token });
  const journal = await pipedrive.control.journal();
  const story = journal.map(({ kind, status, outcome, version = "-" }) =>
    `${kind} ${status} ${outcome} ${version}`
  );
  assertEquals(story, [
    "authorize 302 ok -",
    "token:exchange 200 ok 1",
    "users/me 200 ok -",
    "token:refresh 200 ok 1",
    "token:refresh 400 spent 1",
    "search 200 ok -",
    "revoke 200 ok 2",
  ]);
  const text = JSON.stringify(journal);
  const secrets = [
    code,
    first.access_token,
    first.refresh_token,
    second.access_token,
    "st&te",
    "sandbox-secret",
  ];
  for (const secret of secrets) assert(!text.includes(secret));
  assert(journal.every((entry) => entry.company_id === 7100201 && entry.user_id === 11));
});
