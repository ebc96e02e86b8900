/**
 * Each provider's definition through its whole life, beside a stand-in that is made of what is known of the provider and
 * refuses what it refuses. Read from the registry, so that none is forgotten; one of whom nothing is written down lives
 * beside a stand-in made of its own definition. The table of what each proved is printed, and says so.
 */
import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import { completeAuthorization } from "../../../supabase/functions/_shared/connect/complete.ts";
import { disconnectConnection } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import type { Connection } from "../../../supabase/functions/_shared/keep/store.ts";
import type { Provider } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { loadAll } from "../../../supabase/functions/_shared/providers/mod.ts";
import { callApi } from "../../../supabase/functions/_shared/use/call_api.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { makeContext, type TestContext } from "../../support/context.ts";
import { madeUp } from "../../support/made_up_provider.ts";
import { makeClient } from "../../support/make.ts";
import { CLIENT, FACTS, type Facts, linkedinPartner, redirectUri } from "../../support/stand_in/facts.ts";
import { fromDefinition } from "../../support/stand_in/from_definition.ts";
import { StandIn } from "../../support/stand_in/stand_in.ts";
import { MARI } from "../../support/store.ts";

const providers = await loadAll();
/** Longer than any token is too young to be refreshed because it was refused. */
const GROWN_MS = 10_000;
/** What callers of this provider have to choose. */
const CALLER_HEADERS: Readonly<Record<string, Record<string, string>>> = {
  linkedin: { "linkedin-version": "202610" },
  xero: { "xero-tenant-id": "45e4708e-d862-4111-ab3a-dd8cd03913e1" },
};

interface Life {
  readonly provider: Provider;
  readonly facts: Facts;
  readonly server: StandIn;
  readonly context: TestContext;
  /** What each step proved. */
  readonly proved: Record<string, string>;
}

async function begun(provider: Provider, facts: Facts, proved: Life["proved"]): Promise<Life> {
  const clock = new FakeClock({ auto: true });
  const server = new StandIn(facts, clock);
  const values = given(provider, facts, "deployment");
  const client = makeClient({ provider, ...CLIENT, values, redirect_uri: redirectUri(provider.name) });
  const context = await makeContext({ client, clock, fetch: server.fetch });
  await context.store.user(MARI);
  return { provider, facts, server, context, proved };
}

function given({ values }: Provider, facts: Facts, who: "user" | "deployment"): Record<string, string> {
  return Object.fromEntries(Object.entries(facts.values).filter(([name]) => values[name]?.from === who));
}

async function connectHere({ provider, facts, server, context }: Life): Promise<Connection> {
  const values = given(provider, facts, "user");
  const asked = { user_id: MARI, return_to: "https://app.example/", values };
  const { authorization_url, binding } = await beginAuthorization(context, asked);
  const back = server.authorize(authorization_url);
  const received = await receiveAuthorizationResponse(context, back.searchParams);
  assert(received.outcome === "parked", received.outcome);
  return await completeAuthorization(context, { user_id: MARI, ticket: received.ticket, binding });
}

async function call({ provider, facts, context }: Life, connection_id: string) {
  const base = new URL(facts.api.thing);
  const prefix = provider.api.base.replace(/^(\{[^}]*\}|https:\/\/[^/]*)/, "");
  const path = FACTS.has(provider.name) ? base.pathname.slice(prefix.length) : "/thing";
  const headers = CALLER_HEADERS[provider.name];
  const answer = await callApi(context, { connection_id, user_id: MARI, path, takes: "any", headers });
  return { ...answer, text: await new Response(answer.body).text() };
}

const requests = ({ server }: Life, endpoint: string, grant_type?: string) =>
  server.journal.filter((entry) => entry.endpoint === endpoint && entry.grant_type === grant_type).length;

async function isUsed(life: Life): Promise<string> {
  const { id, account, status } = await connectHere(life);
  assertEquals(status, "active");
  life.proved.account = account.id;
  assertEquals((await call(life, id)).status, 200);
  return id;
}

async function isRefreshed(life: Life, id: string): Promise<void> {
  const { server, context, provider, proved } = life;
  context.clock.pause(GROWN_MS);
  const { access_expires_at } = await context.store.row(id);
  if (access_expires_at === null) {
    proved["expires in"] = "never";
    server.endAccessTokens();
  } else {
    const ms = access_expires_at - context.clock.now();
    proved["expires in"] = `${Math.round((ms + GROWN_MS) / 1000)} s`;
    context.clock.pause(ms);
  }
  const before = requests(life, "token", "refresh_token");
  const again = await call(life, id);
  assertEquals([again.status, requests(life, "token", "refresh_token") - before], [200, 1]);
  proved.rotation = provider.rotation;
}

