/** The whole way of a refusal that nobody explains: whose fault it is told to be, and when it ends a connection. */
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { Memory } from "../../../supabase/functions/_shared/keep/memory.ts";
import type { Client } from "../../../supabase/functions/_shared/oauth/client.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import {
  getAccessToken,
  refreshConnection,
  usableConnection,
} from "../../../supabase/functions/_shared/use/access_token.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { connected, makeContext, type TestContext } from "../../support/context.ts";
import { json, respondWith } from "../../support/fake_fetch.ts";
import { type Connected, makeClient } from "../../support/make.ts";
import { refusal } from "../../support/token_endpoint.ts";

const MINUTE = 60_000;
/** The only form that Pipedrive's status page shows. */
const uncoded = (status = 400) =>
  json({ success: false, message: "Invalid grant: refresh_token is invalid" }, status);

interface Scene {
  readonly context: TestContext;
  /** The connection whose refresh is refused, and one beside it whose refreshes are accepted. */
  readonly refused: Connected;
  readonly accepted: Connected;
  /** A process of a deployment with this client. */
  at(client: Client): TestContext;
}

async function scene(answer: () => Response = uncoded, everybody = false): Promise<Scene> {
  let issued = 0;
  const fetch = respondWith(({ body }) => {
    if (everybody || new URLSearchParams(body).get("refresh_token") === "refused") return answer();
    issued += 1;
    return json({ access_token: `access-${issued}`, refresh_token: `refresh-${issued}`, expires_in: 3599 });
  });
  const context = await makeContext({ fetch });
  const refused = await connected(context, { refresh_token: "refused", expires_in_ms: 0 });
  const accepted = await connected(context, { expires_in_ms: 0 });
  const at = (client: Client) => ({ ...context, client, memory: new Memory() });
  return { context, refused, accepted, at };
}

/** A caller's code, or "served". What was seen before is forgotten, the breaker too. */
async function ask(context: TestContext, { id, user_id }: Connected): Promise<string> {
  const served = getAccessToken({ ...context, memory: new Memory() }, { connection_id: id, user_id });
  return await served.then(() => "served", (error) => error instanceof PublicError ? error.code : error);
}

for (const status of [400, 401]) {
  Deno.test(`a refresh refused by ${status} without a code ends the connection, once others are accepted`, async () => {
    const { context, refused, accepted } = await scene(() => uncoded(status));
    assertEquals(await ask(context, refused), "CONFIGURATION_INVALID", "nobody knows yet whose fault it is");
    context.clock.pause(MINUTE);
    assertEquals(await ask(context, accepted), "served");
    context.clock.pause(5 * MINUTE);
    assertEquals(await ask(context, refused), "PROVIDER_UNAVAILABLE", "it is not the operator's");
    context.clock.pause(5 * MINUTE);
    assertEquals(await ask(context, refused), "REAUTHORIZATION_REQUIRED");
    const { status: ended, failure_code, refresh_token_sealed } = await context.store.row(refused.id);
    assertEquals([ended, failure_code], ["reauthorization_required", "refused_without_code"]);
    assert(refresh_token_sealed !== null, "its tokens are kept");
  });
}

Deno.test("however often a user forces a refresh, one that is refused ends nothing while the access token lives", async () => {
  const { context, refused, accepted } = await scene();
  await context.store.backdate(refused.id, { access_expires_at: -60 * MINUTE });
  const { id, user_id } = refused;
  for (const wait_ms of [MINUTE, 5 * MINUTE, 5 * MINUTE, 5 * MINUTE]) {
    const connection = await usableConnection(context.store, { connection_id: id, user_id });
    await assertRejects(() => refreshConnection(context, connection, { force: true }), PublicError);
    context.clock.pause(wait_ms);
    await context.store.backdate(accepted.id, { access_expires_at: 1 });
    assertEquals(await ask(context, accepted), "served");
  }
  assertEquals([(await context.store.row(id)).status, await ask(context, refused)], ["active", "served"]);
});

const endpoint = "https://acme.pipedrive.com/oauth/token";
/** Each of the operator's faults: what is answered, and with which clients is asked for the refused and the other one. */
const faults: Record<string, { answer?: () => Response; everybody?: true; ours?: Client; theirs?: Client }> =
  {
    "nobody is accepted": { everybody: true },
    "another client's id and secret are set": {
      ours: makeClient({ client_id: "another" }),
      theirs: makeClient({ client_id: "another" }),
    },
    "an old process goes on with an old secret": { ours: makeClient({ client_secret: "old" }) },
    "one process has another endpoint": {
      ours: makeClient({ provider: { ...pipedrive, token_endpoint: endpoint } }),
    },
    "a page is answered": { answer: () => new Response("<html>", { status: 400 }) },
    "it is JSON, and no object": { answer: () => json(["refused"], 400) },
    "it is JSON with another status": { answer: () => uncoded(403) },
    "it has the code of an operator's fault": { answer: () => refusal("invalid_client", 401) },
  };
for (const [fault, { answer, everybody, ours, theirs }] of Object.entries(faults)) {
  Deno.test(`however often a refresh is refused, no connection ends where ${fault}`, async () => {
    const { context, refused, accepted, at } = await scene(answer, everybody);
    const before = await context.store.row(refused.id);
    const ask_as = (client: Client | undefined) => client ? at(client) : context;
    for (let n = 0; n < 12; n += 1) {
      assertEquals(await ask(ask_as(ours), refused), "CONFIGURATION_INVALID");
      context.clock.pause(2 * MINUTE);
      assertEquals(await ask(ask_as(theirs), accepted), everybody ? "CONFIGURATION_INVALID" : "served");
      await context.store.backdate(accepted.id, { access_expires_at: 1 });
      context.clock.pause(3 * MINUTE);
    }
    const { status, version, unsettled_until } = await context.store.row(refused.id);
    assertEquals([status, version, unsettled_until], ["active", before.version, null]);
  });
}
