import type { Provider } from "../../../supabase/functions/_shared/oauth/client.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import {
  completeAuthorization,
  type CompleteRequest,
} from "../../../supabase/functions/_shared/connect/complete.ts";
import { connectionId } from "../../../supabase/functions/_shared/connect/connection_id.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { digest } from "../../../supabase/functions/_shared/keep/seal.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { EPOCH } from "../../support/database_time.ts";
import { json, respondWith, type SentRequest } from "../../support/fake_fetch.ts";
import { makeContext, type TestContext } from "../../support/context.ts";
import { KEYS, makeClient, makeKeyring } from "../../support/make.ts";
import { refusal } from "../../support/token_endpoint.ts";

const MARI = "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11";
const JONAS = "0b9ff0a2-8f5d-4d6a-9f0a-3f1b2c4d5e6f";
const RETURN_TO = "https://app.example/settings";
const CODE = "7.11.2d73391055ca60cbf07f13aaaaf1207cfe33a4b605";
const TOKENS = {
  access_token: "v1u:AQIBAHj+canary/access==:RID",
  token_type: "Bearer",
  expires_in: 3599,
  refresh_token: "1:1:canary-refresh",
  scope: "base,contacts:read",
  api_domain: "https://baltictimber.pipedrive.com",
};
const ME = {
  success: true,
  data: { id: 11, company_id: 7100201, company_name: "Baltic Timber", email: "mari@example.com" },
};

/** A provider with all that Pipedrive lacks: an issuer in its answers, and PKCE. */
const ACME: Provider = {
  ...pipedrive,
  name: "acme",
  issuer: "https://acme.example",
  authorization_response_iss_parameter_supported: true,
  authorization_endpoint: "https://acme.example/authorize",
  token_endpoint: "https://acme.example/token",
  code_challenge_methods_supported: ["S256"],
  api: { default_origin: "https://api.acme.example", origins: /^https:\/\/api\.acme\.example$/ },
};

type Answerer = (request: SentRequest) => Response | Promise<Response>;
const tokens = (extra: object = {}) => () => json({ ...TOKENS, ...extra });
const me = (body: object = ME) => () => json(body);

/** A provider that answers each token request, then each question for the account, by a script whose last entry stays. */
function network(token: Answerer[] = [tokens()], account: Answerer[] = [me()]) {
  const next = (script: Answerer[]) => script.length > 1 ? script.shift() : script[0];
  return respondWith((request) => {
    const answer = next(new URL(request.url).pathname.endsWith("/token") ? token : account);
    if (!answer) throw new Error(`no request was expected: ${request.url}`);
    return answer(request);
  });
}

/** What every story needs: context whose requests can be looked at. */
async function setUp(fetch = network(), provider: Provider = pipedrive) {
  const context = await makeContext({ fetch, provider });
  return { ...context, requests: fetch.requests };
}

async function begin(context: TestContext, user_id = MARI) {
  const begun = await beginAuthorization(context, { user_id, return_to: RETURN_TO });
  const state = new URL(begun.authorization_url).searchParams.get("state") ?? "";
  return { ...begun, state, id: await digest(state) };
}

async function parked(context: TestContext, user_id = MARI, extra: Record<string, string> = {}) {
  const begun = await begin(context, user_id);
  const parameters = new URLSearchParams({ code: CODE, state: begun.state, ...extra });
  const received = await receiveAuthorizationResponse(context, parameters);
  assert(received.outcome === "parked", received.outcome);
  return { ...begun, user_id, ticket: received.ticket };
}

/** Completes, and lets what runs beside it end within the test. */
function complete(context: TestContext, request: CompleteRequest) {
  return completeAuthorization(context, request).finally(() => context.clock.settle());
}

async function failing(work: Promise<unknown>): Promise<PublicError> {
  return await assertRejects(() => work, PublicError);
}

