import { decodeJwt } from "jose";
import { CLIENT, factsOf } from "../../support/stand_in/facts.ts";
import { assertEquals, assertMatch, assertNotEquals, assertObjectMatch } from "../../support/assert.ts";
import { type Change, connected, scene, tokensOf, type Told } from "./stand_in_scene.ts";

/** The answer to a new authorization. */
async function answered(name: string, change?: Change): Promise<Record<string, unknown>> {
  const of = scene(factsOf(name));
  return bodyOf(await of.exchange(of.authorize(change)));
}

function bodyOf({ body }: Told): Record<string, unknown> {
  return body as Record<string, unknown>;
}

/** What only stands in this provider's answers, or never does. */
const SHAPES: Readonly<Record<string, readonly [Record<string, unknown>, readonly string[]]>> = {
  pipedrive: [{ scope: "base,contacts:read", api_domain: "https://acme.pipedrive.com" }, []],
  hubspot: [{ expires_in: 1800 }, ["scope"]],
  salesforce: [{ instance_url: "https://acme.my.salesforce.com" }, ["expires_in"]],
  zoho: [{ api_domain: "https://www.zohoapis.in", expires_in: 3600 }, []],
  google: [{ expires_in: 3600, scope: "openid email" }, []],
  slack: [{ ok: true, team: { id: "T9TK3CUKW" }, scope: "users:read,team:read", expires_in: 43_200 }, []],
  notion: [{ token_type: "bearer", owner: { user: { name: "Jane Doe" } } }, ["expires_in", "scope"]],
  github: [{ expires_in: 28_800, refresh_token_expires_in: 15_897_600, scope: "" }, []],
  xero: [{ expires_in: 1800, scope: "openid offline_access" }, []],
  quickbooks: [{ expires_in: 3600, x_refresh_token_expires_in: 8_640_000 }, ["scope"]],
  linkedin: [{ expires_in: 5_184_000, scope: "openid,profile" }, ["refresh_token"]],
  zendesk: [{ expires_in: 1800, refresh_token_expires_in: 2_592_000 }, []],
  airtable: [{ expires_in: 3600, refresh_expires_in: 5_184_000 }, []],
  atlassian: [{ expires_in: 3600, scope: "read:me offline_access" }, []],
};

for (const [name, [holds, never]] of Object.entries(SHAPES)) {
  Deno.test(`${name}: its token response has a shape of its own`, async () => {
    const body = await answered(name);
    assertObjectMatch(body, holds);
    assertEquals(never.filter((field) => field in body), []);
  });
}

Deno.test("access and refresh tokens are long, random, and full of what encoders break", async () => {
  const [first, second] = [await answered("xero"), await answered("xero")];
  for (const field of ["access_token", "refresh_token"]) {
    assertMatch(String(first[field]), /^\w+\+\/=[A-Za-z0-9+/]{44}$/);
    assertNotEquals(first[field], second[field]);
  }
});

const WITHOUT_REFRESH: readonly (readonly [string, Change])[] = [
  ["salesforce", { scope: "api" }],
  ["zoho", { access_type: null }],
  ["google", { access_type: null }],
  ["google", { access_type: "online" }],
  ["microsoft", { scope: "openid" }],
  ["xero", { scope: "openid" }],
  ["atlassian", { scope: "read:me" }],
];
for (const [name, change] of WITHOUT_REFRESH) {
  Deno.test(`${name}: no refresh token comes with ${JSON.stringify(change)}`, async () => {
    assertEquals("refresh_token" in await answered(name, change), false);
  });
}

for (const name of ["google", "zoho"]) {
  Deno.test(`${name}: who has allowed it before and is not asked again brings no refresh token`, async () => {
    const of = scene(factsOf(name));
    assertNotEquals((await connected(of, { prompt: null })).refresh_token, undefined);
    assertEquals((await connected(of, { prompt: null })).refresh_token, undefined);
    assertNotEquals((await connected(of)).refresh_token, undefined);
  });
}

Deno.test("hubspot: the older token address works until the day on which it ends", async () => {
  const of = scene(factsOf("hubspot"), Date.UTC(2027, 1, 16) - 60_000);
  const older = { url: "https://api.hubapi.com/oauth/v1/token" };
  const tokens = tokensOf(await of.exchange(of.authorize(), {}, older));
  tokensOf(await of.refresh(tokens, {}, older));
  of.time.ms += 60_000;
  assertEquals((await of.refresh(tokens, {}, older)).status, 400);
  assertEquals(of.refused(), "the address has moved");
  tokensOf(await of.refresh(tokens));
});

