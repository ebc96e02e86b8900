import { FakeClock } from "../../support/clock.ts";
import { connected, makeContext } from "../../support/context.ts";
import { EPOCH } from "../../support/database_time.ts";
import { MARI } from "../../support/store.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";

Deno.test("a test's store refuses what PostgreSQL refuses: a text with U+0000 is no text", async () => {
  const { store } = await makeContext();
  const refused = await assertRejects(
    () => store.uninstall({ provider: "pipedrive", account_key: "1:2\u0000", occurred_at: null }),
    Error,
    "oauth_uninstall with 22021",
  );
  assert(!(refused instanceof PublicError), "asking again would not help");
});

Deno.test("the database's time is the test's clock, and stands still while a call is under way", async () => {
  const clock = new FakeClock({ auto: true });
  const context = await makeContext({ clock });
  const deadline = clock.sleep(60_000);
  let last = "";
  for (let n = 0; n < 20; n += 1) last = (await connected(context)).id;
  const connection = await context.store.connection({ id: last, user_id: null });
  assertEquals([Date.parse(connection?.created_at ?? ""), clock.now()], [EPOCH, 0]);
  await deadline;
  const { id } = await connected(context, { expires_in_ms: 1_000 });
  assertEquals((await context.store.row(id)).access_expires_at, 61_000);
});

Deno.test("a test finds two users and nothing else, whatever the one before left", async () => {
  const before = await makeContext();
  await connected(before, { user_id: MARI });
  const { store } = await makeContext();
  assertEquals([
    await store.peek({ id: null, user_id: MARI, seen_version: -1, provider: "pipedrive" }),
    await store.events(),
  ], [
    [],
    [],
  ]);
  await assertRejects(() => connected(before), Error, "over");
});

Deno.test("a call can be held at the door, and fail before or after the database has heard it", async () => {
  const context = await makeContext();
  const { store } = context;
  const { id } = await connected(context);
  store.failNext("uninstall");
  const { account_key } = await store.row(id);
  const uninstall = () =>
    store.uninstall({ provider: "pipedrive", account_key: account_key, occurred_at: null });
  await assertRejects(uninstall, PublicError, "does not answer");
  assertEquals((await store.row(id)).status, "active");
  store.failNext("uninstall", 1, "after");
  await assertRejects(uninstall, PublicError, "does not answer");
  assertEquals((await store.row(id)).status, "disconnected");

  await connected(context, { id, account_key, user_id: (await store.row(id)).user_id });
  const held = store.hold("uninstall");
  const ended = uninstall();
  await held.arrived;
  assertEquals((await store.row(id)).status, "active");
  held.release();
  assertEquals([await ended, (await store.row(id)).status], [1, "disconnected"]);
});
