/** `POST /refresh-token { connection_id }`: one connection, refreshed once, and never a token answered. */
import type { FaultKind } from "../../local/sandbox/mod.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import { EPOCH } from "../support/database_time.ts";
import { JONAS, MARI } from "../support/store.ts";
import { type Ask, SCHEDULE, SECRET, type Stage, story } from "./stage.ts";
import { connect } from "./steps.ts";

const HOUR_MS = 3_600_000;

const refresh = ({ refresh }: Stage, connection_id: string, caller: Ask = { user: MARI }) =>
  refresh({ ...caller, body: { connection_id } });

/** Mari's connection, whose access token has expired. */
async function expired(stage: Stage): Promise<string> {
  const id = await connect(stage);
  stage.clock.pause(HOUR_MS);
  return id;
}

story("an expired connection is refreshed for its owner", async (stage) => {
  const id = await expired(stage);
  const { status, body } = await refresh(stage, id);
  assertEquals([status, Object.keys(body)], [200, ["connection_id", "outcome", "version", "expires_at"]]);
  const { expires_at, ...rest } = body;
  assertEquals(rest, { connection_id: id, outcome: "refreshed", version: 2 });
  assertEquals(Date.parse(String(expires_at)) - EPOCH, HOUR_MS + 3_599_000);
  assertEquals(await stage.requests("token:refresh"), 1);
});

story("a fresh connection costs the provider nothing", async (stage) => {
  const id = await connect(stage);
  const { expires_at, ...rest } = (await refresh(stage, id)).body;
  assertEquals(rest, { connection_id: id, outcome: "fresh", version: 1 });
  assertEquals(Date.parse(String(expires_at)) - EPOCH, 3_599_000);
  assertEquals(await stage.requests("token:refresh"), 0);
});

story("force refreshes a fresh connection, for its owner and for a secret key", async (stage) => {
  const id = (await connect(stage)).toUpperCase();
  for (const [index, caller] of [{ user: MARI }, { headers: SECRET }].entries()) {
    const { body } = await stage.refresh({ ...caller, body: { connection_id: id, force: true } });
    stage.clock.pause(10_001);
    assertEquals([body.outcome, body.version], ["refreshed", index + 2]);
  }
});

story("fifty callers of one expired connection are one refresh", async (stage) => {
  await stage.provider.configure({ revoke_on_reuse: true });
  const id = await expired(stage);
  const all = await Promise.all(Array.from({ length: 50 }, () => refresh(stage, id)));
  assertEquals(new Set(all.map(({ status, body }) => `${status} ${body.version}`)), new Set(["200 2"]));
  // Whoever comes after the commit finds it fresh.
  const others = all.filter(({ body }) => body.outcome === "held_elsewhere" || body.outcome === "fresh");
  assertEquals([others.length, await stage.requests("token:refresh")], [49, 1]);
});

story("a connection of someone else, of nobody or that has ended is not found", async (stage) => {
  const [id, ended] = [await connect(stage), await connect(stage, JONAS)];
  await stage.callback("/disconnect", { user: JONAS, body: { connection_id: ended } });
  const nobodys = crypto.randomUUID();
  const asks: Ask[] = [
    { user: JONAS, body: { connection_id: id } },
    { user: JONAS, body: { connection_id: id, force: true } },
    { user: JONAS, body: { connection_id: ended } },
    { user: MARI, body: { connection_id: nobodys } },
    { headers: SECRET, body: { connection_id: nobodys } },
  ];
  for (const ask of asks) assertEquals((await stage.refresh(ask)).refusal, [404, "CONNECTION_NOT_FOUND"]);
  assertEquals(await stage.requests("token:refresh"), 0);
});

story("a grant that the provider has ended must be given anew, and is not asked for again", async (stage) => {
  const id = await expired(stage);
  await stage.provider.revoke({ user: 11 });
  for (let n = 0; n < 2; n += 1) {
    const { refusal, body } = await refresh(stage, id);
    assertEquals([...refusal, body.connection_id], [409, "REAUTHORIZATION_REQUIRED", id]);
  }
  assertEquals(await stage.requests("token:refresh"), 1);
});

