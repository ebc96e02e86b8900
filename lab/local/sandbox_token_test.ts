import { assert, assertEquals, assertMatch, assertNotEquals } from "../../tests/support/assert.ts";
import {
  CALLBACK,
  consented,
  installed,
  MINUTE,
  opened,
  refusal,
  statusOf,
  tokensOf,
} from "./sandbox_support.ts";

Deno.test("an exchange answers as documented", async () => {
  const pipedrive = await opened();
  const response = await pipedrive.exchange(await consented(pipedrive));
  assertEquals(response.headers.get("cache-control"), "no-store");
  assertEquals(response.headers.get("pragma"), "no-cache");
  const { access_token, refresh_token, ...rest } = await tokensOf(response);
  assertEquals(rest as Record<string, unknown>, {
    token_type: "Bearer",
    expires_in: 3599,
    scope: "base,contacts:read",
    api_domain: "https://baltictimber.pipedrive.com",
  });
  assertMatch(access_token, /^v1u:(?=[^:]*\+)(?=[^:]*\/)[\w+/]+=+:[\w+/]+=*$/);
  assert(access_token.length > 450 && access_token.length < 550);
  assertMatch(refresh_token, /^\d+:\d+:[0-9a-f]{40}$/);
});

Deno.test("a code works once, for five minutes", async () => {
  const pipedrive = await opened();
  const code = await consented(pipedrive);
  assertEquals(await statusOf(pipedrive.exchange(code)), 200);
  assertEquals(await refusal(await pipedrive.exchange(code)), {
    status: 400,
    error: "invalid_grant",
    message: "Invalid grant: authorization code is invalid",
  });
  const late = await consented(pipedrive);
  await pipedrive.control.advance_clock(5 * MINUTE);
  assertEquals(await refusal(await pipedrive.exchange(late)), {
    status: 400,
    error: "invalid_grant",
    message: "Invalid grant: authorization code has expired",
  });
});

Deno.test("a code is not consumed by a wrong redirect_uri", async () => {
  const pipedrive = await opened();
  const code = await consented(pipedrive);
  assertEquals(await refusal(await pipedrive.exchange(code, `${CALLBACK}/`)), {
    status: 400,
    error: "invalid_request",
    message: "Invalid request: `redirect_uri` is invalid",
  });
  assertEquals(await statusOf(pipedrive.exchange(code)), 200);
});

const REFUSED: [string, Record<string, string>, string, string][] = [
  ["no grant_type", {}, "invalid_request", "Missing parameter: `grant_type`"],
  [
    "an unknown grant_type",
    { grant_type: "password" },
    "unsupported_grant_type",
    "Unsupported grant type: `grant_type` is invalid",
  ],
  ["no code", { grant_type: "authorization_code" }, "invalid_request", "Missing parameter: `code`"],
  [
    "an unknown code",
    { grant_type: "authorization_code", code: "1.2.3", redirect_uri: CALLBACK },
    "invalid_grant",
    "Invalid grant: authorization code is invalid",
  ],
  [
    "no refresh token",
    { grant_type: "refresh_token" },
    "invalid_request",
    "Missing parameter: `refresh_token`",
  ],
  [
    "an unknown refresh token",
    { grant_type: "refresh_token", refresh_token: "1:1:00" },
    "invalid_grant",
    "Invalid grant: refresh token is invalid",
  ],
  [
    "a refresh token with an impossible character",
    { grant_type: "refresh_token", refresh_token: "1:1:\u0000" },
    "invalid_request",
    "Invalid parameter: `refresh_token`",
  ],
  [
    "an API token",
    { grant_type: "exchange_api_token", api_token: "abc" },
    "invalid_grant",
    "Invalid grant: api_token is invalid",
  ],
];

for (const [what, fields, error, message] of REFUSED) {
  Deno.test(`the token endpoint refuses ${what} with ${error}`, async () => {
    const { token } = await opened();
    assertEquals(await refusal(await token(fields)), { status: 400, error, message });
  });
}

Deno.test("an exchange needs a redirect_uri that is a URI", async () => {
  const pipedrive = await opened();
  const code = await consented(pipedrive);
  const cases: Record<string, string>[] = [{}, { redirect_uri: "not a uri" }];
  for (const fields of cases) {
    const response = await pipedrive.token({ grant_type: "authorization_code", code, ...fields });
    assertEquals((await refusal(response)).message, "Invalid request: `redirect_uri` is not a valid URI");
  }
});

Deno.test("only a form is read, and only by POST", async () => {
  const { sandbox, send } = await opened();
  const headers = { authorization: `Basic ${btoa("wrong:wrong")}`, "content-type": "application/json" };
  const json = await send(`${sandbox.origin}/oauth/token`, { method: "POST", headers, body: "{}" });
  assertEquals(await refusal(json), {
    status: 400,
    error: "invalid_request",
    message: "Invalid request: content must be `application/x-www-form-urlencoded`",
  });
  const get = await send(`${sandbox.origin}/oauth/token`);
  assertEquals((await refusal(get)).message, "Invalid request: method must be POST");
});

