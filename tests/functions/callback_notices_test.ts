/** What Pipedrive sends to `oauth-callback/pipedrive` by itself: a client was uninstalled, or shared with a company. */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { JONAS, MARI } from "../support/store.ts";
import { type Stage, story } from "./stage.ts";
import { ACCOUNT, connect, OTHER_ACCOUNT } from "./steps.ts";

const statusOf = async ({ store }: Stage, id: string) => (await store.row(id)).status;
const basic = (credentials: string) => ({ authorization: `Basic ${btoa(credentials)}` });
const rightful = ({ context: { client } }: Stage) => basic(`${client.client_id}:${client.client_secret}`);
const noticeOf = ({ context: { client: { client_id } } }: Stage) => ({ client_id, ...ACCOUNT });

story("an uninstall notice erases the tokens of its account, as often as it comes", async (stage) => {
  const [id, jonas, other] = [
    await connect(stage),
    await connect(stage, JONAS),
    await connect(stage, MARI, OTHER_ACCOUNT),
  ];
  for (const ids of ["number", "string"] as const) {
    assertEquals((await stage.provider.uninstall({ ...ACCOUNT, ids })).status, 200);
    const { status, version, refresh_token_sealed } = await stage.store.row(id);
    assertEquals([status, version, refresh_token_sealed], ["disconnected", 2, null]);
  }
  assertEquals([await statusOf(stage, jonas), await statusOf(stage, other)], ["disconnected", "active"]);
});

story("a notice about an account that is not connected is acknowledged", async (stage) => {
  assertEquals((await stage.provider.uninstall({ company_id: 1, user_id: 2 })).status, 200);
});

/** The test's time begins, and Mari connects, at 2026-01-01T00:00:00Z, which is 1767225600. */
const times: [string, "active" | "disconnected", (string | number | null)[]][] = [
  ["from before it, in seconds", "active", [1767225598, "1767225598"]],
  ["from before it, in milliseconds", "active", [1767225598000, "1767225598000"]],
  ["from before it, with a zone", "active", ["2025-12-31T23:59:59Z", "2025-12-31T23:59:58+00:00"]],
  ["from before it, in words", "active", ["2025-12-31 23:59:58", "Wed, 31 Dec 2025 23:59:58 GMT"]],
  ["of its second", "disconnected", [1767225600, "2026-01-01T00:00:00Z", "2026-01-01 00:00:00"]],
  ["of no time that is one", "disconnected", [null, "", "yesterday", 0, -5, "0000", 1e300]],
];
for (const [when, status, timestamps] of times) {
  story(`the connection is ${status} after a notice ${when}`, async (stage) => {
    for (const timestamp of timestamps) {
      const id = await connect(stage);
      assertEquals((await stage.provider.uninstall({ ...ACCOUNT, timestamp })).status, 200);
      assertEquals(await statusOf(stage, id), status, String(timestamp));
    }
  });
}

story("a notice without this client's credentials is refused and changes nothing", async (stage) => {
  const { client_id, client_secret } = stage.context.client;
  const [id, notice] = [await connect(stage), noticeOf(stage)];
  const impostors: [string, Record<string, string>, object?][] = [
    ["nothing", {}],
    ["a wrong secret", basic(`${client_id}:wrong`)],
    ["half a secret", basic(`${client_id}:${client_secret.slice(0, 16)}`)],
    ["another client's id", basic(`other:${client_secret}`)],
    ["nothing after Basic", { authorization: "Basic " }],
    ["what is not base64", { authorization: "Basic ====" }],
    ["64,000 characters that say nothing", { authorization: `Basic ${"=".repeat(64_000)}x` }],
    ["the right ones behind 2,000 blanks", {
      authorization: `Basic ${" ".repeat(2_000)}${btoa(`${client_id}:${client_secret}`)}`,
    }],
    ["a notice about another client", rightful(stage), { ...notice, client_id: "0".repeat(16) }],
  ];
  for (const [what, headers, body = notice] of impostors) {
    const answer = await stage.callback("", { method: "DELETE", headers, body });
    assertEquals(answer.refusal, [401, "INVALID_CREDENTIALS"], what);
    assertEquals(answer.headers.get("www-authenticate"), 'Basic realm="oauth-callback"', what);
  }
  const user = await stage.callback("", { method: "DELETE", user: MARI, body: notice });
  assertEquals(user.refusal, [401, "INVALID_CREDENTIALS"]);
  assertEquals(await statusOf(stage, id), "active");
});

