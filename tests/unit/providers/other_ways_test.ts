/**
 * What a provider's clients meet beside the life that each definition is shown to have: no refresh token, a forged
 * realm, several organisations, a gateway's own signals.
 */
import { atlassian } from "../../../supabase/functions/_shared/providers/atlassian.ts";
import { github } from "../../../supabase/functions/_shared/providers/github.ts";
import { linkedin } from "../../../supabase/functions/_shared/providers/linkedin.ts";
import { quickbooks } from "../../../supabase/functions/_shared/providers/quickbooks.ts";
import { xero } from "../../../supabase/functions/_shared/providers/xero.ts";
import { zendesk } from "../../../supabase/functions/_shared/providers/zendesk.ts";
import { revokePending } from "../../../supabase/functions/_shared/refresh/revoke.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { type Facts, factsOf } from "../../support/stand_in/facts.ts";
import { codeOf, disconnected, nothingElsewhere, scene } from "./other_ways_scene.ts";

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;
/** Longer than any token is too young to be refreshed because it was refused. */
const GROWN_MS = 10_000;

const VERSION = { "linkedin-version": "202610" };

/** A GitHub App whose tokens do not expire. */
const endless: Facts = {
  ...factsOf("github"),
  authorization: { ...factsOf("github").authorization, offline: () => false },
  life: { ...factsOf("github").life, lifetimes: () => ({ access: Infinity, refresh: Infinity }) },
};

const WITHOUT = [
  { provider: linkedin, facts: factsOf("linkedin"), headers: VERSION, days: 59 },
  { provider: github, facts: endless, headers: undefined, days: 400 },
] as const;

for (const { provider, facts, headers, days } of WITHOUT) {
  Deno.test(`${provider.name}: without a refresh token one token serves for ${days} days`, async () => {
    const of = await scene(provider, facts);
    const { id } = await of.connect();
    of.context.clock.pause(days * DAY_MS);
    assertEquals((await of.call(id, headers)).status, 200);
    assertEquals([of.count("token", "authorization_code"), of.count("token", "refresh_token")], [1, 0]);
    await disconnected(of, id);
    assertEquals([of.server.alive().access_tokens, await of.context.store.revocations()], [0, []]);
    nothingElsewhere(of);
  });

  Deno.test(`${provider.name}: without a refresh token it is over once the account request is refused too`, async () => {
    const of = await scene(provider, facts);
    const { id } = await of.connect();
    of.context.clock.pause(GROWN_MS);
    of.server.failNext("api", 401);
    assertEquals(await codeOf(of.call(id, headers)), "PROVIDER_UNAVAILABLE");
    assertEquals((await of.context.store.row(id)).status, "active", "one path of the API was at fault");
    of.context.clock.pause(DAY_MS);
    assertEquals((await of.call(id, headers)).status, 200);

    of.server.endAccessTokens();
    const before = of.count("account");
    assertEquals(await codeOf(of.call(id, headers)), "REAUTHORIZATION_REQUIRED");
    assertEquals([of.count("account") - before, of.count("token", "refresh_token")], [2, 0]);
    assertEquals((await of.connect()).id, id, "in place");
    assertEquals((await of.call(id, headers)).status, 200);
    nothingElsewhere(of);
  });
}

Deno.test("linkedin: without a refresh token it is over at its end, and nobody is asked", async () => {
  const of = await scene(linkedin, factsOf("linkedin"));
  const { id } = await of.connect();
  of.context.clock.pause(60 * DAY_MS);
  const before = of.server.journal.length;
  assertEquals(await codeOf(of.call(id, VERSION)), "REAUTHORIZATION_REQUIRED");
  assertEquals(of.server.journal.length, before);
});

Deno.test("zendesk: an older client has an end and a refresh token, since both are asked for", async () => {
  const of = await scene(zendesk, factsOf("zendesk"));
  const { id } = await of.connect();
  const { access_expires_at } = await of.context.store.row(id);
  assertEquals((access_expires_at ?? 0) - of.context.clock.now(), HOUR_MS / 2);
  for (let refreshes = 1; refreshes < 4; refreshes += 1) {
    of.context.clock.pause(HOUR_MS / 2);
    assertEquals((await of.call(id)).status, 200);
    assertEquals(of.count("token", "refresh_token"), refreshes);
  }
});

Deno.test("zendesk: a scope too small to revoke keeps no connection alive, and is tried again", async () => {
  const of = await scene(zendesk, factsOf("zendesk"));
  const { id } = await of.connect();
  of.server.failNext("revoke", 403);
  await disconnected(of, id);
  assertEquals((await of.context.store.revocations()).length, 1);
  assertEquals(await codeOf(of.call(id)), "CONNECTION_NOT_FOUND");
  of.context.clock.pause(DAY_MS);
  assertEquals(await revokePending(of.context), { revoked: 1, abandoned: 0 });
});

