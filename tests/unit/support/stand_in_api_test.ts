import { CLIENT, factsOf } from "../../support/stand_in/facts.ts";
import type { Failure } from "../../support/stand_in/stand_in.ts";
import { assertEquals, assertObjectMatch, assertRejects } from "../../support/assert.ts";
import { type Change, connected, scene, tokensOf, VERIFIER } from "./stand_in_scene.ts";

/** What an API asks for beside the token, and its refusal without. */
const HEADERS = [
  ["notion", "notion-version", "latest", 400],
  ["xero", "xero-tenant-id", "00000000-0000-0000-0000-000000000000", 403],
  ["linkedin", "linkedin-version", "newest", 400],
] as const;
for (const [name, header, wrong, status] of HEADERS) {
  Deno.test(`${name}: a resource is not had without the right ${header}`, async () => {
    const of = scene(factsOf(name));
    const { access_token } = await connected(of);
    assertEquals((await of.ask(access_token, undefined, { [header]: wrong })).status, status);
    assertEquals(of.refused(), `the header "${header}" is missing or wrong`);
  });
}

const TOO_LITTLE: readonly (readonly [string, Change, string])[] = [
  ["google", { scope: "email" }, "openid"],
  ["linkedin", { scope: "openid" }, "profile"],
];
for (const [name, change, lacking] of TOO_LITTLE) {
  Deno.test(`${name}: nobody is told whose a token is without the scope "${lacking}"`, async () => {
    const of = scene(factsOf(name));
    const { access_token } = await connected(of, change);
    const [account] = of.facts.api.accounts;
    assertEquals((await of.ask(access_token, account?.url)).status, 403);
    assertEquals(of.refused(), `the scope "${lacking}" was not allowed`);
  });
}

/** Of accounts, what makes their keys. */
const ACCOUNTS: Readonly<Record<string, Record<string, unknown>>> = {
  pipedrive: { data: { company_id: 54235233, id: 8 } },
  salesforce: { organization_id: "00Dx0000000BV7zEAG", user_id: "005x00000012Q9PAAU" },
  google: { sub: "110169484474386276334", email: "jane@acme.example" },
  microsoft: { id: "00000000-0000-0000-66f3-3332eca7ea81" },
  slack: { ok: true, team_id: "T9TK3CUKW", user_id: "U0KRQLJ9H" },
  github: { id: 583231 },
  quickbooks: { CompanyInfo: { CompanyName: "Acme" } },
  linkedin: { sub: "782bbtaQ" },
  zendesk: { user: { id: 35436 } },
  airtable: { id: "usrL2PNC5o3H4lBEi" },
};
for (const [name, holds] of Object.entries(ACCOUNTS)) {
  Deno.test(`${name}: its account request says whose a token is`, async () => {
    const of = scene(factsOf(name));
    const { access_token } = await connected(of);
    const account = of.facts.api.accounts.find(({ method }) => method === "GET");
    assertObjectMatch((await of.ask(access_token, account?.url)).body as object, holds);
  });
}

for (const [name, id] of [["xero", "tenantId"], ["atlassian", "id"]] as const) {
  Deno.test(`${name}: one grant speaks for several`, async () => {
    const of = scene(factsOf(name));
    const { access_token } = await connected(of);
    const { body } = await of.ask(access_token, of.facts.api.accounts[0]?.url);
    assertEquals(new Set((body as Record<string, unknown>[]).map((own) => own[id])).size, 2);
  });
}

Deno.test("a token that its time has ended is refused, and so is one in another form", async () => {
  const of = scene(factsOf("salesforce"));
  const { access_token } = await connected(of);
  assertEquals((await of.ask(access_token, undefined, { authorization: access_token })).status, 401);
  of.time.ms += 7_200_000 - 1;
  assertEquals((await of.ask(access_token)).status, 200);
  of.time.ms += 1;
  const { status, body } = await of.ask(access_token);
  assertEquals([status, (body as { errorCode: string }[])[0]?.errorCode], [401, "INVALID_SESSION_ID"]);
});

Deno.test("quickbooks: the realm comes with the redirect, and nothing is served of another one", async () => {
  const of = scene(factsOf("quickbooks"));
  const redirect = of.authorize();
  const realm = redirect.searchParams.get("realmId");
  const { access_token } = tokensOf(await of.exchange(redirect));
  const company = (id: string | null) => `https://quickbooks.api.intuit.com/v3/company/${id}/thing`;
  assertEquals((await of.ask(access_token, company(realm))).status, 200);
  assertEquals((await of.ask(access_token, company("1"))).status, 404);
});

