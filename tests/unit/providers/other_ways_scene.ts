import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import { completeAuthorization } from "../../../supabase/functions/_shared/connect/complete.ts";
import { disconnectConnection } from "../../../supabase/functions/_shared/connect/disconnect.ts";
import { receiveAuthorizationResponse } from "../../../supabase/functions/_shared/connect/receive.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import type { Provider } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { callApi } from "../../../supabase/functions/_shared/use/call_api.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { FakeClock } from "../../support/clock.ts";
import { makeContext, type TestContext } from "../../support/context.ts";
import { makeClient } from "../../support/make.ts";
import { CLIENT, type Facts, redirectUri } from "../../support/stand_in/facts.ts";
import { StandIn } from "../../support/stand_in/stand_in.ts";
import { MARI } from "../../support/store.ts";

/** A provider as the stand-in plays it, and one user of ours. */
export interface Scene {
  readonly server: StandIn;
  readonly context: TestContext;
  /** @param forge what somebody has written into the redirect */
  connect(forge?: Readonly<Record<string, string>>): ReturnType<typeof completeAuthorization>;
  call(connection_id: string, headers?: Record<string, string>): ReturnType<typeof callApi>;
  /** Requests so far. */
  count(endpoint: string, grant_type?: string): number;
}

export async function scene(provider: Provider, facts: Facts): Promise<Scene> {
  const clock = new FakeClock({ auto: true });
  const server = new StandIn(facts, clock);
  const client = makeClient({ provider, ...CLIENT, redirect_uri: redirectUri(provider.name) });
  const context = await makeContext({ client, clock, fetch: server.fetch });
  const user_id = await context.store.user(MARI);
  const path = new URL(facts.api.thing).pathname;
  return {
    server,
    context,
    count: (endpoint, grant_type) =>
      server.journal.filter((one) => one.endpoint === endpoint && one.grant_type === grant_type).length,
    call: (connection_id, headers) =>
      callApi(context, { connection_id, user_id, path, headers, takes: "any" }),
    async connect(forge = {}) {
      const begun = { user_id, return_to: "https://app.example/", values: facts.values };
      const { authorization_url, binding } = await beginAuthorization(context, begun);
      const back = server.authorize(authorization_url);
      for (const [name, value] of Object.entries(forge)) back.searchParams.set(name, value);
      const received = await receiveAuthorizationResponse(context, back.searchParams);
      assert(received.outcome === "parked", received.outcome);
      return await completeAuthorization(context, { user_id, ticket: received.ticket, binding });
    },
  };
}

export async function codeOf(work: Promise<unknown>): Promise<string> {
  return (await assertRejects(() => work, PublicError)).code;
}

export async function disconnected({ context }: Scene, id: string): Promise<void> {
  const { provider: { name: provider } } = context.client;
  await disconnectConnection(context.store, { id, user_id: MARI, provider }, () => context);
  await context.background();
}

export function nothingElsewhere({ server }: Scene): void {
  assertEquals(server.journal.filter(({ endpoint }) => endpoint === "elsewhere"), []);
}
