/**
 * What of an authorization neither SQL (`supabase/tests/04_…`) nor HTTP (`tests/functions/oauth_callback_test.ts`)
 * shows: what is stored of a secret, how long is waited and how often asked, what a stumbling database costs.
 */
import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import {
  completeAuthorization,
  type CompleteRequest,
} from "../../../supabase/functions/_shared/connect/complete.ts";
import { connectionId } from "../../../supabase/functions/_shared/connect/connection_id.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { digest } from "../../../supabase/functions/_shared/keep/seal.ts";
import type { Provider } from "../../../supabase/functions/_shared/oauth/client.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { makeContext, type TestContext } from "../../support/context.ts";
import { EPOCH } from "../../support/database_time.ts";
import { json, respondWith, type SentRequest } from "../../support/fake_fetch.ts";
import { madeUp } from "../../support/made_up_provider.ts";
import { KEYS, makeClient, makeKeyring } from "../../support/make.ts";
import { JONAS, MARI } from "../../support/store.ts";
import { refusal } from "../../support/token_endpoint.ts";

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

type Answerer = (request: SentRequest) => Response | Promise<Response>;
const tokens = () => json(TOKENS);
const me = () => json(ME);
const silence = () => new Promise<Response>(() => {});

/** A provider that answers each token request, then each question for the account, by a script whose last entry stays. */
function network(token: Answerer[] = [tokens], account: Answerer[] = [me]) {
  const next = (script: Answerer[]) => script.length > 1 ? script.shift() : script[0];
  return respondWith((request) => {
    const answer = next(new URL(request.url).pathname.endsWith("/token") ? token : account);
    if (!answer) throw new Error(`no request was expected: ${request.url}`);
    return answer(request);
  });
}

/** What every story needs: a context whose requests can be looked at. */
async function setUp(fetch = network(), provider: Provider = pipedrive) {
  return { ...await makeContext({ fetch, provider }), requests: fetch.requests };
}

async function begin(context: TestContext, user_id = MARI) {
  const begun = await beginAuthorization(context, { user_id, return_to: RETURN_TO });
  const state = new URL(begun.authorization_url).searchParams.get("state") ?? "";
  return { ...begun, state, id: await digest(state) };
}

function receive(context: TestContext, state: string, extra: Record<string, string> = {}) {
  return receiveAuthorizationResponse(context, new URLSearchParams({ code: CODE, state, ...extra }));
}

