/**
 * Each provider's definition through its whole life, beside a stand-in that is made of what is known of the provider and
 * refuses what it refuses. Read from the registry, so that none is forgotten; the table of what each proved is printed.
 */
import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import { completeAuthorization } from "../../../supabase/functions/_shared/connect/complete.ts";
import { disconnectConnection } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import type { Connection } from "../../../supabase/functions/_shared/keep/store.ts";
import type { Provider } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { providers } from "../../../supabase/functions/_shared/providers/mod.ts";
import { callApi } from "../../../supabase/functions/_shared/use/call_api.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { makeContext, type TestContext } from "../../support/context.ts";
import { makeClient } from "../../support/make.ts";
import { CLIENT, FACTS, type Facts, linkedinPartner, redirectUri } from "../../support/stand_in/facts.ts";
import { factsFrom } from "../../support/stand_in/from_definition.ts";
import { StandIn } from "../../support/stand_in/stand_in.ts";
import { MARI } from "../../support/store.ts";

/** Longer than any token is too young to be refreshed because it was refused. */
const GROWN_MS = 10_000;
/** What callers of this provider have to choose. */
const CALLER_HEADERS: Readonly<Record<string, Record<string, string>>> = {
  xero: { "xero-tenant-id": "45e4708e-d862-4111-ab3a-dd8cd03913e1" },
  linkedin: { "linkedin-version": "202610" },
};

interface Life {
  readonly provider: Provider;
  readonly facts: Facts;
  readonly server: StandIn;
  readonly context: TestContext;
}

async function begun(provider: Provider, facts: Facts): Promise<Life> {
  const clock = new FakeClock({ auto: true });
  const server = new StandIn(facts, clock);
  const client = makeClient({ provider, ...CLIENT, redirect_uri: redirectUri(provider.name) });
  const context = await makeContext({ client, clock, fetch: server.fetch });
  await context.store.user(MARI);
  return { provider, facts, server, context };
}

async function connectHere({ provider, facts, server, context }: Life): Promise<Connection> {
  const asked = Object.entries(facts.values).filter(([name]) => provider.values[name]?.from === "user");
  const values = Object.fromEntries(asked);
  const return_to = "https://app.example/";
  const { authorization_url, binding } = await beginAuthorization(context, {
    user_id: MARI,
    return_to,
    values,
  });
  const back = server.authorize(authorization_url);
  const received = await receiveAuthorizationResponse(context, back.searchParams);
  assert(received.outcome === "parked", received.outcome);
  return await completeAuthorization(context, { user_id: MARI, ticket: received.ticket, binding });
}

async function call({ provider, facts, context }: Life, connection_id: string) {
  const base = new URL(facts.api.thing);
  const prefix = provider.api.base.replace(/^(\{[^}]*\}|https:\/\/[^/]*)/, "");
  const path = base.pathname.slice(prefix.length);
  const headers = CALLER_HEADERS[provider.name];
  const answer = await callApi(context, { connection_id, user_id: MARI, path, takes: "any", headers });
  return { ...answer, text: await new Response(answer.body).text() };
}

/** Only LinkedIn's partners have refresh tokens there. */
const factsAbout = (name: string) => name === "linkedin" ? linkedinPartner : FACTS.get(name);

const requests = ({ server }: Life, endpoint: string, grant_type?: string) =>
  server.journal.filter((entry) => entry.endpoint === endpoint && entry.grant_type === grant_type).length;

/** What each proved. */
const table: Record<string, Record<string, string>> = {};

/** One that was added has no facts of its own: there its definition is believed, which shows that it holds together. */
const lives = [...providers.values()].flatMap((provider) => [
  ...[factsAbout(provider.name)].flatMap((own) => own ? [{ provider, facts: own, row: provider.name }] : []),
  { provider, facts: factsFrom(provider), row: `${provider.name}, its definition believed` },
]);

for (const { provider, facts, row } of lives) {
  const { name } = provider;
  Deno.test(`${row}: connected, used, refreshed, refused, limited, ended, revoked`, async () => {
    const life = await begun(provider, facts);
    const { server, context } = life;
    const proved: Record<string, string> = table[row] = {};

    const { id, account, status } = await connectHere(life);
    assertEquals(status, "active");
    proved.account = account.id;
    assertEquals((await call(life, id)).status, 200);

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

    for (let at = 0; at < facts.api.dead.length && at < 1; at += 1) {
      context.clock.pause(GROWN_MS);
      server.endAccessTokens(at);
      const { version } = await context.store.row(id);
      const mended = await call(life, id);
      assertEquals([mended.status, mended.version], [200, version + 1], "refused, refreshed, sent again");
    }
    proved.refused = String(facts.api.dead[0]?.status);

    const asked = requests(life, "api");
    server.limitNext();
    const limited = await call(life, id);
    const [limit] = facts.api.limits;
    assertEquals(
      limited.status,
      (limit?.wait ?? 0) > 20 ? limit?.status : 200,
      "waited for, or passed on where it is too long",
    );
    proved.limited = `${limit?.status}, ${limit?.wait ?? "no"} s, ${requests(life, "api") - asked} asked`;

    context.clock.pause(GROWN_MS);
    server.endGrant();
    const { access_expires_at: ends } = await context.store.row(id);
    if (ends !== null) await context.store.backdate(id, { access_expires_at: 1, refresh_after: 1 });
    const over = await assertRejects(() => call(life, id), PublicError);
    assertEquals(over.code, "REAUTHORIZATION_REQUIRED");
    proved.over = String(facts.token.over[0]?.status);

    context.clock.pause(120_000);
    assertEquals((await connectHere(life)).id, id, "in place");
    assertEquals((await call(life, id)).status, 200);

    const ended = { id, user_id: MARI, provider: name };
    await disconnectConnection(context.store, ended, () => context);
    await context.background();
    const [revocation] = facts.revocations;
    assertEquals(requests(life, "revoke"), provider.revocation ? 1 : 0);
    assertEquals(await context.store.revocations(), []);
    if (revocation?.ends.refresh === "grant") assertEquals(server.alive().refresh_tokens, 0);
    proved.revoked = provider.revocation
      ? `${provider.revocation.method}, ${provider.revocation.auth}`
      : "none";

    const stray = server.journal.filter(({ endpoint }) => endpoint === "elsewhere" || endpoint === "other");
    assertEquals(stray, [], "nothing is sent elsewhere");
  });
}

Deno.test("the table of what each proved", () => {
  assertEquals(Object.keys(table), lives.map(({ row }) => row));
  assertEquals([...FACTS.keys()].filter((name) => !(name in table)), [], "none that has facts is forgotten");
  const told = lives.filter(({ provider: { name }, row }) => row === name || !FACTS.has(name));
  console.table(Object.fromEntries(told.map(({ row }) => [row, table[row]])));
});