Deno.test("OA-01: state, binding and ticket carry 256 bits, never repeat, and only their hashes are stored", async () => {
  const context = await setUp();
  const secrets: string[] = [];
  const rows: unknown[] = [];
  for (let n = 0; n < 30; n += 1) {
    const { id, state, binding, ticket } = await parked(context, await context.store.user());
    secrets.push(state, binding, ticket);
    rows.push(await context.store.authorization(id));
  }
  for (const secret of secrets) assertMatch(secret, /^[A-Za-z0-9_-]{43}$/);
  assertEquals(new Set(secrets).size, 90);
  const stored = JSON.stringify(rows);
  for (const secret of [...secrets, CODE]) assert(!stored.includes(secret));
  for (const secret of secrets) assertStringIncludes(stored, await digest(secret));
});

Deno.test("OA-02: of a hundred responses with one state exactly one is parked", async () => {
  const context = await setUp();
  const { state } = await begin(context);
  const all = await Promise.all(
    Array.from(
      { length: 100 },
      () => receiveAuthorizationResponse(context, new URLSearchParams({ code: CODE, state })),
    ),
  );
  const outcomes = all.map(({ outcome }) => outcome);
  assertEquals(outcomes.filter((outcome) => outcome === "parked").length, 1);
  assertEquals(outcomes.filter((outcome) => outcome === "invalid").length, 99);
});

Deno.test("OA-02: of a hundred completions with one ticket exactly one exchanges the code", async () => {
  const context = await setUp();
  const request = await parked(context);
  const all = await Promise.allSettled(
    Array.from({ length: 100 }, () => complete(context, request)),
  );
  assertEquals(all.filter(({ status }) => status === "fulfilled").length, 1);
  for (const end of all) {
    if (end.status === "rejected") assertEquals(end.reason.code, "AUTHORIZATION_REQUEST_INVALID");
  }
  assertEquals(context.requests.filter(({ url }) => url.endsWith("/token")).length, 1);
});

Deno.test("OA-03: state and ticket end with the request", async () => {
  const context = await setUp();
  const late = await begin(context);
  await context.store.backdate(late.id, { expires_at: 1 });
  const parameters = new URLSearchParams({ code: CODE, state: late.state });
  assertEquals((await receiveAuthorizationResponse(context, parameters)).outcome, "invalid");

  const request = await parked(context);
  await context.store.backdate(request.id, { expires_at: 1 });
  const error = await failing(complete(context, request));
  assertEquals([error.code, context.requests.length], ["AUTHORIZATION_REQUEST_INVALID", 0]);
});

Deno.test("OA-05, OA-07: whoever did not begin cannot complete, and nothing goes to the provider", async () => {
  const context = await setUp();
  const [mari, jonas] = [await parked(context, MARI), await parked(context, JONAS)];
  for (const attempt of [{ ...mari, user_id: JONAS }, { ...jonas, user_id: MARI }]) {
    assertEquals(
      (await failing(complete(context, attempt))).code,
      "AUTHORIZATION_REQUEST_INVALID",
    );
  }
  assertEquals(context.requests.length, 0);
  assertEquals((await complete(context, mari)).status, "active");
});

Deno.test("OA-06: without the binding of the tab that began nothing goes out, and the right tab still completes", async () => {
  const context = await setUp();
  const [request, other] = [await parked(context), await parked(context)];
  for (const binding of ["", "x".repeat(43), request.ticket, other.binding]) {
    const error = await failing(complete(context, { ...request, binding }));
    assertEquals(error.code, "AUTHORIZATION_REQUEST_INVALID");
  }
  assertEquals(context.requests.length, 0);
  assertEquals((await complete(context, request)).status, "active");
});

Deno.test("OA-08: a state of one provider does not count on another's path", async () => {
  const context = await setUp();
  const acme = { ...context, client: makeClient({ provider: { ...pipedrive, name: "acme" } }) };
  const { state, id } = await begin(context);
  const parameters = new URLSearchParams({ code: CODE, state });
  assertEquals((await receiveAuthorizationResponse(acme, parameters)).outcome, "invalid");
  assertEquals((await context.store.authorization(id))?.status, "started");
});

Deno.test("OA-08: a ticket of one provider does not complete at another", async () => {
  const context = await setUp();
  const request = await parked(context);
  const acme = { ...context, client: makeClient({ provider: { ...pipedrive, name: "acme" } }) };
  const error = await failing(complete(acme, request));
  assertEquals([error.code, context.requests.length], ["AUTHORIZATION_REQUEST_INVALID", 0]);
});