const faults: [FaultKind, number, string][] = [
  ["503", 503, "PROVIDER_UNAVAILABLE"],
  ["429", 503, "PROVIDER_UNAVAILABLE"],
  ["invalid_client", 500, "CONFIGURATION_INVALID"],
];
for (const [how, status, code] of faults) {
  story(`a token endpoint that answers ${how} is ${code}, and the connection lives on`, async (stage) => {
    const id = await expired(stage);
    await stage.provider.fail_next({ on: "token:refresh", how, times: 99, retry_after: 60 });
    const { refusal, headers } = await refresh(stage, id);
    assertEquals([refusal, headers.has("retry-after")], [[status, code], status === 503]);
    assertEquals([(await stage.store.row(id)).status, (await stage.store.row(id)).version], ["active", 1]);
  });
}

story("a lease that someone else holds is REFRESH_IN_PROGRESS after ten seconds", async (stage) => {
  const id = await expired(stage);
  const timings = { key_ids: ["k2"], request_ms: 20_000, lease_ms: 30_000, settle_ms: 30_000 };
  await stage.store.claimRefresh({ id, seen_version: 1, force: false, ...timings });
  const began = stage.clock.now();
  const { refusal, headers } = await refresh(stage, id);
  assertEquals([...refusal, headers.has("retry-after")], [503, "REFRESH_IN_PROGRESS", true]);
  assertEquals([stage.clock.now() - began, await stage.requests("token:refresh")], [10_000, 0]);
});

story("a database that is down is STORAGE_UNAVAILABLE", async (stage) => {
  const id = await connect(stage);
  stage.store.failNext("peek");
  const { refusal, headers } = await refresh(stage, id);
  assertEquals([...refusal, headers.has("retry-after")], [503, "STORAGE_UNAVAILABLE", true]);
});

story("input that is wrong is named, and nothing is touched", async (stage) => {
  const connection_id = crypto.randomUUID();
  const inputs: [unknown, string][] = [
    ["{", "JSON"],
    [{ connection_id, force: "true" }, '"force"'],
    [{ connection_id, force: 1 }, '"force"'],
    [{ connection_id, user_id: MARI }, '"user_id"'],
    [{ connection_id, provider: "x" }, '"provider"'],
    [{ provider: "x" }, '"provider"'],
    [{ connection_id, pad: "x".repeat(20_000) }, "KiB"],
    [{ force: true }, '"connection_id"'],
  ];
  for (const id of [7, null, "", "not-a-uuid", `${connection_id}0`]) {
    inputs.push([{ connection_id: id }, '"connection_id"']);
  }
  for (const caller of [{ user: MARI }, { headers: SECRET }]) {
    for (const [input, named] of inputs) {
      const { refusal, body } = await stage.refresh({ ...caller, body: input });
      assertEquals(refusal, [400, "INVALID_REQUEST"], JSON.stringify(input).slice(0, 80));
      assertMatch(String(body.message), new RegExp(named));
    }
  }
  for (const body of [{}, ""]) {
    const { refusal, body: { message } } = await stage.refresh({ user: MARI, body });
    assertEquals([refusal, String(message).includes('"connection_id"')], [[400, "INVALID_REQUEST"], true]);
  }
  assertEquals(stage.store.calls, []);
});

story("the function is a POST", async (stage) => {
  for (const method of ["GET", "PUT", "PATCH", "DELETE"]) {
    const { refusal, headers } = await stage.refresh({ method, user: MARI });
    assertEquals([...refusal, headers.get("allow")], [405, "METHOD_NOT_ALLOWED", "POST"]);
  }
});

story("the schedule's key refreshes no connection by name", async (stage) => {
  const id = await connect(stage);
  for (const force of [undefined, true]) {
    const { refusal, line } = await stage.refresh({ headers: SCHEDULE, body: { connection_id: id, force } });
    assertEquals([refusal, line.caller], [[401, "INVALID_CREDENTIALS"], "cron"]);
  }
  assertEquals((await stage.store.row(id)).version, 1);
});
