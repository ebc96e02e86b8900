/** `POST /oauth-callback/pipedrive/complete`: only who began completes, once, and then is connected. */
import type { FaultKind } from "../../local/sandbox/mod.ts";
import { digest } from "../../supabase/functions/_shared/keep/seal.ts";
import { assertEquals, assertMatch, assertNotEquals } from "../support/assert.ts";
import { EPOCH } from "../support/database_time.ts";
import { JONAS, MARI } from "../support/store.ts";
import { makeKeyring } from "../support/make.ts";
import { story } from "./stage.ts";
import { ACCOUNT, complete, connect, park } from "./steps.ts";

const BEGIN_AGAIN = [400, "AUTHORIZATION_REQUEST_INVALID"] as const;
const BEING_COMPLETED = [503, "STORAGE_UNAVAILABLE"] as const;

story("completing answers the connection, which is searched and refreshed from then on", async (stage) => {
  const request = await park(stage);
  const completed = await complete(stage, request);
  assertEquals((await stage.store.authorization(await digest(request.state)))?.status, "finished");
  assertEquals(stage.sent.map(({ method, url }) => `${method} ${url}`), [
    "POST https://oauth.pipedrive.com/oauth/token",
    "GET https://baltictimber.pipedrive.com/api/v1/users/me",
  ]);
  assertEquals([completed.status, Object.keys(completed.body)], [200, ["connection"]]);
  const { id, created_at, updated_at, access_expires_at, authorization_expires_at, ...rest } = completed.body
    .connection as Record<
      string,
      string
    >;
  assertMatch(id ?? "", /^[0-9a-f-]{36}$/);
  const times = [created_at, updated_at, access_expires_at, authorization_expires_at]
    .map((time) => Date.parse(time ?? "") - EPOCH);
  assertEquals(times, [0, 0, 3_599_000, 60 * 24 * 3_600_000]);
  assertEquals(rest as unknown, {
    provider: "pipedrive",
    status: "active",
    account: { id: "7100201:11", name: "Baltic Timber", email: "mari.tamm@example.com" },
    scope: ["base", "contacts:read"],
  });

  assertEquals((await stage.search("?term=jane")).status, 200);
  stage.clock.pause(3_600_000);
  assertEquals((await stage.search("?term=jane")).status, 200);
  assertEquals([(await stage.store.row(id ?? "")).version, await stage.requests("token:refresh")], [2, 1]);
});

story(
  "an account that is uninstalled while its first connection is on its way is not connected",
  async (stage) => {
    const request = await park(stage);
    const held = stage.store.hold("connect");
    const completing = complete(stage, request);
    await held.arrived;
    stage.clock.pause(1_000);
    assertEquals((await stage.provider.uninstall(ACCOUNT)).status, 200);
    held.release();
    const { status, body } = await completing;
    assertEquals([status, (body.connection as { status: string }).status], [200, "disconnected"]);
    // Nothing stands in the way of connecting anew.
    stage.clock.pause(1_000);
    const id = await connect(stage);
    assertEquals((await stage.store.row(id)).status, "active");
  },
);

story("a hundred completions of one ticket make one connection, by one exchange", async (stage) => {
  const request = await park(stage);
  const answers = await Promise.all(Array.from({ length: 100 }, () => complete(stage, request)));
  const [connected] = answers.filter(({ status }) => status === 200);
  for (const { status, refusal, text } of answers) {
    if (status === 200) assertEquals(text, connected?.text);
    else assertEquals(refusal, BEING_COMPLETED);
  }
  assertEquals((await complete(stage, request)).text, connected?.text);
  assertEquals([await stage.requests("token:exchange"), (await stage.store.events()).length], [1, 1]);
});

story(
  "the same user, ticket and binding get the connection again until the request expires",
  async (stage) => {
    const request = await park(stage);
    const { text } = await complete(stage, request);
    assertEquals((await complete(stage, request)).text, text);
    const others = [{ user: JONAS }, { binding: "x".repeat(43) }, { ticket: "x".repeat(43) }];
    for (const other of others) {
      assertEquals((await complete(stage, { ...request, ...other })).refusal, BEGIN_AGAIN);
    }
    stage.clock.pause(600_001);
    assertEquals((await complete(stage, request)).refusal, BEGIN_AGAIN);
    assertEquals(await stage.requests("token:exchange"), 1);
  },
);

story("a repeat during the exchange is told that it is under way, and changes nothing", async (stage) => {
  await stage.provider.configure({ token_latency_ms: 9_000 });
  const request = await park(stage);
  const first = complete(stage, request);
  await stage.clock.settle(() => stage.sent.length === 0);
  const repeat = await complete(stage, request);
  assertEquals([repeat.refusal, repeat.headers.get("retry-after")], [BEING_COMPLETED, "1"]);
  assertEquals([(await first).status, await stage.requests("token:exchange")], [200, 1]);
});

