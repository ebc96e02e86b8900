/** What a request costs at the database: each of its calls is one that the work needs, and none only looks again. */
import { assertEquals } from "../support/assert.ts";
import { MARI } from "../support/store.ts";
import { type Answer, type Stage, story } from "./stage.ts";
import { allow, begin, complete, connect, park } from "./steps.ts";

/** By what is asked: how it comes to be asked, and the SQL functions that are called then. */
const costs: Record<string, [(stage: Stage) => Promise<() => Promise<Answer>>, string[]]> = {
  "beginning": [
    (stage) => Promise.resolve(() => stage.callback("/authorize", { user: MARI, body: {} })),
    ["begin_authorization"],
  ],
  "coming back": [async (stage) => {
    const query = await allow(stage, await begin(stage));
    return () => stage.callback(query);
  }, ["receive_authorization_response"]],
  "completing": [async (stage) => {
    const parked = await park(stage);
    return () => complete(stage, parked);
  }, ["take_authorization", "connect"]],
  "searching": [async (stage) => {
    await connect(stage);
    return () => stage.search("?term=jane");
  }, ["peek"]],
  "searching, the connection named": [async (stage) => {
    const id = await connect(stage);
    return () => stage.search(`?term=jane&connection_id=${id}`);
  }, ["peek"]],
  "refreshing what is fresh": [async (stage) => {
    const connection_id = await connect(stage);
    return () => stage.refresh({ user: MARI, body: { connection_id } });
  }, ["peek"]],
  "refreshing what is due": [async (stage) => {
    const connection_id = await connect(stage);
    stage.clock.pause(3_600_000);
    return () => stage.refresh({ user: MARI, body: { connection_id } });
  }, ["peek", "claim_refresh", "commit_refresh"]],
  // The second is made behind the answer: what there is to revoke, and whether somebody still uses the account.
  "disconnecting": [async (stage) => {
    const connection_id = await connect(stage);
    return () => stage.callback("/disconnect", { user: MARI, body: { connection_id } });
  }, ["disconnect", "claim_revocations"]],
};
for (const [what, [before, calls]] of Object.entries(costs)) {
  story(`${what} costs ${calls.length} of the database: ${calls.join(", ")}`, async (stage) => {
    const ask = await before(stage);
    const { length } = stage.store.calls;
    const { line } = await ask();
    assertEquals([line.database_calls, stage.store.calls.slice(length)], [calls.length, calls]);
  });
}
