/** `POST /refresh-token {}` with a secret key: all that is due, at every provider. */
import { assertEquals } from "../support/assert.ts";
import { JONAS, MARI } from "../support/store.ts";
import { connected } from "../support/context.ts";
import { KEYS, makeKeyring } from "../support/make.ts";
import { SCHEDULE, type Stage, story } from "./stage.ts";
import { begin, connect, OTHER_ACCOUNT } from "./steps.ts";

const DAY_MS = 24 * 3_600_000;
const NOTHING = {
  due: 0,
  refreshed: 0,
  failed: 0,
  reauthorization_required: 0,
  revoked: 0,
  abandoned: 0,
  resealed: 0,
  unreadable: 0,
  unreadable_key_ids: [],
  purged: 0,
};

const sweep = ({ refresh }: Stage) => refresh({ headers: SCHEDULE, body: {} });

story("what nobody has used for a month is refreshed, what merely expired is left alone", async (stage) => {
  const idle = await connect(stage);
  stage.clock.pause(31 * DAY_MS);
  const expired = await connect(stage, MARI, OTHER_ACCOUNT);
  stage.clock.pause(3_600_000);
  const { status, body, line } = await sweep(stage);
  assertEquals([status, body.due, body.refreshed], [200, 1, 1]);
  assertEquals([line.caller, line.outcome], ["cron", "swept"]);
  const versions = await Promise.all([idle, expired].map(async (id) => (await stage.store.row(id)).version));
  assertEquals(versions, [2, 1]);
});

story("a sweep counts, over all providers, what became of what was due", async (stage) => {
  const { context } = stage;
  const [ended, kept] = [await connect(stage), await connect(stage, JONAS, OTHER_ACCOUNT)];
  const { access_token, refresh_token = "" } = await stage.provider.grant({ user: 31 });
  await connected(stage.elsewhere, { access_token, refresh_token });
  stage.clock.pause(31 * DAY_MS);
  await stage.provider.revoke({ user: 11 });
  const keyring = await makeKeyring(KEYS.split(",").reverse().join(","));
  const resealed = await connected({ ...context, keyring });
  await begin(stage);
  stage.clock.pause(720_001);

  const swept = {
    due: 3,
    refreshed: 2,
    failed: 0,
    reauthorization_required: 1,
    revoked: 0,
    abandoned: 0,
    resealed: 1,
    unreadable: 0,
    unreadable_key_ids: [],
    purged: 3,
  };
  assertEquals((await stage.refresh({ headers: SCHEDULE })).body, swept);
  assertEquals((await stage.store.row(resealed.id)).key_id, "k2");
  const [status, version] = [(await stage.store.row(ended)).status, (await stage.store.row(kept)).version];
  assertEquals([status, version], ["reauthorization_required", 2]);
  assertEquals((await sweep(stage)).body, NOTHING);
});

story("a connection whose provider is offered no more is named by health", async (stage) => {
  const id = await connect(stage);
  const { id: stranded } = await connected({
    ...stage.context,
    client: { ...stage.context.client, provider: { ...stage.context.client.provider, name: "given-up" } },
  });
  assertEquals((await sweep(stage)).status, 200);
  const health = await stage.store.health();
  assertEquals([health[id] === "not_offered", health[stranded]], [false, "not_offered"]);
});

story("a sweep names, over all providers, the keys that are missing", async (stage) => {
  for (const context of [stage.context, stage.elsewhere]) {
    await connected(context);
    await connected({ ...context, keyring: await makeKeyring(`gone:${"D".repeat(42)}A`) });
    await connected({
      ...context,
      keyring: await makeKeyring(`${context.client.provider.name}:${"E".repeat(42)}A`),
    });
  }
  const { unreadable, unreadable_key_ids } = (await sweep(stage)).body;
  assertEquals(unreadable, 4);
  assertEquals(new Set(unreadable_key_ids as string[]), new Set(["elsewhere", "gone", "pipedrive"]));
});

story("a refresh that the sweep could not make is counted and tried again later", async (stage) => {
  await connect(stage);
  stage.clock.pause(31 * DAY_MS);
  await stage.provider.fail_next({ on: "token:refresh", how: "503" });
  assertEquals((await sweep(stage)).body.failed, 1);
  stage.clock.pause(60_000);
  assertEquals((await sweep(stage)).body.refreshed, 1);
});

story(
  "what a user ended while the provider was down is revoked, also after the key has changed",
  async (stage) => {
    const connection_id = await connect(stage);
    await stage.provider.fail_next({ on: "revoke", how: "503" });
    await stage.callback("/disconnect", { user: MARI, body: { connection_id } });
    await stage.context.background();
    const keyring = await makeKeyring(`k3:${KEYS.slice(3, 46)},${KEYS}`);
    Object.assign(stage.context, { keyring });
    const { revoked, resealed } = (await sweep(stage)).body;
    assertEquals([revoked, resealed], [0, 1], "its time has not come");
    Object.assign(stage.context, { keyring: await makeKeyring(`k3:${KEYS.slice(3, 46)}`) });
    stage.clock.pause(3_600_000);
    assertEquals((await sweep(stage)).body.revoked, 1);
    assertEquals(await stage.store.revocations(), []);
  },
);

story("two sweeps at once spend each refresh token once", async (stage) => {
  await stage.provider.configure({ revoke_on_reuse: true });
  const id = await connect(stage);
  stage.clock.pause(31 * DAY_MS);
  const both = await Promise.all([sweep(stage), sweep(stage)]);
  assertEquals(both.map(({ body }) => Number(body.refreshed)).sort(), [0, 1]);
  assertEquals([await stage.requests("token:refresh"), (await stage.store.row(id)).status], [1, "active"]);
});

story("a sweep whose caller has hung up is finished: the isolate is kept until then", async (stage) => {
  const kept: Promise<unknown>[] = [];
  Object.assign(stage.context, { waitUntil: (work: Promise<unknown>) => kept.push(work) });
  await connect(stage);
  stage.clock.pause(31 * DAY_MS);
  kept.length = 0;
  const held = stage.store.hold("commit_refresh");
  const left = sweep(stage);
  await Promise.race([held.arrived, left]);
  assertEquals(kept.length, 2, "one for each provider");
  held.release();
  await Promise.all(kept);
  assertEquals((await left).body.refreshed, 1);
});

story("a database that is down is STORAGE_UNAVAILABLE", async (stage) => {
  stage.store.failNext("claim_due");
  assertEquals((await sweep(stage)).refusal, [503, "STORAGE_UNAVAILABLE"]);
});