const said = (status: number, code?: string) => ({
  data: null,
  error: code === undefined ? null : { code, message: "" },
  status,
});
const notStored = {
  "is read-only": said(405, "25006"),
  "answers 429": said(429, ""),
  "has not read its schema": said(404, "PGRST202"),
  "answers 401": said(401, ""),
  "answers with a page": said(200, ""),
  "answers with an empty 404": said(204),
  "answers with a SQLSTATE nobody thought of": said(400, "22P02"),
  "answers with a word of our own functions": said(400, "22023"),
};
for (const [what, answer] of Object.entries(notStored)) {
  story(`until a database that ${what} says "stored", completing is repeated behind a 503`, async (stage) => {
    const request = await park(stage);
    stage.store.failNext("connect", 30, "before", answer);
    const waits = await complete(stage, request);
    assertEquals([waits.refusal, waits.headers.get("retry-after")], [BEING_COMPLETED, "1"]);
    assertEquals([stage.clock.now(), (await complete(stage, request)).refusal], [10_000, BEING_COMPLETED]);
    await stage.context.background();
    const { status, body } = await complete(stage, request);
    assertEquals([status, (body.connection as { status: string }).status], [200, "active"]);
    assertEquals([await stage.requests("token:exchange"), stage.context.reports], [1, []]);
  });
}

story(
  "what the database never says to have stored is reported, and after two minutes the user begins again",
  async (stage) => {
    const request = await park(stage);
    stage.store.failNext("connect", 1_000);
    assertEquals((await complete(stage, request)).refusal, BEING_COMPLETED);
    await stage.context.background();
    assertEquals(stage.context.reports.map((error) => (error as { code?: string }).code), [
      "STORAGE_UNAVAILABLE",
    ]);
    stage.clock.pause(120_000);
    assertEquals((await complete(stage, request)).refusal, BEGIN_AGAIN);
  },
);

story(
  "whose login has outlived the user is told to sign in, wherever the user was deleted",
  async (stage) => {
    const request = await park(stage);
    const held = stage.store.hold("connect");
    const answer = complete(stage, request);
    await held.arrived;
    await stage.store.deleteUser(MARI);
    held.release();
    assertEquals((await answer).refusal, [401, "INVALID_CREDENTIALS"]);
  },
);

story("of sixty invented codes five are sent to the provider", async (stage) => {
  let begun = 0;
  for (let n = 0; n < 60; n += 1) {
    const { status, body } = await stage.callback("/authorize", { user: MARI, body: {} });
    if (status !== 201) continue;
    begun += 1;
    const state = new URL(String(body.authorization_url)).searchParams.get("state");
    const { fragment } = await stage.callback(`?code=invented-${n}&state=${state}`);
    const [ticket, binding] = [fragment.get("oauth_ticket") ?? "", String(body.binding)];
    const answer = await complete(stage, { user: MARI, ticket, binding });
    assertEquals(answer.refusal, begun <= 5 ? BEGIN_AGAIN : [429, "PROVIDER_RATE_LIMITED"]);
    assertEquals(answer.headers.get("retry-after"), begun <= 5 ? null : "60");
  }
  assertEquals([begun, await stage.requests("token:exchange")], [20, 5]);
  assertEquals((await complete(stage, await park(stage, JONAS))).status, 200);
  stage.clock.pause(600_001);
  assertEquals((await complete(stage, await park(stage))).status, 200);
});

story("nobody completes what someone else began, in either direction, nor in another tab", async (stage) => {
  const [mari, jonas, tab] = [await park(stage), await park(stage, JONAS), await park(stage)];
  const attempts = [
    { ...mari, user: JONAS },
    { ...jonas, user: MARI },
    { ...mari, binding: jonas.binding },
    { ...mari, binding: tab.binding },
    { ...mari, binding: mari.ticket },
    { ...mari, binding: "x".repeat(43) },
    { ...mari, ticket: "x".repeat(43) },
  ];
  const answers = await Promise.all(attempts.map((attempt) => complete(stage, attempt)));
  for (const { refusal } of answers) assertEquals(refusal, BEGIN_AGAIN);
  assertEquals(new Set(answers.map(({ text }) => text)).size, 1);
  assertEquals(await stage.requests("token:exchange"), 0);
  assertEquals([(await complete(stage, mari)).status, (await complete(stage, jonas)).status], [200, 200]);
});

story("a ticket counts on the path of its provider alone", async (stage) => {
  const { user, ticket, binding } = await park(stage);
  const elsewhere = await stage.callback("/../elsewhere/complete", { user, body: { ticket, binding } });
  assertEquals([elsewhere.refusal, await stage.requests("token:exchange")], [BEGIN_AGAIN, 0]);
  assertEquals((await complete(stage, { user, ticket, binding })).status, 200);
});

story("an expired ticket is refused like an unknown one, and nothing goes out", async (stage) => {
  const request = await park(stage);
  stage.clock.pause(600_001);
  const [expired, unknown] = [
    await complete(stage, request),
    await complete(stage, { ...request, ticket: "x".repeat(43) }),
  ];
  assertEquals([expired.refusal, expired.text], [BEGIN_AGAIN, unknown.text]);
  assertEquals(await stage.requests("token:exchange"), 0);
});