Deno.test("the client is checked before the grant", async () => {
  const { token } = await opened();
  assertEquals(await refusal(await token({ grant_type: "password" }, {})), {
    status: 400,
    error: "invalid_client",
    message: "Invalid client: cannot retrieve client credentials",
  });
  const wrong = { authorization: `Basic ${btoa("sandbox-client:nope")}` };
  const response = await token({}, wrong);
  assertEquals(response.headers.get("www-authenticate"), 'Basic realm="Service"');
  assertEquals(await refusal(response), {
    status: 401,
    error: "invalid_client",
    message: "Invalid client: client is invalid",
  });
});

Deno.test("credentials in the body are accepted; wrong ones are 400", async () => {
  const pipedrive = await opened();
  const { refresh_token } = await installed(pipedrive);
  const fields = { grant_type: "refresh_token", refresh_token, client_id: "sandbox-client" };
  const wrong = await pipedrive.token({ ...fields, client_secret: "nope" }, {});
  assertEquals((await refusal(wrong)).status, 400);
  assertEquals(await statusOf(pipedrive.token({ ...fields, client_secret: "sandbox-secret" }, {})), 200);
});

Deno.test("Basic credentials are taken as they are: percent-encoded ones are wrong ones", async () => {
  const { token } = await opened();
  const encoded = { authorization: `Basic ${btoa("sandbox%2Dclient:sandbox%2Dsecret")}` };
  assertEquals((await refusal(await token({}, encoded))).error, "invalid_client");
});

Deno.test("a new secret leaves the tokens valid and ends the old secret", async () => {
  const pipedrive = await opened();
  const { refresh_token } = await installed(pipedrive);
  await pipedrive.control.register({ client_secret: "new" });
  assertEquals((await refusal(await pipedrive.refresh(refresh_token))).error, "invalid_client");
  const headers = { authorization: `Basic ${btoa("sandbox-client:new")}` };
  const response = pipedrive.token({ grant_type: "refresh_token", refresh_token }, headers);
  assertEquals(await statusOf(response), 200);
});

Deno.test("another client's refresh token and code are unknown", async () => {
  const pipedrive = await opened();
  const { refresh_token } = await installed(pipedrive);
  const code = await consented(pipedrive);
  await pipedrive.control.register({ client_id: "other" });
  const headers = { authorization: `Basic ${btoa("other:sandbox-secret")}` };
  const grants: Record<string, string>[] = [
    { grant_type: "refresh_token", refresh_token },
    { grant_type: "authorization_code", code, redirect_uri: CALLBACK },
  ];
  for (const fields of grants) {
    assertEquals((await refusal(await pipedrive.token(fields, headers))).error, "invalid_grant");
  }
});

Deno.test("the path with a slash at its end is the same endpoint", async () => {
  const pipedrive = await opened();
  const { refresh_token } = await installed(pipedrive);
  const response = pipedrive.post("/oauth/token/", { grant_type: "refresh_token", refresh_token });
  assertEquals(await statusOf(response), 200);
});

Deno.test("a token response names the API's address that it was told to name", async () => {
  const { control } = await opened({ api_domain: "https://evil.example", access_lifetime_s: 60 });
  const { api_domain, expires_in } = await control.grant();
  assertEquals([api_domain, expires_in], ["https://evil.example", 59]);
});

Deno.test("a second installation of one account ends the first, unless the switch says otherwise", async () => {
  const pipedrive = await opened();
  const first = await installed(pipedrive);
  const second = await installed(pipedrive);
  assertNotEquals(first.refresh_token, second.refresh_token);
  assertEquals((await refusal(await pipedrive.refresh(first.refresh_token))).error, "invalid_grant");
  assertEquals(await statusOf(pipedrive.me(first.access_token)), 401);
  await pipedrive.control.configure({ reinstall_ends_old: false });
  await installed(pipedrive);
  assertEquals(await statusOf(pipedrive.refresh(second.refresh_token)), 200);
});

Deno.test("two accounts of one user are two installations", async () => {
  const pipedrive = await opened();
  const here = await pipedrive.control.grant({ user: "7100201:11" });
  const there = await pipedrive.control.grant({ user: "7100302:11" });
  const me = async (token: string, origin = "") => (await (await pipedrive.me(token, origin)).json()).data;
  const first = await me(here.access_token, here.api_domain);
  const second = await me(there.access_token, there.api_domain);
  assertEquals([first.id, first.email], [second.id, second.email]);
  assertNotEquals(first.company_id, second.company_id);
});