const REALM = "9341452093219999";
const COMPANY = `https://quickbooks.api.intuit.com/v3/company/${REALM}/companyinfo/${REALM}`;
const FAULT = {
  Fault: { Error: [{ Message: "Authorization Failure", code: "120" }], type: "AuthorizationFault" },
};
const FORGED: Readonly<Record<string, number | typeof FAULT>> = {
  "401": 401,
  "403": 403,
  "200 and a fault": FAULT,
};

for (const [how, answer] of Object.entries(FORGED)) {
  Deno.test(`quickbooks: another's realm in the redirect, refused by ${how}, connects nothing`, async () => {
    const facts = factsOf("quickbooks");
    const other = { method: "GET", url: COMPANY, answer: () => answer } as const;
    const accounts = [...facts.api.accounts, other];
    const of = await scene(quickbooks, { ...facts, api: { ...facts.api, accounts } });
    for (let times = 0; typeof answer === "number" && times < 9; times += 1) {
      of.server.failNext("account", answer);
    }
    const code = await codeOf(of.connect({ realmId: REALM }));
    assert(/^PROVIDER_(UNAVAILABLE|FORBIDDEN|RESPONSE_INVALID)$/.test(code), code);
    assertEquals((await of.context.store.events()).length, 0);
    nothingElsewhere(of);
  });
}

Deno.test("xero: the connection is its user's, and a caller names one of the organisations", async () => {
  const facts = factsOf("xero");
  const of = await scene(xero, facts);
  const { id, account } = await of.connect();
  assertEquals(account.id, "db0f83473ed8529fbc5a2f3b5ad6ec49");
  const [connections] = facts.api.accounts;
  const tenants = connections?.answer([]) as { readonly tenantId: string }[];
  assertEquals(tenants.length, 2);
  for (const { tenantId } of tenants) {
    assertEquals((await of.call(id, { "xero-tenant-id": tenantId })).status, 200);
  }
  for (const headers of [undefined, { "xero-tenant-id": crypto.randomUUID() }]) {
    assertEquals((await of.call(id, headers)).status, 403, "passed on: it says nothing of the token");
  }
  assertEquals(of.count("token", "refresh_token"), 0);
});

Deno.test("xero: an ID token of another client names nobody", async () => {
  const facts = factsOf("xero");
  const answer: Facts["token"]["answer"] = (issued) => {
    const { id_token, ...rest } = facts.token.answer(issued) as { readonly id_token: string };
    const [head = "", payload = "", tail = ""] = id_token.split(".");
    const claims = { ...JSON.parse(atob(payload)), aud: "another" };
    return { ...rest, id_token: [head, btoa(JSON.stringify(claims)).replaceAll("=", ""), tail].join(".") };
  };
  const of = await scene(xero, { ...facts, token: { ...facts.token, answer } });
  assertEquals(await codeOf(of.connect()), "PROVIDER_RESPONSE_INVALID");
});

Deno.test("atlassian: the gateway's 403 and 404 pass, and a token is known to be over by its end", async () => {
  const of = await scene(atlassian, factsOf("atlassian"));
  const { id } = await of.connect();
  for (const [at, status] of [[1, 403], [2, 404]] as const) {
    of.context.clock.pause(GROWN_MS);
    of.server.endAccessTokens(at);
    assertEquals((await of.call(id)).status, status);
    assertEquals(of.count("token", "refresh_token"), at - 1);
    of.context.clock.pause(HOUR_MS);
    assertEquals((await of.call(id)).status, 200);
  }
});

for (const [at, how] of ["403 and invalid_grant", "400 and invalid_grant"].entries()) {
  Deno.test(`atlassian: ${how} says that a grant is over`, async () => {
    const of = await scene(atlassian, factsOf("atlassian"));
    const { id } = await of.connect();
    of.server.endGrant(at);
    of.context.clock.pause(HOUR_MS);
    assertEquals(await codeOf(of.call(id)), "REAUTHORIZATION_REQUIRED");
  });
}

Deno.test("atlassian: unauthorized_client is our client's fault, and ends no connection", async () => {
  const of = await scene(atlassian, factsOf("atlassian"));
  const { id } = await of.connect();
  of.server.endGrant(2);
  of.context.clock.pause(HOUR_MS);
  assertEquals(await codeOf(of.call(id)), "CONFIGURATION_INVALID");
  assertEquals((await of.context.store.row(id)).status, "active");
});
