/** A token that an isolate knows already is sent while the door is looked at. What that may cost, and what it may not. */
import { getAccessToken } from "../../../supabase/functions/_shared/use/access_token.ts";
import { Memory } from "../../../supabase/functions/_shared/keep/memory.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { connected } from "../../support/context.ts";
import { makeKeyring } from "../../support/make.ts";
import { JONAS, MARI } from "../../support/store.ts";
import { FOUND, found, never, refusal, scene, status } from "./call_api_scene.ts";

type Scene = Awaited<ReturnType<typeof scene>>;
const bearers = ({ api }: Scene) => api().map(({ headers }) => headers.get("authorization")?.split(" ")[1]);
const textOf = async (answer: ReturnType<Scene["ask"]>) => await new Response((await answer).body).text();

Deno.test("a second call goes out while the door is still looked at, and is answered once that is open", async () => {
  const told = await scene([found(), found()]);
  await told.ask();
  const { arrived, release } = told.context.store.hold("peek");
  const answer = told.ask();
  await arrived;
  assertEquals(bearers(told), ["first-access", "first-access"]);
  const early = await Promise.race([answer, new Promise((resolve) => setTimeout(resolve, 20, "none"))]);
  assertEquals(early, "none", "no answer before the door's");
  release();
  assertEquals(await textOf(answer), FOUND);
});

/** By what ends the connection: how, and what a caller who still has its token in memory is told. */
const ends: Record<
  string,
  [(told: Scene) => Promise<unknown>, "CONNECTION_NOT_FOUND" | "REAUTHORIZATION_REQUIRED"]
> = {
  "a disconnect": [
    ({ context: { store }, made: { id, user_id } }) =>
      store.disconnect({ id, user_id, provider: "pipedrive" }),
    "CONNECTION_NOT_FOUND",
  ],
  "an uninstallation": [
    ({ context: { store }, made: { account_key } }) =>
      store.uninstall({ provider: "pipedrive", account_key, occurred_at: null, age_ms: 0 }),
    "CONNECTION_NOT_FOUND",
  ],
  "the user's deletion": [
    ({ context: { store }, made: { user_id } }) => store.deleteUser(user_id),
    "CONNECTION_NOT_FOUND",
  ],
  "the provider": [
    async ({ context, made: { id } }) => {
      const key_ids = [...context.keyring.key_ids];
      const lease = { request_ms: 20_000, lease_ms: 30_000, settle_ms: 0 };
      const { lease_id } = await context.store.claimRefresh({
        id,
        seen_version: 1,
        force: true,
        key_ids,
        ...lease,
      });
      const failure = {
        id,
        lease_id: lease_id ?? "",
        class: "permanent",
        wait_ms: 0,
        code: "invalid_grant",
      } as const;
      await context.store.failRefresh(failure);
    },
    "REAUTHORIZATION_REQUIRED",
  ],
};
for (const [what, [end, code]] of Object.entries(ends)) {
  Deno.test(`after ${what} nothing is answered from memory, not even what was asked for ahead`, async () => {
    const told = await scene([found(), found(), never]);
    await told.ask();
    await end(told);
    await refusal(told.ask(), code);
    assertEquals(told.api().length, 2, "the price: one call of the provider");
    await refusal(told.ask(), code);
    assertEquals(told.api().length, 2, "and only once");
  });
}

Deno.test("what an isolate knows of one caller's connection serves no other", async () => {
  const told = await scene([found(), found()]);
  await told.ask();
  for (const user_id of [JONAS, crypto.randomUUID()]) {
    await refusal(told.ask({ user_id }), "CONNECTION_NOT_FOUND");
  }
  assertEquals(told.api().length, 1);
  await told.ask({ user_id: null });
  assertEquals(told.api().length, 2);
});

