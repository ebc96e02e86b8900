/** `POST /oauth-callback/pipedrive/disconnect`: the tokens are erased, and revoked at the provider. */
import { assertEquals } from "../support/assert.ts";
import { JONAS, MARI } from "../support/store.ts";
import { type Stage, story } from "./stage.ts";
import { connect } from "./steps.ts";

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
  }
  assertEquals([await stage.provider.installations(), await stage.requests("revoke")], [[], 1]);
});

story("with the provider down the user is disconnected, and the revocation follows", async (stage) => {
  const id = await connect(stage);
  await stage.provider.fail_next({ on: "revoke", how: "503", times: 3 });
  const { status, line } = await disconnect(stage, id);
  assertEquals([status, line.provider_calls, await statusOf(stage, id)], [200, 1, "disconnected"]);
  await stage.context.background();
  assertEquals([await stage.provider.installations(), stage.context.reports], [[], []]);
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
