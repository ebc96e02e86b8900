import { assertEquals, assertRejects } from "../../tests/support/assert.ts";
import { CALLBACK, installed, MARI, opened, refusal, START, statusOf, tokensOf } from "./sandbox_support.ts";

interface Received {
  url: string;
  method: string;
  authorization: string | null;
  body: unknown;
}

/** The client's callback, which keeps what it is told. */
function callback(status = 200) {
  const received: Received[] = [];
  const notify: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const { url, method, headers } = request;
    received.push({ url, method, authorization: headers.get("authorization"), body: await request.json() });
    return new Response("never read", { status });
  };
  return { received, notify };
}

const RIGHT = `Basic ${btoa("sandbox-client:sandbox-secret")}`;

Deno.test("revoking a refresh token ends the installation", async () => {
  const pipedrive = await opened();
  const { access_token, refresh_token } = await installed(pipedrive);
  assertEquals(await statusOf(pipedrive.post("/oauth/revoke", { token: refresh_token })), 200);
  assertEquals(await statusOf(pipedrive.me(access_token)), 401);
  assertEquals((await refusal(await pipedrive.refresh(refresh_token))).error, "invalid_grant");
  assertEquals(await pipedrive.control.installations(), []);
});

Deno.test("revoking an access token ends only itself", async () => {
  const pipedrive = await opened();
  const { access_token, refresh_token } = await installed(pipedrive);
  const hinted = { token: access_token, token_type_hint: "refresh_token" };
  assertEquals(await statusOf(pipedrive.post("/oauth/revoke", hinted)), 200);
  assertEquals(await statusOf(pipedrive.me(access_token)), 401);
  assertEquals(await statusOf(pipedrive.refresh(refresh_token)), 200);
});

Deno.test("revoking a spent or an unknown token is 200 and changes nothing", async () => {
  const pipedrive = await opened();
  const first = await installed(pipedrive);
  const second = await tokensOf(await pipedrive.refresh(first.refresh_token));
  for (const token of [first.refresh_token, "1:1:00", encodeURIComponent(second.access_token)]) {
    assertEquals(await statusOf(pipedrive.post("/oauth/revoke", { token })), 200);
  }
  assertEquals(await statusOf(pipedrive.me(second.access_token)), 200);
  assertEquals(await statusOf(pipedrive.refresh(second.refresh_token)), 200);
});

Deno.test("revoking needs the client's credentials and a token", async () => {
  const pipedrive = await opened();
  const { refresh_token } = await installed(pipedrive);
  const wrong = { authorization: `Basic ${btoa("sandbox-client:nope")}` };
  const refused = await pipedrive.post("/oauth/revoke", { token: refresh_token }, wrong);
  assertEquals((await refusal(refused)).error, "invalid_client");
  const none = await pipedrive.post("/oauth/revoke", {});
  assertEquals((await refusal(none)).message, "Missing parameter: `token`");
  assertEquals(await statusOf(pipedrive.refresh(refresh_token)), 200);
});

Deno.test("our own revoke causes a notice only where the switch says so", async () => {
  const { received, notify } = callback();
  const pipedrive = await opened({}, { notify });
  await pipedrive.post("/oauth/revoke", { token: (await installed(pipedrive)).refresh_token });
  await pipedrive.control.configure({ uninstall_on_revoke: true });
  await pipedrive.post("/oauth/revoke", { token: (await installed(pipedrive)).refresh_token });
  const notices = (await pipedrive.control.journal()).filter(({ kind }) => kind === "notice");
  assertEquals([notices.length, received.length], [1, 1]);
});

Deno.test("an uninstall drops the tokens, then tells the callback with the client's credentials", async () => {
  const { received, notify } = callback();
  const pipedrive = await opened({}, { notify });
  const { access_token, refresh_token } = await installed(pipedrive);
  const result = await pipedrive.control.uninstall({ company_id: 7100201, user_id: 11 });
  assertEquals(result, { status: 200 });
  assertEquals(received, [{
    url: CALLBACK,
    method: "DELETE",
    authorization: RIGHT,
    body: {
      client_id: "sandbox-client",
      company_id: 7100201,
      user_id: 11,
      timestamp: new Date(START).toISOString(),
    },
  }]);
  assertEquals(await statusOf(pipedrive.me(access_token)), 401);
  assertEquals((await refusal(await pipedrive.refresh(refresh_token))).error, "invalid_grant");
});

Deno.test("an uninstall of one account leaves the user's other company alone", async () => {
  const pipedrive = await opened({}, callback());
  await installed(pipedrive, "7100201:11");
  const other = await pipedrive.control.grant({ user: "7100302:11" });
  await pipedrive.control.uninstall({ company_id: 7100201, user_id: 11 });
  assertEquals(await statusOf(pipedrive.refresh(other.refresh_token ?? "")), 200);
});

Deno.test("a notice can be late, textual, without a time, and about an account nobody knows", async () => {
  const { received, notify } = callback(401);
  const { control } = await opened({}, { notify });
  const account = { company_id: 1, user_id: 2 };
  await control.uninstall({ ...account, timestamp: "2020-01-01 00:00:00", ids: "string" });
  const result = await control.uninstall({ ...account, timestamp: null });
  assertEquals(result, { status: 401 });
  assertEquals(received.map((one) => one.body), [
    { client_id: "sandbox-client", company_id: "1", user_id: "2", timestamp: "2020-01-01 00:00:00" },
    { client_id: "sandbox-client", company_id: 1, user_id: 2 },
  ]);
});

Deno.test("a callback that cannot be reached costs nothing: the notice is sent once", async () => {
  let sent = 0;
  const notify = () => Promise.reject(new TypeError(`unreachable ${++sent}`));
  const { control } = await opened({}, { notify });
  assertEquals(await control.uninstall({ company_id: 7100201, user_id: 11 }), { status: null });
  assertEquals(sent, 1);
  assertEquals((await control.journal()).map((one) => [one.kind, one.outcome]), [["notice", "unreachable"]]);
});

Deno.test("the app sharing notice is a POST without credentials", async () => {
  const { received, notify } = callback();
  const { control } = await opened({}, { notify });
  await control.send_app_sharing_notice({ company_id: 7100201, user_id: 11 });
  const body = { company_id: 7100201, user_id: 11, isShared: false };
  assertEquals(received, [{ url: CALLBACK, method: "POST", authorization: null, body }]);
});

Deno.test("a user's own revocation ends the installation, without a notice", async () => {
  const { received, notify } = callback();
  const pipedrive = await opened({}, { notify });
  const { access_token, refresh_token } = await installed(pipedrive);
  await pipedrive.control.revoke({ user: MARI });
  assertEquals(await statusOf(pipedrive.me(access_token)), 401);
  assertEquals((await refusal(await pipedrive.refresh(refresh_token))).error, "invalid_grant");
  await assertRejects(() => pipedrive.control.revoke({ user: MARI }), Error, "has not installed");
  assertEquals(received.length, 0);
});