async function parked(context: TestContext, user_id = MARI, extra: Record<string, string> = {}) {
  const begun = await begin(context, user_id);
  const received = await receive(context, begun.state, extra);
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

Deno.test("of state, binding, ticket, code and code verifier nothing is stored but hashes and seals", async () => {
  const context = await setUp(network(), { ...pipedrive, code_challenge_methods_supported: ["S256"] });
  const request = await parked(context);
  const row = JSON.stringify(await context.store.authorization(request.id));
  const { state, binding, ticket, authorization_url } = request;
  for (const secret of [state, binding, ticket]) {
    assertMatch(secret, /^[\w-]{43}$/);
    assert(!row.includes(secret) && row.includes(await digest(secret)));
  }
  await complete(context, request);
  const verifier = new URLSearchParams(context.requests[0]?.body).get("code_verifier") ?? "";
  assertEquals(new URL(authorization_url).searchParams.get("code_challenge"), await digest(verifier));
  for (const secret of [CODE, verifier]) assert(!row.includes(secret) && !authorization_url.includes(secret));
});

Deno.test("a state and a ticket count at their own provider alone, and a wrong issuer leaves the state as it is", async () => {
  const context = await setUp(network(), madeUp);
  const iss = madeUp.issuer ?? "";
  const elsewhere = { ...context, client: makeClient({ provider: { ...madeUp, name: "acme" } }) };
  const { state } = await begin(context);
  assertEquals(await receive(context, state), { outcome: "invalid" });
  assertEquals(await receive(context, state, { iss: "https://evil.example" }), { outcome: "invalid" });
  assertEquals(await receive(elsewhere, state, { iss }), { outcome: "invalid" });
  assertEquals((await receive(context, state, { iss })).outcome, "parked");

  const error = await failing(complete(elsewhere, await parked(context, MARI, { iss })));
  assertEquals([error.code, context.requests.length], ["AUTHORIZATION_REQUEST_INVALID", 0]);
});

Deno.test("the token request repeats the redirect URI that was sent, whatever is configured by then", async () => {
  const context = await setUp();
  const request = await parked(context);
  const moved = { ...context, client: makeClient({ redirect_uri: "https://moved.example/pipedrive" }) };
  await complete(moved, request);
  const sent = new URL(request.authorization_url).searchParams.get("redirect_uri");
  assertEquals(new URLSearchParams(context.requests[0]?.body).get("redirect_uri"), sent);
});

Deno.test("an authorization expires ten minutes after it began", async () => {
  const { expires_at } = await begin(await setUp());
  assertEquals(Date.parse(expires_at) - EPOCH, 600_000);
});

Deno.test("completing seals the tokens, with the address they are for, for this connection alone", async () => {
  const context = await setUp();
  const { id } = await complete(context, await parked(context));
  assertEquals(id, await connectionId("pipedrive", "7100201:11", MARI));
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

Deno.test("a connection's id depends on provider, account and user alone, and is a UUID of version 8", async () => {
  const id = await connectionId("pipedrive", "1:23", MARI);
  assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assertEquals(await connectionId("pipedrive", "1:23", MARI), id);
  const others = [["pipedrive", "12:3", MARI], ["pipedrive1", ":23", MARI], ["pipedrive", "1:23", JONAS]];
  for (const [provider = "", key = "", user = ""] of others) {
    assertNotEquals(await connectionId(provider, key, user), id);
  }
});

const unanswered: [string, Answerer, number][] = [
  ["cannot be reached", () => Promise.reject(new TypeError("client error (Connect)")), 0],
  ["never answers", silence, 20_000],
];
for (const [what, answer, waited] of unanswered) {
  Deno.test(`a token endpoint that ${what} is given up after ${waited} ms, and the same ticket may be tried again`, async () => {
    const context = await setUp(network([answer, tokens]));
    const request = await parked(context);
    assertEquals((await failing(complete(context, request))).code, "PROVIDER_UNAVAILABLE");
    assertEquals(context.clock.now(), waited);
    assertEquals((await complete(context, request)).status, "active");
  });
}

Deno.test("a token endpoint that names its wait has it passed on", async () => {
  const busy = () => new Response("", { status: 503, headers: { "retry-after": "7" } });
  const context = await setUp(network([busy]));
  const error = await failing(complete(context, await parked(context)));
  assertEquals(error.details.retry_after, 7);
});

Deno.test("a code that does not open is the operator's fault: nothing goes out, and the ticket waits for the key", async () => {
  const context = await setUp();
  const request = await parked(context);
  const keyless = { ...context, keyring: await makeKeyring(KEYS.split(",")[1]) };
  const error = await failing(complete(keyless, request));
  assertEquals([error.code, context.requests.length], ["CONFIGURATION_INVALID", 0]);
  assertEquals((await complete(context, request)).status, "active");
});

const status = (code: number, headers: HeadersInit = {}) => () => new Response("", { status: code, headers });
const page = () => new Response("<html>", { status: 403, headers: { "content-type": "text/html" } });
const nobody = () => json({ success: true, data: { id: 11 } });
const accountTroubles: [string, Answerer, string, number][] = [
  ["answers 500", status(500), "PROVIDER_UNAVAILABLE", 4],
  ["answers 429", status(429), "PROVIDER_RATE_LIMITED", 4],
  ["asks for two minutes", status(429, { "retry-after": "120" }), "PROVIDER_RATE_LIMITED", 1],
  ["never answers", silence, "PROVIDER_UNAVAILABLE", 3],
  ["answers 403", () => json({ success: false }, 403), "PROVIDER_FORBIDDEN", 1],
  ["answers a block page", page, "PROVIDER_UNAVAILABLE", 1],
  ["names no company", nobody, "PROVIDER_RESPONSE_INVALID", 1],
];
for (const [what, answer, code, times] of accountTroubles) {
  Deno.test(`an API that ${what} is ${code}, asked ${times === 1 ? "once" : `${times} times`} in 21 s at most`, async () => {
    const context = await setUp(network([tokens], [answer]));
    assertEquals((await failing(complete(context, await parked(context)))).code, code);
    assertEquals(context.requests.filter(({ url }) => url.endsWith("/users/me")).length, times);
    assert(!context.store.calls.includes("connect"));
    assert(context.clock.now() <= 21_000, `${context.clock.now()} ms`);
  });
}

Deno.test("an API that limits us without a word is left alone for two seconds", async () => {
  const context = await setUp(network([tokens], [status(429), me]));
  assertEquals((await complete(context, await parked(context))).status, "active");
  assertEquals(context.clock.now(), 2_000);
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
  const slow = () => clock.sleep(9_000).then(tokens);
  const context = await makeContext({ clock, fetch: network([slow]) });
  const { id } = await complete(context, await parked(context));
  assertEquals([clock.now(), (await context.store.row(id)).access_expires_at], [9_000, 3_599_000]);
});

Deno.test("no error of an authorization holds a token, a code or a secret", async () => {
  const refused = () => refusal("invalid_client", 401);
  for (
    const answer of [
      refused,
      () => json({ ...TOKENS, api_domain: "https://evil.example" }),
      page,
      silence,
    ]
  ) {
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