story("a notice's credentials are looked at before its body is read", async (stage) => {
  let read = 0;
  const pull = () => {
    read += 1;
    return new Promise<void>(() => {});
  };
  const body = new ReadableStream({ pull }, { highWaterMark: 0 });
  const answer = await stage.callback("", { method: "DELETE", headers: basic("x:y"), body });
  assertEquals([answer.refusal, read], [[401, "INVALID_CREDENTIALS"], 0]);
});

story("a notice is read leniently, and what it lacks is named", async (stage) => {
  const id = await connect(stage);
  const { authorization } = rightful(stage);
  const headers = { authorization: authorization.replace("Basic", "basic"), "content-type": "text/plain" };
  const send = (body: unknown) => stage.callback("", { method: "DELETE", headers, body });
  for (const field of ["client_id", "company_id", "user_id"]) {
    for (const value of [undefined, null, {}, ...(field === "client_id" ? [] : ["", "x:y", 1.5, -1])]) {
      const { refusal, body } = await send({ ...noticeOf(stage), [field]: value });
      assertEquals(refusal, [400, "INVALID_REQUEST"], `${field}: ${value}`);
      assertMatch(String(body.message), new RegExp(`"${field}"`));
    }
  }
  assertEquals((await send("{")).refusal, [400, "INVALID_REQUEST"]);
  assertEquals(await statusOf(stage, id), "active");
  const lenient = { ...noticeOf(stage), company_id: " 007100201", extra: { a: 1 } };
  assertEquals([(await send(lenient)).status, await statusOf(stage, id)], [200, "disconnected"]);
});

story("the notice of app sharing changes nothing, whatever it holds", async (stage) => {
  const id = await connect(stage);
  const { length } = stage.store.calls;
  const odd = "{“company_id”: 007, “user_id”: 007}";
  for (const body of [{ ...ACCOUNT, isShared: false }, odd, "", { ...noticeOf(stage), timestamp: 1 }]) {
    assertEquals((await stage.callback("", { body })).status, 200);
    assertEquals((await stage.callback("", { body, user: MARI })).status, 200);
  }
  assertEquals((await stage.provider.send_app_sharing_notice(ACCOUNT)).status, 200);
  assertEquals([stage.store.calls.length, await statusOf(stage, id)], [length, "active"]);
});

story("a database that stumbles under a notice, which comes only once, is asked again", async (stage) => {
  const id = await connect(stage);
  stage.store.failNext("uninstall", 3);
  assertEquals((await stage.provider.uninstall(ACCOUNT)).status, 200);
  assertEquals(await statusOf(stage, id), "disconnected");
});

story("a database that is read-only for half a minute does not cost the notice", async (stage) => {
  const id = await connect(stage);
  const read_only = { data: null, error: { code: "25006", message: "" }, status: 405 };
  stage.store.failNext("uninstall", 30, "before", read_only);
  assertEquals((await stage.provider.uninstall(ACCOUNT)).status, 503);
  await stage.context.background();
  assertEquals([await statusOf(stage, id), stage.context.reports], ["disconnected", []]);
});

story("a notice without a time that is repeated ends nothing that was connected meanwhile", async (stage) => {
  const id = await connect(stage);
  stage.store.failNext("uninstall", 1, "after");
  const first = stage.store.hold("uninstall");
  const notice = stage.provider.uninstall({ ...ACCOUNT, timestamp: null });
  await first.arrived;
  const second = stage.store.hold("uninstall");
  first.release();
  await second.arrived;
  assertEquals(await statusOf(stage, id), "disconnected");
  stage.clock.pause(1_000);
  await connect(stage);
  second.release();
  assertEquals([(await notice).status, await statusOf(stage, id)], [200, "active"]);
});