Deno.test("OA-09: a wrong issuer, or none where one is promised, leaves the state as it is", async () => {
  const context = await setUp(network(), ACME);
  const { state, id } = await begin(context);
  for (const iss of [[["iss", "https://evil.example"]], []]) {
    const parameters = new URLSearchParams([["code", CODE], ["state", state], ...iss]);
    assertEquals(await receiveAuthorizationResponse(context, parameters), { outcome: "invalid" });
  }
  assertEquals((await context.store.authorization(id))?.status, "started");
  const right = new URLSearchParams({ code: CODE, state, iss: "https://acme.example" });
  assertEquals((await receiveAuthorizationResponse(context, right)).outcome, "parked");
});

Deno.test("OA-10: the code verifier is fresh, stays out of the URL and out of plain storage, and proves the challenge", async () => {
  const context = await setUp(network(), ACME);
  const [one, other] = [
    await parked(context, MARI, { iss: "https://acme.example" }),
    await begin(context),
  ];
  const challenge = new URL(one.authorization_url).searchParams.get("code_challenge") ?? "";
  assertNotEquals(challenge, new URL(other.authorization_url).searchParams.get("code_challenge"));
  const row = JSON.stringify(await context.store.authorization(one.id));
  await complete(context, one);
  const verifier = new URLSearchParams(context.requests[0]?.body).get("code_verifier") ?? "";
  assertEquals(await digest(verifier), challenge);
  assert(!one.authorization_url.includes(verifier) && !row.includes(verifier));
});

Deno.test("OA-11: PKCE does not replace the state", async () => {
  const context = await setUp(network(), ACME);
  await begin(context);
  const parameters = new URLSearchParams({ code: CODE, iss: "https://acme.example" });
  assertEquals(await receiveAuthorizationResponse(context, parameters), { outcome: "not_begun_here" });
});

Deno.test("OA-12: the redirect URI sent, stored and repeated is the configured one", async () => {
  const context = await setUp();
  const request = await parked(context);
  const { redirect_uri } = context.client;
  assertEquals(new URL(request.authorization_url).searchParams.get("redirect_uri"), redirect_uri);
  assertEquals((await context.store.authorization(request.id))?.redirect_uri, redirect_uri);
  await complete(context, request);
  assertEquals(new URLSearchParams(context.requests[0]?.body).get("redirect_uri"), redirect_uri);
});

Deno.test("OA-15: a denial uses up the state, and its secrets are erased", async () => {
  const context = await setUp(network(), ACME);
  const { state, id } = await begin(context);
  const denial = { error: "access_denied", state, iss: "https://acme.example" };
  const denied = await receiveAuthorizationResponse(context, new URLSearchParams(denial));
  assertEquals(denied, { outcome: "denied", return_to: RETURN_TO });
  assertEquals((await context.store.authorization(id))?.code_verifier_sealed, null);
  for (const again of [denial, { code: CODE, state, iss: "https://acme.example" }]) {
    const outcome = await receiveAuthorizationResponse(context, new URLSearchParams(again));
    assertEquals(outcome, { outcome: "invalid" });
  }
});

Deno.test("OA-28: a user has at most twenty authorizations open, and others do not feel it", async () => {
  const context = await setUp();
  const open = [];
  for (let n = 0; n < 20; n += 1) open.push(await begin(context));
  const error = await failing(begin(context));
  assertEquals([error.code, error.details.retry_after], ["PROVIDER_RATE_LIMITED", 60]);
  await begin(context, JONAS);
  await context.store.backdate(open[7]?.id ?? "", { expires_at: 1 });
  await begin(context);
});

Deno.test("an authorization expires ten minutes after it began", async () => {
  const context = await setUp();
  const { expires_at } = await begin(context);
  assertEquals(Date.parse(expires_at) - EPOCH, 600_000);
});

