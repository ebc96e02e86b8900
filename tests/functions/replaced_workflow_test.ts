/**
 * The n8n workflow that this project replaces is run by many people. For each of its ten worst defects there is a test
 * that fails if the defect is in this project. Where they are told elsewhere:
 *
 * 2 no state: `callback_redirect_test.ts`, an installation begun at the provider; 5 reactive only, 6 expiry known by its
 * English text, 9 no single flight: `search_persons_test.ts`; 7 an unbounded loop, 8 every failure a 200:
 * `search_trouble_test.ts`.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { json, respondWith } from "../support/fake_fetch.ts";
import { JONAS, MARI } from "../support/store.ts";
import { walk } from "../support/walk.ts";
import { story } from "./stage.ts";
import { connect, OTHER_ACCOUNT } from "./steps.ts";

story("1 cross-tenant overwrite: a refresh changes one user's tokens and nobody else's", async (stage) => {
  await connect(stage);
  const other = await connect(stage, JONAS, OTHER_ACCOUNT);
  const before = await stage.store.row(other);
  stage.clock.pause(3_600_000);
  assertEquals((await stage.search("?term=jane")).line.version, 2);
  assertEquals(await stage.store.row(other), before);
  assertEquals((await stage.search("?term=jane", { user: JONAS })).status, 200);
});

Deno.test("3 secret in the flow: no file of the project holds one", async () => {
  const root = new URL("../../", import.meta.url);
  const suspicious = /client_secret["']?\s*[:=]\s*["'][^"'{]{8,}|Basic [A-Za-z0-9+/]{16,}/;
  for await (const path of walk(root, "supabase")) {
    assertEquals([path, suspicious.test(await Deno.readTextFile(new URL(path, root)))], [path, false]);
  }
});

story("4 plain-text tokens: no row of a connection holds one, nor does its history", async (stage) => {
  const id = await connect(stage);
  stage.clock.pause(3_600_000);
  await stage.refresh({ user: MARI, body: { connection_id: id } });
  const stored = JSON.stringify([await stage.store.row(id), await stage.store.events()]);
  for (const secret of stage.secrets) assert(!stored.includes(secret));
  // Sealed they are there, and the history has both.
  assert(/"refresh_token_sealed":"v1\..*"connected".*"refreshed"/.test(stored), stored);
});

story("10 success judged by key order: an answer means the same however it is ordered", async (stage) => {
  await connect(stage);
  const members: [string, unknown][] = [["data", { items: [] }], ["additional_data", null]];
  const succeeded: typeof members = [...members, ["success", true]];
  for (const order of [succeeded, succeeded.toReversed()]) {
    const body = Object.fromEntries(order);
    Object.assign(stage.context, { fetch: respondWith(() => json(body)) });
    assertEquals((await stage.search("?term=jane")).text, JSON.stringify(body));
  }
  const failed = Object.fromEntries([...members, ["success", false]]);
  Object.assign(stage.context, { fetch: respondWith(() => json(failed)) });
  assertEquals((await stage.search("?term=jane")).refusal, [502, "PROVIDER_RESPONSE_INVALID"]);
});