Deno.test("google: the redirect names its issuer", () => {
  assertEquals(scene(factsOf("google")).authorize().searchParams.get("iss"), "https://accounts.google.com");
});

Deno.test("slack: a user's own token is nested, and refreshed where it stands", async () => {
  const of = scene(factsOf("slack"));
  const asked = of.authorize({ scope: null, user_scope: "users:read" });
  const first = (await of.exchange(asked)).body as Record<string, Record<string, string>>;
  assertEquals("access_token" in first, false);
  assertObjectMatch(first, { authed_user: { id: "U0KRQLJ9H", token_type: "user", scope: "users:read" } });
  const access_token = first.authed_user?.access_token ?? "";
  const refresh_token = first.authed_user?.refresh_token;
  assertEquals((await of.ask(access_token)).status, 200);
  const { body } = await of.refresh({ access_token, refresh_token });
  assertObjectMatch(body as object, { ok: true, authed_user: { token_type: "user", expires_in: 43_200 } });
});

Deno.test("notion: redirect_uri is in the exchange if it was in the request, and else is not", async () => {
  const of = scene(factsOf("notion"));
  const without = () => of.authorize({ redirect_uri: null });
  tokensOf(await of.exchange(without(), { redirect_uri: null }));
  assertEquals((await of.exchange(without())).status, 400);
});

Deno.test("github: who does not accept JSON is answered with a form", async () => {
  const of = scene(factsOf("github"));
  const { body, headers } = await of.exchange(of.authorize(), {}, { accept: "*/*" });
  assertEquals(headers.get("content-type")?.split(";")[0], "application/x-www-form-urlencoded");
  const form = new URLSearchParams(String(body));
  assertEquals([form.get("token_type"), form.get("expires_in")], ["bearer", "28800"]);
});

Deno.test("zendesk: who asks for no expiry gets an endless token, and none to refresh with", async () => {
  const of = scene(factsOf("zendesk"));
  const { body } = await of.exchange(of.authorize(), { expires_in: null });
  assertEquals(["expires_in", "refresh_token"].filter((field) => field in (body as object)), []);
  const asked = { expires_in: "600", refresh_token_expires_in: "86400" };
  const told = await of.exchange(of.authorize(), asked);
  assertObjectMatch(told.body as object, { expires_in: 600, refresh_token_expires_in: 86_400 });
  const refreshed = await of.refresh(tokensOf(told), { expires_in: null });
  assertEquals("refresh_token" in (refreshed.body as object), false);
  assertEquals(of.stand_in.alive().refresh_tokens, 0);
});

Deno.test("a verifier without a challenge is refused, and so is a scope that was not allowed", async () => {
  const of = scene(factsOf("hubspot"));
  const without = { code_challenge: null, code_challenge_method: null };
  const { status, body } = await of.exchange(of.authorize(without), { code_verifier: VERIFIER });
  assertEquals([status, body], [400, { error: "invalid_grant" }]);
  const beyond = await of.refresh(await connected(of), { scope: "oauth crm.schemas.read" });
  assertEquals([beyond.status, beyond.body], [400, { error: "invalid_scope" }]);
  tokensOf(await of.exchange(of.authorize(without), { code_verifier: null }));
});

Deno.test("what is told to fail fails once, with nothing done unless only the answer is lost", async () => {
  const failing = async (failure: Failure) => {
    const of = scene(factsOf("airtable"));
    const tokens = await connected(of);
    of.stand_in.failNext("token", failure);
    const send = () => of.refresh(tokens);
    const told = failure === 503 ? (await send()).status : await failed(send);
    return [told, (await of.refresh(tokens)).status];
  };
  assertEquals(await failing(503), [503, 200]);
  assertEquals(await failing("unreachable"), ["client error (Connect): connection refused", 200]);
  assertEquals(await failing("lost"), ["connection closed before message completed", 400]);
});

async function failed(send: () => Promise<unknown>): Promise<string> {
  return (await assertRejects(send, TypeError)).message;
}

Deno.test("no entry of the journal holds a token, a code or a secret", async () => {
  const of = scene(factsOf("slack"));
  const { access_token, refresh_token = "" } = await connected(of);
  await of.refresh({ access_token, refresh_token });
  await of.ask("another token");
  const written = JSON.stringify(of.stand_in.journal);
  const secrets = [access_token, refresh_token, CLIENT.client_secret, "another token"];
  assertEquals(secrets.filter((secret) => written.includes(secret)), []);
  const { length } = of.stand_in.journal;
  assertEquals(length, 4);
});