Deno.test("a token that was refreshed elsewhere is used at once, and what the old one brings is thrown away", async () => {
  const old = new Response('{"success":true,"data":"old"}', {
    headers: { "content-type": "application/json" },
  });
  const told = await scene([found(), old, found()]);
  await told.ask();
  const elsewhere = { ...told.context, memory: new Memory() };
  const wanted = { connection_id: told.made.id, user_id: told.made.user_id };
  await told.context.store.backdate(told.made.id, { access_expires_at: 0 });
  await getAccessToken(elsewhere, wanted);
  const answer = await told.ask();
  assertEquals([await new Response(answer.body).text(), answer.version], [FOUND, 2]);
  assertEquals(bearers(told), ["first-access", "first-access", "new-access-1"]);
});

Deno.test("a database that was set back to an older version is believed, whatever is in memory", async () => {
  const told = await scene([found(), found(), found(), found()]);
  const { context, made: { id, user_id } } = told;
  const older = await context.store.row(id);
  await context.store.backdate(id, { access_expires_at: 0 });
  await told.ask();
  assertEquals((await told.ask()).version, 2);
  await context.store.restore(older);
  assertEquals((await told.ask()).version, 1);
  assertEquals((await getAccessToken(context, { connection_id: id, user_id })).access_token, "first-access");
});

Deno.test("a token that is due for a refresh is not sent ahead", async () => {
  const told = await scene([found(), found()]);
  await told.ask();
  told.context.clock.pause(3_400_000);
  const { arrived, release } = told.context.store.hold("peek");
  const answer = told.ask();
  await arrived;
  assertEquals(told.api().length, 1);
  release();
  await answer;
  assertEquals(told.api().length, 2);
});

Deno.test("without a name the user's only connection is served, also when it has become another", async () => {
  const told = await scene([found(), found(), found()], { user_id: MARI });
  const unnamed = () => told.ask({ connection_id: undefined });
  assertEquals((await unnamed()).connection_id, told.made.id);
  await told.context.store.disconnect({ id: told.made.id, user_id: MARI, provider: "pipedrive" });
  const other = await connected(told.context, {
    user_id: MARI,
    account_key: "8:1",
    access_token: "other-access",
  });
  assertEquals((await unnamed()).connection_id, other.id);
  assertEquals(bearers(told), ["first-access", "first-access", "other-access"]);
  told.context.clock.pause(1_000);
  const third = await connected(told.context, { user_id: MARI, account_key: "9:1" });
  const { details } = await refusal(unnamed(), "CONNECTION_AMBIGUOUS");
  assertEquals(details.connections, [other.id, third.id]);
});

Deno.test("a refused token is not sent ahead again", async () => {
  const told = await scene([found(), status(401), found(), found()]);
  await told.ask();
  told.context.clock.pause(10_000);
  await told.ask();
  await told.ask();
  assertEquals(bearers(told), ["first-access", "first-access", "new-access-1", "new-access-1"]);
  assertEquals(told.refreshes(), 1);
});

Deno.test("with the database down nobody is served from memory", async () => {
  const told = await scene([found(), found()]);
  await told.ask();
  told.context.store.failNext("peek");
  await refusal(told.ask(), "STORAGE_UNAVAILABLE");
});

Deno.test("tokens that were resealed under another key stay what they are", async () => {
  const told = await scene([found(), found()]);
  await told.ask();
  const { context, made: { id } } = told;
  const { refresh_token_sealed } = await context.store.row(id);
  const seals = {
    access_token_sealed: "v1.k9.AAAA.AAAA",
    refresh_token_sealed: "v1.k9.AAAA.AAAA",
    key_id: "k9",
  };
  assert(await context.store.reseal({ id, sealed: refresh_token_sealed ?? "", ...seals }));
  await told.ask();
  const keyring = await makeKeyring(`k9:${"C".repeat(42)}A`);
  const fresh = { ...context, keyring, memory: new Memory() };
  await assertRejects(
    () => getAccessToken(fresh, { connection_id: id, user_id: null }),
    Error,
    "does not open",
  );
});