async function isRefused(life: Life, id: string): Promise<void> {
  const { server, facts, context, proved } = life;
  context.clock.pause(GROWN_MS);
  server.endAccessTokens();
  const { version } = await context.store.row(id);
  const mended = await call(life, id);
  assertEquals([mended.status, mended.version], [200, version + 1], "refused, refreshed, sent again");
  proved.refused = String(facts.api.dead[0]?.status);
}

async function isLimited(life: Life, id: string): Promise<void> {
  const { server, facts, proved } = life;
  const asked = requests(life, "api");
  server.limitNext();
  const limited = await call(life, id);
  const [limit] = facts.api.limits;
  const long = (limit?.wait ?? 0) > 20;
  assertEquals(limited.status, long ? limit?.status : 200, "waited for, or passed on where it is too long");
  proved.limited = `${limit?.status}, ${limit?.wait ?? "no"} s, ${requests(life, "api") - asked} asked`;
}

async function isOver(life: Life, id: string): Promise<void> {
  const { server, facts, context, provider, proved } = life;
  context.clock.pause(GROWN_MS);
  server.endGrant();
  const { access_expires_at: ends } = await context.store.row(id);
  if (ends !== null) await context.store.backdate(id, { access_expires_at: 1, refresh_after: 1 });
  const over = await assertRejects(() => call(life, id), PublicError);
  assertEquals(over.code, "REAUTHORIZATION_REQUIRED");
  const [signal] = provider.rotation === "none" ? facts.api.dead : facts.token.over;
  proved.over = String(signal?.status);

  context.clock.pause(120_000);
  assertEquals((await connectHere(life)).id, id, "in place");
  assertEquals((await call(life, id)).status, 200);
}

async function isRevoked(life: Life, id: string): Promise<void> {
  const { server, facts, context, provider, proved } = life;
  const { name, revocation } = provider;
  await disconnectConnection(context.store, { id, user_id: MARI, provider: name }, () => context);
  await context.background();
  assertEquals(requests(life, "revoke"), revocation ? 1 : 0);
  assertEquals(await context.store.revocations(), []);
  if (facts.revocations[0]?.ends.refresh === "grant") assertEquals(server.alive().refresh_tokens, 0);
  proved.revoked = revocation ? `${revocation.method}, ${revocation.auth}` : "none";

  const stray = server.journal.filter(({ endpoint }) => endpoint === "elsewhere" || endpoint === "other");
  assertEquals(stray, [], "nothing is sent elsewhere");
}

/** What each proved. */
const table: Record<string, Record<string, string>> = {};

/** Facts that somebody wrote down. */
function writtenDown(name: string): Facts | undefined {
  // Only its partners have refresh tokens there.
  return name === "linkedin" ? linkedinPartner : FACTS.get(name);
}

async function live(provider: Provider, sheet: Facts | undefined): Promise<Life["proved"]> {
  const proved: Life["proved"] = { facts: sheet ? "a sheet" : "its definition" };
  const facts = sheet ?? fromDefinition(provider);
  if (typeof facts === "string") return { facts: `none: ${facts} is not played` };
  const life = await begun(provider, facts, proved);
  const id = await isUsed(life);
  if (provider.rotation !== "none") {
    await isRefreshed(life, id);
    await isRefused(life, id);
  }
  await isLimited(life, id);
  await isOver(life, id);
  await isRevoked(life, id);
  return proved;
}

for (const [name, provider] of providers) {
  Deno.test(`${name}: connected, used, refreshed, refused, limited, ended, revoked`, async () => {
    table[name] = await live(provider, writtenDown(name));
  });
}

Deno.test("the table of what each proved: ours by what is known of them", () => {
  assertEquals(Object.keys(table), [...providers.keys()]);
  for (const name of FACTS.keys()) assertEquals([name, table[name]?.facts], [name, "a sheet"]);
  console.table(table);
});

Deno.test("a provider of whom nothing is written down lives beside its own definition", async () => {
  const { refresh_token_idle_lifetime: _, ...own } = madeUp;
  const without: Provider = { ...own, name: "no-refresh", rotation: "none", default_expires_in: "never" };
  const [whole, brief] = [await live(madeUp, undefined), await live(without, undefined)];
  assertEquals([whole.facts, whole["expires in"], whole.refused], ["its definition", "1800 s", "401"]);
  assertEquals([brief.facts, brief.refused, brief.over], ["its definition", undefined, "401"]);
  const keyed: Provider = { ...own, token_endpoint_auth_method: "private_key_jwt" };
  assertEquals(await live(keyed, undefined), {
    facts: "none: private_key_jwt or a public client is not played",
  });
});