Deno.test("completing stores who the tokens speak for, sealed for this connection, and answers what an owner may see", async () => {
  const context = await setUp();
  const connection = await complete(context, await parked(context));
  const id = await connectionId("pipedrive", "7100201:11", MARI);
  assertEquals(connection, {
    id,
    provider: "pipedrive",
    status: "active",
    account: { id: "7100201:11", name: "Baltic Timber", email: "mari@example.com" },
    scope: ["base", "contacts:read"],
    created_at: connection.created_at,
    updated_at: connection.updated_at,
    access_expires_at: "2026-01-01T00:59:59+00:00",
  });
  const row = await context.store.row(id);
  const open = (sealed: string | null, field: "access_token" | "refresh_token") =>
    context.keyring.open(sealed ?? "", { id, provider: "pipedrive", field });
  assertEquals(JSON.parse(await open(row.access_token_sealed, "access_token")), {
    access_token: TOKENS.access_token,
    api_origin: TOKENS.api_domain,
  });
  assertEquals(await open(row.refresh_token_sealed, "refresh_token"), TOKENS.refresh_token);
});

Deno.test("the account is asked at its own API address, with the token alone and no redirect followed", async () => {
  const context = await setUp();
  await complete(context, await parked(context));
  const [exchange, question, ...more] = context.requests;
  assertEquals(more, []);
  assertEquals(exchange?.url, "https://oauth.pipedrive.com/oauth/token");
  assertEquals(question?.url, "https://baltictimber.pipedrive.com/api/v1/users/me");
  assertEquals([question?.method, question?.redirect], ["GET", "manual"]);
  assertEquals(question?.headers.get("authorization"), `Bearer ${TOKENS.access_token}`);
});

Deno.test("OA-29: connecting again updates the same connection in place and raises its version", async () => {
  const context = await setUp();
  const first = await complete(context, await parked(context));
  const second = await complete(context, await parked(context));
  assertEquals(second.id, first.id);
  assertEquals((await context.store.row(first.id)).version, 2);
});

Deno.test("one account of two users is two connections", async () => {
  const context = await setUp();
  const mari = await complete(context, await parked(context, MARI));
  const jonas = await complete(context, await parked(context, JONAS));
  assertNotEquals(mari.id, jonas.id);
  assertEquals([(await context.store.row(mari.id)).user_id, (await context.store.row(jonas.id)).user_id], [
    MARI,
    JONAS,
  ]);
});

Deno.test("a connection's id depends on provider, account and user alone, and is a UUID of version 8", async () => {
  const id = await connectionId("pipedrive", "1:23", MARI);
  assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assertEquals(await connectionId("pipedrive", "1:23", MARI), id);
  const others = [["pipedrive", "12:3", MARI], ["pipedrive1", ":23", MARI], ["pipedrive", "1:23", JONAS]];
  for (const [provider = "", key = "", user = ""] of others) {
    assertNotEquals(await connectionId(provider, key, user), id);
  }
});

const notFinal: [string, Answerer, string][] = [
  [
    "cannot be reached",
    () => Promise.reject(new TypeError("client error (Connect)")),
    "PROVIDER_UNAVAILABLE",
  ],
  ["breaks off", () => Promise.reject(new TypeError("connection reset")), "PROVIDER_UNAVAILABLE"],
  ["answers 500", () => refusal("server_error", 500), "PROVIDER_UNAVAILABLE"],
  ["answers 503", () => new Response("", { status: 503 }), "PROVIDER_UNAVAILABLE"],
  ["answers 429", () => new Response("", { status: 429 }), "PROVIDER_RATE_LIMITED"],
  ["never answers", () => new Promise(() => {}), "PROVIDER_UNAVAILABLE"],
  ["answers with a page", () => new Response("<html>"), "PROVIDER_RESPONSE_INVALID"],
  ["refuses the client", () => refusal("invalid_client", 401), "CONFIGURATION_INVALID"],
  ["redirects", () => Response.redirect("https://evil.example/"), "CONFIGURATION_INVALID"],
];

for (const [what, answer, code] of notFinal) {
  Deno.test(`a token endpoint that ${what} is ${code}, and the same ticket may be tried again`, async () => {
    const context = await setUp(network([answer, tokens()]));
    const request = await parked(context);
    assertEquals((await failing(complete(context, request))).code, code);
    assertEquals(context.requests.filter(({ url }) => url.includes("evil")).length, 0);
    assertEquals((await complete(context, request)).status, "active");
  });
}

