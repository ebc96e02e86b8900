import { FACTS, factsOf, linkedinPartner } from "../../support/stand_in/facts.ts";
import { assertEquals, assertNotEquals, assertObjectMatch, assertRejects } from "../../support/assert.ts";
import { connected, type Scene, scene, type Tokens, tokensOf } from "./stand_in_scene.ts";

const DAY_MS = 86_400_000;
const NOTHING = { access_tokens: 0, refresh_tokens: 0 };

async function assertOver(of: Scene, tokens: Tokens): Promise<void> {
  const [over] = of.facts.token.over;
  const { status, body } = await of.refresh(tokens);
  assertEquals([status, body], [over?.status, over?.body]);
}

async function assertDead(of: Scene, { access_token }: Tokens): Promise<void> {
  const [dead] = of.facts.api.dead;
  const { status, body } = await of.ask(access_token);
  assertEquals([status, body], [dead?.status, dead?.body]);
}

async function refreshed(of: Scene, tokens: Tokens): Promise<Tokens> {
  return tokensOf(await of.refresh(tokens));
}

for (const facts of FACTS.values()) {
  Deno.test(`${facts.name}: a code that comes again ends what it was exchanged for`, async () => {
    const of = scene(facts);
    const redirect = of.authorize();
    const tokens = tokensOf(await of.exchange(redirect));
    const { status, body } = await of.exchange(redirect);
    const { invalid_code } = facts.token.refused;
    assertEquals([status, body], [invalid_code.status, invalid_code.body]);
    assertEquals(of.stand_in.alive(), NOTHING);
    await assertDead(of, tokens);
  });
}

for (const name of ["pipedrive", "salesforce", "slack", "notion", "github", "zendesk", "airtable"]) {
  Deno.test(`${name}: a refresh token works once, and presented again ends everything`, async () => {
    const of = scene(factsOf(name));
    const first = await connected(of);
    const second = await refreshed(of, first);
    assertNotEquals(second.refresh_token, first.refresh_token);
    assertEquals(of.stand_in.alive().refresh_tokens, 1);
    await assertOver(of, first);
    await assertDead(of, second);
    assertEquals(of.stand_in.alive(), NOTHING);
  });
}

for (const name of ["github", "zendesk", "airtable"]) {
  Deno.test(`${name}: a refresh ends the earlier access token`, async () => {
    const of = scene(factsOf(name));
    const first = await connected(of);
    await refreshed(of, first);
    await assertDead(of, first);
    assertEquals(of.stand_in.alive().access_tokens, 1);
  });
}

for (const [name, grace_ms] of [["xero", 1_800_000], ["atlassian", 600_000]] as const) {
  Deno.test(`${name}: a spent refresh token works for a while, if the answer was lost`, async () => {
    const of = scene(factsOf(name));
    const first = await connected(of);
    of.stand_in.failNext("token", "lost");
    await assertRejects(() => of.refresh(first), TypeError, "connection closed");
    of.time.ms += grace_ms - 1;
    const second = await refreshed(of, first);
    assertEquals(of.stand_in.alive().refresh_tokens, 1);
    await refreshed(of, second);
    await assertOver(of, first);
    assertEquals(of.stand_in.alive(), NOTHING);
  });

  Deno.test(`${name}: after that while it ends everything`, async () => {
    const of = scene(factsOf(name));
    const first = await connected(of);
    await refreshed(of, first);
    of.time.ms += grace_ms;
    await assertOver(of, first);
    assertEquals(of.stand_in.alive(), NOTHING);
  });
}

for (const facts of [factsOf("zoho"), factsOf("google")]) {
  Deno.test(`${facts.name}: a refresh brings no refresh token, and the first one goes on`, async () => {
    const of = scene(facts);
    const first = await connected(of);
    const { refresh_token } = await refreshed(of, first);
    assertEquals(refresh_token, undefined);
    await refreshed(of, first);
    assertEquals(of.stand_in.alive(), { access_tokens: 3, refresh_tokens: 1 });
  });
}

Deno.test("hubspot: every refresh brings the same refresh token", async () => {
  const of = scene(factsOf("hubspot"));
  const first = await connected(of);
  assertEquals((await refreshed(of, first)).refresh_token, first.refresh_token);
});

Deno.test("microsoft: a refresh brings another refresh token and ends none", async () => {
  const of = scene(factsOf("microsoft"));
  const first = await connected(of);
  const second = await refreshed(of, first);
  assertNotEquals(second.refresh_token, first.refresh_token);
  await refreshed(of, first);
  await refreshed(of, second);
  assertEquals(of.stand_in.alive().refresh_tokens, 4);
  of.time.ms += 90 * DAY_MS;
  await assertOver(of, first);
});

Deno.test("quickbooks: the refresh token changes daily, and the earlier one lives a day more", async () => {
  const of = scene(factsOf("quickbooks"));
  const first = await connected(of);
  assertEquals((await refreshed(of, first)).refresh_token, first.refresh_token);
  of.time.ms += DAY_MS;
  const second = await refreshed(of, first);
  assertNotEquals(second.refresh_token, first.refresh_token);
  of.time.ms += DAY_MS - 1;
  assertEquals((await refreshed(of, first)).refresh_token, second.refresh_token);
  of.time.ms += 1;
  await assertOver(of, first);
});

Deno.test("quickbooks: a refresh token dies unused, and after five years whatever was done", async () => {
  const unused = scene(factsOf("quickbooks"));
  const tokens = await connected(unused);
  unused.time.ms += 100 * DAY_MS;
  await assertOver(unused, tokens);
  const used = scene(factsOf("quickbooks"));
  let latest = await connected(used);
  for (let days = 0; days + 99 < 5 * 365; days += 99) {
    used.time.ms += 99 * DAY_MS;
    latest = await refreshed(used, latest);
  }
  assertObjectMatch((await used.refresh(latest)).body as object, { x_refresh_token_expires_in: 43 * 86_400 });
  used.time.ms += 43 * DAY_MS;
  await assertOver(used, latest);
});

Deno.test("linkedin: partners keep one refresh token, whose end stays where it was", async () => {
  const of = scene(linkedinPartner);
  const first = await connected(of);
  of.time.ms += 300 * DAY_MS;
  const { body } = await of.refresh(first);
  const { refresh_token } = first;
  assertObjectMatch(body as object, { refresh_token, refresh_token_expires_in: 65 * 86_400 });
  of.time.ms += 65 * DAY_MS;
  await assertOver(of, first);
});
