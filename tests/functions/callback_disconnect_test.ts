/** `POST /oauth-callback/pipedrive/disconnect`: the tokens are erased, and revoked at the provider. */
import { revokePending } from "../../supabase/functions/_shared/refresh/revoke.ts";
import { assertEquals } from "../support/assert.ts";
import { JONAS, MARI } from "../support/store.ts";
import { type Stage, story } from "./stage.ts";
import { complete, connect, park } from "./steps.ts";

const statusOf = async ({ store }: Stage, id: string) => (await store.row(id)).status;
const disconnect = ({ callback }: Stage, connection_id: string, user = MARI) =>
  callback("/disconnect", { user, body: { connection_id } });

story("disconnecting erases the tokens and ends the installation, again changes nothing", async (stage) => {
  const id = await connect(stage);
  for (const time of [1, 2]) {
    const { status, body } = await disconnect(stage, id);
    const connection = body.connection as Record<string, unknown>;
    assertEquals([status, connection.id], [200, id], `time ${time}`);
    assertEquals([connection.status, connection.access_expires_at], ["disconnected", null]);
    const { access_token_sealed, refresh_token_sealed, version } = await stage.store.row(id);
    assertEquals([access_token_sealed, refresh_token_sealed, version], [null, null, 2]);
    await stage.context.background();
  }
  assertEquals([await stage.store.revocations(), stage.context.reports], [[], []]);
  assertEquals([await stage.provider.installations(), await stage.requests("revoke")], [[], 1]);
});

story(
  "with the provider down the user is disconnected at once, and the revocation follows",
  async (stage) => {
    const id = await connect(stage);
    await stage.provider.fail_next({ on: "revoke", how: "timeout" });
    const { status, line } = await disconnect(stage, id);
    assertEquals([status, line.provider_calls, stage.clock.now()], [200, undefined, 0]);
    await stage.context.background();
    assertEquals([await statusOf(stage, id), await stage.requests("revoke")], ["disconnected", 1]);
    assertEquals(await revokePending(stage.context), { revoked: 0, abandoned: 0 });
    stage.clock.pause(60_000);
    assertEquals(await revokePending(stage.context), { revoked: 1, abandoned: 0 });
    assertEquals([await stage.provider.installations(), await stage.store.revocations()], [[], []]);
  },
);

story(
  "of two users of one account the one who stays is not disconnected, and the last one revokes",
  async (stage) => {
    await stage.provider.configure({ reinstall_ends_old: false });
    const [mari, jonas] = [await connect(stage), await connect(stage, JONAS)];
    await disconnect(stage, mari);
    await stage.context.background();
    assertEquals([await stage.requests("revoke"), await stage.store.revocations()], [0, []]);
    assertEquals((await stage.search("?term=jane", { user: JONAS })).status, 200);
    await disconnect(stage, jonas, JONAS);
    await stage.context.background();
    assertEquals([await stage.requests("revoke"), await stage.store.revocations()], [1, []]);
  },
);

story(
  "a connection whose provider is offered no more is erased all the same, and revoked once it is",
  async (stage) => {
    const id = await connect(stage);
    stage.withdraw();
    assertEquals((await stage.search("?term=jane")).refusal, [404, "UNKNOWN_PROVIDER"]);
    assertEquals((await disconnect(stage, id)).status, 200);
    const { access_token_sealed, refresh_token_sealed } = await stage.store.row(id);
    assertEquals([access_token_sealed, refresh_token_sealed], [null, null]);
    await stage.context.background();
    assertEquals([await stage.requests("revoke"), (await stage.store.revocations()).length], [0, 1]);
    assertEquals(await revokePending(stage.context), { revoked: 1, abandoned: 0 });
  },
);

story("who disconnects while another tab completes has ended that authorization, too", async (stage) => {
  const id = await connect(stage);
  for (const _ of [1, 2]) {
    const request = await park(stage);
    const held = stage.store.hold("connect");
    const completing = complete(stage, request);
    await held.arrived;
    stage.clock.pause(1_000);
    assertEquals((await disconnect(stage, id)).status, 200);
    held.release();
    const { status, body } = await completing;
    assertEquals([status, (body.connection as { status: string }).status], [200, "disconnected"]);
    await revokePending(stage.context);
    assertEquals([await stage.provider.installations(), await stage.store.revocations()], [[], []]);
  }
});

story("nobody disconnects what is someone else's, another provider's or not there", async (stage) => {
  const id = await connect(stage);
  const answers = [
    await disconnect(stage, id, JONAS),
    await disconnect(stage, crypto.randomUUID()),
    await stage.callback("/../elsewhere/disconnect", { user: MARI, body: { connection_id: id } }),
  ];
  for (const { refusal } of answers) assertEquals(refusal, [404, "CONNECTION_NOT_FOUND"]);
  assertEquals([await statusOf(stage, id), await stage.requests("revoke")], ["active", 0]);
});