Deno.test("hubspot: introspection wants the client's credentials beside the token", async () => {
  const of = scene(factsOf("hubspot"));
  const { access_token } = await connected(of);
  const introspect = (form: Record<string, string>) =>
    of.stand_in.fetch("https://api.hubapi.com/oauth/2026-03/token/introspect", {
      method: "POST",
      headers: { authorization: `Bearer ${access_token}` },
      body: new URLSearchParams(form),
    });
  const alone = await introspect({ token: access_token });
  assertEquals([alone.status, await alone.json()], [401, { error: "invalid_client" }]);
  const known = await introspect({ token: access_token, ...CLIENT });
  assertObjectMatch(await known.json(), { active: true, hub_id: 62515, user_id: 34567 });
  const unknown = await introspect({ token: "another", ...CLIENT });
  assertEquals(await unknown.json(), { active: false });
});

Deno.test("zoho: a code is worth something at the server from the redirect alone", async () => {
  const of = scene(factsOf("zoho"));
  const redirect = of.authorize();
  assertEquals(redirect.searchParams.get("accounts-server"), "https://accounts.zoho.in");
  assertEquals(redirect.searchParams.get("location"), "in");
  const began = await of.exchange(redirect, {}, { url: "https://accounts.zoho.eu/oauth/v2/token" });
  assertEquals([began.status, began.body], [200, { error: "invalid_code" }]);
  tokensOf(await of.exchange(redirect));
});

Deno.test("zoho: wherever a user begins, the redirect names the server at home", () => {
  const of = scene(factsOf("zoho"));
  for (const origin of ["https://accounts.zoho.com", "https://accounts.zohocloud.ca"]) {
    const asked = of.authorizationUrl().replace("https://accounts.zoho.eu", origin);
    const redirect = of.stand_in.authorize(asked);
    assertEquals(redirect.searchParams.get("accounts-server"), "https://accounts.zoho.in");
  }
});

Deno.test("zoho: its API takes its own prefix and no bearer", async () => {
  const of = scene(factsOf("zoho"));
  const { access_token } = await connected(of);
  const bearer = await of.ask(access_token, undefined, { authorization: `Bearer ${access_token}` });
  assertEquals([bearer.status, bodyOf(bearer).code], [401, "INVALID_TOKEN"]);
});

Deno.test("zoho: an eleventh token in ten minutes is refused, and a 21st grant ends the oldest", async () => {
  const of = scene(factsOf("zoho"));
  for (let grants = 1; grants <= 20; grants += 1) {
    await connected(of);
    if (grants % 10 !== 0) continue;
    const eleventh = await of.exchange(of.authorize());
    assertEquals([eleventh.status, of.refused()], [400, "too many access tokens"]);
    of.time.ms += 600_000;
  }
  assertEquals(of.stand_in.alive().refresh_tokens, 20);
  await connected(of);
  assertEquals(of.stand_in.alive().refresh_tokens, 20);
});

Deno.test("microsoft: lifetimes differ between 60 and 90 minutes", async () => {
  const of = scene(factsOf("microsoft"));
  const lives: number[] = [];
  for (let nth = 0; nth < 5; nth += 1) {
    const { expires_in } = bodyOf(await of.exchange(of.authorize()));
    lives.push(Number(expires_in));
  }
  assertEquals(lives.filter((seconds) => seconds < 3600 || seconds > 5400), []);
  assertEquals(new Set(lives).size, 5);
});

const ID_TOKENS = [
  ["microsoft", "offline_access", /^https:\/\/login\.microsoftonline\.com\/[0-9a-f-]{36}\/v2\.0$/],
  ["xero", "offline_access", /^https:\/\/identity\.xero\.com$/],
  ["google", "email", /^https:\/\/accounts\.google\.com$/],
] as const;
for (const [name, scope, issuer] of ID_TOKENS) {
  Deno.test(`${name}: an ID token comes with openid alone, for our client, and lives an hour`, async () => {
    assertEquals("id_token" in await answered(name, { scope }), false);
    const begins_at = Date.UTC(2026, 10, 26);
    const of = scene(factsOf(name), begins_at);
    const { aud, exp, iss = "" } = decodeJwt(String(bodyOf(await of.exchange(of.authorize())).id_token));
    assertEquals([aud, exp], [CLIENT.client_id, begins_at / 1000 + 3600]);
    assertMatch(iss, issuer);
  });
}