story("connecting again updates in place, another user of the account gets her own", async (stage) => {
  const id = await connect(stage);
  assertEquals([await connect(stage), (await stage.store.row(id)).version], [id, 2]);
  const other = await connect(stage, JONAS);
  assertNotEquals(other, id);
  assertEquals((await stage.store.row(other)).user_id, JONAS);
});

story("after an uninstall the user connects again, in place", async (stage) => {
  const id = await connect(stage);
  await stage.provider.uninstall(ACCOUNT);
  assertEquals([await connect(stage), (await stage.store.row(id)).version], [id, 3]);
});

const exchangeFaults: [FaultKind, number, string][] = [
  ["500", 503, "PROVIDER_UNAVAILABLE"],
  ["503", 503, "PROVIDER_UNAVAILABLE"],
  ["timeout", 503, "PROVIDER_UNAVAILABLE"],
  ["reset", 503, "PROVIDER_UNAVAILABLE"],
  ["429", 429, "PROVIDER_RATE_LIMITED"],
  ["html_403", 503, "PROVIDER_UNAVAILABLE"],
  ["html_200", 502, "PROVIDER_RESPONSE_INVALID"],
  ["empty", 502, "PROVIDER_RESPONSE_INVALID"],
  ["no_access_token", 502, "PROVIDER_RESPONSE_INVALID"],
  ["huge", 502, "PROVIDER_RESPONSE_INVALID"],
  ["invalid_client", 500, "CONFIGURATION_INVALID"],
  ["redirect", 500, "CONFIGURATION_INVALID"],
];
for (const [how, status, code] of exchangeFaults) {
  story(`an exchange that meets ${how} is ${code}, and the ticket completes afterwards`, async (stage) => {
    const request = await park(stage);
    await stage.provider.fail_next({ on: "token:exchange", how });
    const answer = await complete(stage, request);
    assertEquals(answer.refusal, [status, code]);
    assertEquals(answer.headers.has("retry-after"), status === 503 || status === 429);
    assertEquals(stage.clock.now(), how === "timeout" ? 20_000 : 0);
    assertEquals((await complete(stage, request)).status, 200);
  });
}

story("the exchange repeats the redirect URI that was sent, whatever is set by then", async (stage) => {
  const [request, { client }] = [await park(stage), stage.context];
  Object.assign(stage.context, { client: { ...client, redirect_uri: "https://moved.example/pipedrive" } });
  assertEquals((await complete(stage, request)).status, 200);
});

story("a token endpoint that names its wait has it passed on", async (stage) => {
  const request = await park(stage);
  await stage.provider.fail_next({ on: "token:exchange", how: "503", retry_after: 7 });
  const { body, headers } = await complete(stage, request);
  assertEquals([body.retry_after, headers.get("retry-after")], [7, "7"]);
});

story("a code that the provider refuses means: begin again", async (stage) => {
  const request = await park(stage);
  await stage.provider.advance_clock(301_000);
  for (const time of [1, 2]) {
    assertEquals((await complete(stage, request)).refusal, BEGIN_AGAIN, `time ${time}`);
  }
  assertEquals(await stage.requests("token:exchange"), 1);
});

story("a code that does not open is the operator's fault, and the ticket waits", async (stage) => {
  const { keyring } = stage.context;
  const request = await park(stage);
  Object.assign(stage.context, { keyring: await makeKeyring(`k9:${"CQ".padEnd(43, "kJCQkJ")}`) });
  assertEquals((await complete(stage, request)).refusal, [500, "CONFIGURATION_INVALID"]);
  assertEquals(await stage.requests("token:exchange"), 0);
  Object.assign(stage.context, { keyring });
  assertEquals((await complete(stage, request)).status, 200);
});

for (const api_domain of ["https://evil.example", "https://baltictimber.pipedrive.com.evil.example"]) {
  story(`a token for ${api_domain} goes nowhere and is not kept`, async (stage) => {
    await stage.provider.configure({ api_domain });
    const answer = await complete(stage, await park(stage));
    assertEquals(answer.refusal, [502, "PROVIDER_RESPONSE_INVALID"]);
    assertEquals([answer.line.provider_calls, stage.store.calls.includes("connect")], [1, false]);
  });
}

story("an address that is only spelt otherwise is the same", async (stage) => {
  await stage.provider.configure({ api_domain: "https://BalticTimber.pipedrive.com/" });
  const { status } = await complete(stage, await park(stage));
  assertEquals([status, (await stage.search("?term=zofia")).status], [200, 200]);
});

story("an exchange without a refresh token is no connection, and revokes nothing", async (stage) => {
  await stage.provider.configure({ omit_refresh_token: true });
  assertEquals((await complete(stage, await park(stage))).refusal, [502, "PROVIDER_RESPONSE_INVALID"]);
  assertEquals([await stage.requests("revoke"), stage.store.calls.includes("connect")], [0, false]);
});