Deno.test("a token endpoint that names its wait has it passed on", async () => {
  const busy = () => new Response("", { status: 503, headers: { "retry-after": "7" } });
  const context = await setUp(network([busy]));
  const error = await failing(complete(context, await parked(context)));
  assertEquals(error.details.retry_after, 7);
});

Deno.test("a refused code is final: the ticket is used up", async () => {
  const context = await setUp(network([() => refusal("invalid_grant"), tokens()]));
  const request = await parked(context);
  for (let n = 0; n < 2; n += 1) {
    const error = await failing(complete(context, request));
    assertEquals(error.code, "AUTHORIZATION_REQUEST_INVALID");
  }
  assertEquals(context.requests.length, 1);
});

Deno.test("a code that does not open is the operator's fault: nothing goes out, and the ticket waits for the key", async () => {
  const context = await setUp();
  const request = await parked(context);
  const keyless = { ...context, keyring: await makeKeyring(KEYS.split(",")[1]) };
  const error = await failing(complete(keyless, request));
  assertEquals([error.code, context.requests.length], ["CONFIGURATION_INVALID", 0]);
  assertEquals((await complete(context, request)).status, "active");
});

const foreignAddresses = [
  "https://evil.example",
  "https://pipedrive.com.evil.example",
  "https://evil.example#.pipedrive.com",
  "https://x@baltictimber.pipedrive.com",
  "http://baltictimber.pipedrive.com",
  "https://169.254.169.254",
];

for (const api_domain of foreignAddresses) {
  Deno.test(`no token goes to ${api_domain}, and nothing is stored`, async () => {
    const context = await setUp(network([tokens({ api_domain })]));
    const error = await failing(complete(context, await parked(context)));
    assertEquals(error.code, "PROVIDER_RESPONSE_INVALID");
    assertEquals(context.requests.map(({ url }) => url), ["https://oauth.pipedrive.com/oauth/token"]);
    assert(!context.store.calls.includes("connect"));
  });
}

Deno.test("an exchange without a refresh token is no connection", async () => {
  const context = await setUp(network([tokens({ refresh_token: undefined })]));
  const error = await failing(complete(context, await parked(context)));
  assertEquals(error.code, "PROVIDER_RESPONSE_INVALID");
  assert(!context.store.calls.includes("connect"));
});

const accountTroubles: [string, Answerer, string, number][] = [
  ["answers 500", () => new Response("", { status: 500 }), "PROVIDER_UNAVAILABLE", 4],
  ["breaks off", () => Promise.reject(new TypeError("connection reset")), "PROVIDER_UNAVAILABLE", 4],
  ["answers 429", () => new Response("", { status: 429 }), "PROVIDER_RATE_LIMITED", 4],
  [
    "asks for two minutes",
    () => new Response("", { status: 429, headers: { "retry-after": "120" } }),
    "PROVIDER_RATE_LIMITED",
    1,
  ],
  ["never answers", () => new Promise(() => {}), "PROVIDER_UNAVAILABLE", 3],
  ["answers 401", () => json({ success: false }, 401), "PROVIDER_RESPONSE_INVALID", 1],
  ["answers 402", () => json({ success: false }, 402), "PROVIDER_FORBIDDEN", 1],
  ["answers 403", () => json({ success: false }, 403), "PROVIDER_FORBIDDEN", 1],
  [
    "answers a block page",
    () => new Response("<html>", { status: 403, headers: { "content-type": "text/html" } }),
    "PROVIDER_UNAVAILABLE",
    1,
  ],
  ["redirects", () => Response.redirect("https://evil.example/"), "PROVIDER_RESPONSE_INVALID", 1],
  ["answers with a page", () => new Response("<html>"), "PROVIDER_RESPONSE_INVALID", 1],
  ["names no company", me({ success: true, data: { id: 11 } }), "PROVIDER_RESPONSE_INVALID", 1],
  ["answers without end", () => new Response("x".repeat(70_000)), "PROVIDER_RESPONSE_INVALID", 1],
];

