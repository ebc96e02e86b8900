/** Without a refresh token a refused access token is all that can be known: what ends the connection, and what does not. */
import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import { completeAuthorization } from "../../../supabase/functions/_shared/connect/complete.ts";
import { disconnectConnection } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { Memory } from "../../../supabase/functions/_shared/keep/memory.ts";
import type { Definition } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { define } from "../../../supabase/functions/_shared/providers/define.ts";
import { sweep } from "../../../supabase/functions/_shared/refresh/sweep.ts";
import { callApi } from "../../../supabase/functions/_shared/use/call_api.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { makeContext } from "../../support/context.ts";
import { json, respondWith } from "../../support/fake_fetch.ts";
import { MARI } from "../../support/store.ts";

const LIFE_MS = 3_600_000;
const ENDLESS = { token_type: "bearer" };
const DEFINITION: Definition = {
  name: "acme",
  documentation: "https://acme.example/docs",
  authorization_endpoint: "https://id.acme.example/authorize",
  token_endpoint: "https://id.acme.example/token",
  revocation_endpoint: "https://id.acme.example/revoke",
  rotation: "none",
  account: { request: "/me", key: ["account:id"] },
  api: { base: "https://api.acme.example" },
};

/** A connected user, and an API of which each address answers by what stands in `says`. */
async function scene(
  definition: Partial<Definition> = {},
  issued: Record<string, unknown> = { ...ENDLESS, expires_in: LIFE_MS / 1000 },
) {
  const says: Record<string, number> = { "/me": 200, "/files": 200, "/revoke": 200 };
  const api = respondWith(({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/token") return json({ access_token: "the-one", ...issued });
    return json({ id: 7 }, says[pathname] ?? 404);
  });
  const provider = define({ ...DEFINITION, ...definition });
  const context = await makeContext({ provider, fetch: api });
  await context.store.user(MARI);
  const { authorization_url, binding } = await beginAuthorization(context, {
    user_id: MARI,
    return_to: "https://app.example/",
  });
  const state = new URL(authorization_url).searchParams.get("state") ?? "";
  const received = await receiveAuthorizationResponse(context, new URLSearchParams({ state, code: "c" }));
  assert(received.outcome === "parked");
  const { ticket } = received;
  const connection = await completeAuthorization(context, { user_id: MARI, ticket, binding });
  context.clock.pause(10_000);
  const asked = (path: string) => api.requests.filter(({ url }) => new URL(url).pathname === path).length;
  /** "served", or the code; what this isolate has learnt is forgotten. */
  const call = async () => {
    const served = callApi({ ...context, memory: new Memory() }, {
      connection_id: connection.id,
      user_id: MARI,
      path: "/files",
    });
    return await served.then(() => "served", (error) => error instanceof PublicError ? error.code : error);
  };
  const status = async () => (await context.store.row(connection.id)).status;
  return { context, connection, says, asked, call, status, requests: api.requests };
}

Deno.test("what the API refuses and the account request accepts ends nothing, however often", async () => {
  const { context, says, asked, call, status } = await scene();
  const before = asked("/me");
  says["/files"] = 401;
  for (let n = 0; n < 5; n += 1) {
    assertEquals(await call(), "PROVIDER_UNAVAILABLE");
    context.clock.pause(120_000);
  }
  assertEquals([asked("/me") - before > 0, await status()], [true, "active"]);
  const [id = ""] = Object.keys(await context.store.health());
  const { attempts, failure_code }: Readonly<Record<string, unknown>> = { ...await context.store.row(id) };
  assertEquals([attempts, failure_code], [0, null], "nothing has failed");
  says["/files"] = 200;
  assertEquals(await call(), "served");
});

Deno.test("no sweep looks at what cannot be refreshed, however long it lies", async () => {
  const optional = {
    rotation: "reusable",
    refresh_token_optional: true,
    refresh_token_idle_lifetime: 86_400,
  } as const;
  const { context, requests } = await scene(optional, ENDLESS);
  const before = requests.length;
  context.clock.pause(60 * 24 * LIFE_MS);
  assertEquals([(await sweep(context)).due, requests.length - before], [0, 0]);
});

Deno.test("what the account request refuses twice is over", async () => {
  const { says, asked, call, status } = await scene();
  const before = asked("/me");
  Object.assign(says, { "/files": 401, "/me": 401 });
  assertEquals([await call(), await status()], ["REAUTHORIZATION_REQUIRED", "reauthorization_required"]);
  assertEquals(asked("/me") - before, 2);
});

Deno.test("a refusal of the account request that passes within the pause ends nothing", async () => {
  const { context, says, call, status } = await scene();
  Object.assign(says, { "/files": 401, "/me": 401 });
  const { sleep } = context.clock;
  context.clock.sleep = (ms: number, ...more) => {
    says["/me"] = 200;
    return sleep.call(context.clock, ms, ...more);
  };
  assertEquals([await call(), await status()], ["PROVIDER_UNAVAILABLE", "active"]);
});

Deno.test("an account request that is not answered says nothing", async () => {
  for (const answered of [500, 403, 404, 429]) {
    const { says, call, status } = await scene();
    Object.assign(says, { "/files": 401, "/me": answered });
    assertEquals([await call(), await status()], ["PROVIDER_UNAVAILABLE", "active"], String(answered));
  }
});

Deno.test("a herd that is refused asks whose the token is once", async () => {
  const { context, connection, says, asked } = await scene();
  const before = asked("/me");
  says["/files"] = 401;
  const calls = Array.from(
    { length: 50 },
    () => callApi(context, { connection_id: connection.id, user_id: MARI, path: "/files" }).catch(() => {}),
  );
  await Promise.all(calls);
  assertEquals(asked("/me") - before, 1);
});

Deno.test("at its known end nobody asks: the user connects again, and was told when", async () => {
  const { context, connection, asked, call } = await scene();
  const before = asked("/me");
  assertEquals(connection.authorization_expires_at, connection.access_expires_at);
  context.clock.pause(LIFE_MS - 20_000);
  assertEquals(await call(), "served", "it is used up to its end");
  context.clock.pause(20_000);
  assertEquals(await call(), "REAUTHORIZATION_REQUIRED");
  assertEquals(asked("/me") - before, 0);
});

Deno.test("a token whose end nobody knows is used until it is refused, and no sweep touches it", async () => {
  const { context, connection, call, status } = await scene({}, ENDLESS);
  assertEquals([connection.access_expires_at, connection.authorization_expires_at], [null, null]);
  context.clock.pause(400 * 24 * LIFE_MS);
  assertEquals((await sweep(context)).due, 0);
  assertEquals([await call(), await status()], ["served", "active"]);
});

Deno.test("where a refresh token is optional, a connection without one lives as one that has none", async () => {
  const optional = { rotation: "reusable", refresh_token_optional: true } as const;
  const { context, connection, says, asked, call } = await scene(optional, ENDLESS);
  assertEquals(connection.access_expires_at, null, "how long others live says nothing of it");
  const before = asked("/token");
  says["/files"] = 401;
  assertEquals(await call(), "PROVIDER_UNAVAILABLE");
  says["/me"] = 401;
  context.clock.pause(120_000);
  assertEquals(await call(), "REAUTHORIZATION_REQUIRED");
  assertEquals(asked("/token") - before, 0);
});

Deno.test("and one with a refresh token is refreshed", async () => {
  const optional = { rotation: "reusable", refresh_token_optional: true } as const;
  const { context, asked, call } = await scene(optional, {
    ...ENDLESS,
    refresh_token: "again",
    expires_in: 3600,
  });
  const before = asked("/token");
  context.clock.pause(LIFE_MS);
  assertEquals([await call(), asked("/token") - before], ["served", 1]);
});

Deno.test("what is revoked is the access token, and it is called one", async () => {
  const { context, connection, requests, asked } = await scene();
  const ended = { id: connection.id, user_id: MARI, provider: "acme" };
  await disconnectConnection(context.store, ended, () => context);
  await context.background();
  assertEquals(asked("/revoke"), 1);
  const { body } = requests.at(-1) ?? {};
  const { token, token_type_hint } = Object.fromEntries(new URLSearchParams(body));
  assertEquals([token, token_type_hint], ["the-one", "access_token"]);
});