for (const [what, answer, code, times] of accountTroubles) {
  Deno.test(`an API that ${what} is ${code}: nothing is stored, nothing revoked`, async () => {
    const context = await setUp(network([tokens()], [answer]));
    const request = await parked(context);
    const error = await failing(complete(context, request));
    assertEquals(error.code, code);
    const [exchange, ...questions] = context.requests;
    assertStringIncludes(exchange?.url ?? "", "/oauth/token");
    assertEquals(questions.length, times);
    for (const { url } of questions) assertStringIncludes(url, "/api/v1/users/me");
    assert(!context.store.calls.includes("connect"));
    assert(context.clock.now() <= 21_000, `${context.clock.now()} ms`);
  });
}

Deno.test("an API that limits us without a word is left alone for two seconds", async () => {
  const context = await setUp(network([tokens()], [() => new Response("", { status: 429 }), me()]));
  assertEquals((await complete(context, await parked(context))).status, "active");
  assertEquals(context.clock.now(), 2_000);
});

Deno.test("an API that stumbles is asked again", async () => {
  const context = await setUp(network([tokens()], [() => new Response("", { status: 503 }), me()]));
  assertEquals((await complete(context, await parked(context))).status, "active");
});

Deno.test("a database that stumbles after the exchange is asked again, whether or not it heard", async () => {
  for (const when of ["before", "after"] as const) {
    const context = await setUp();
    const request = await parked(context);
    context.store.failNext("connect", 3, when);
    assertEquals((await complete(context, request)).status, "active");
    assertEquals(context.requests.length, 2);
  }
});

Deno.test("a database that is down at the take spends nothing", async () => {
  const context = await setUp();
  const request = await parked(context);
  context.store.failNext("take_authorization");
  assertEquals((await failing(complete(context, request))).code, "STORAGE_UNAVAILABLE");
  assertEquals(context.requests.length, 0);
  assertEquals((await complete(context, request)).status, "active");
});

Deno.test("a request that cannot be put back is reported, and the caller still learns why it failed", async () => {
  const context = await setUp(network([() => refusal("invalid_client", 401)]));
  const request = await parked(context);
  context.store.failNext("return_authorization");
  assertEquals((await failing(complete(context, request))).code, "CONFIGURATION_INVALID");
  assertEquals(context.reports.map((error) => (error as PublicError).code), ["STORAGE_UNAVAILABLE"]);
});

Deno.test("what a caller began and left is finished: the isolate is kept until it is stored", async () => {
  const kept: Promise<unknown>[] = [];
  const context = await makeContext({ fetch: network(), waitUntil: (work) => void kept.push(work) });
  const request = await parked(context);
  const held = context.store.hold("connect");
  const left = completeAuthorization(context, request);
  await held.arrived;
  assertEquals(kept.length, 1);
  held.release();
  await Promise.all(kept);
  assertEquals((await context.store.row((await left).id)).status, "active");
  await context.clock.settle();
});

Deno.test("the time the exchange took is taken off the token's life", async () => {
  const clock = new FakeClock({ auto: true });
  const slow = async () => {
    await clock.sleep(9_000);
    return json(TOKENS);
  };
  const context = await makeContext({ clock, fetch: network([slow]) });
  const connection = await complete(context, await parked(context));
  // Nine seconds have passed since the epoch of the test, and nine were the exchange's.
  assertEquals(connection.access_expires_at, "2026-01-01T00:59:59+00:00");
});

Deno.test("no error of an authorization holds a token, a code or a secret", async () => {
  const answers = [...notFinal.map(([, answer]) => answer), tokens({ api_domain: "https://evil.example" })];
  for (const answer of answers) {
    const context = await setUp(network([answer]));
    const request = await parked(context);
    const error = await failing(complete(context, request));
    const text = `${error.stack} ${JSON.stringify(error)} ${Deno.inspect(error)}`;
    const secrets = [CODE, TOKENS.access_token, TOKENS.refresh_token, request.ticket, request.binding];
    for (const secret of [...secrets, context.client.client_secret]) {
      assert(!text.includes(secret), error.message);
    }
  }
});
