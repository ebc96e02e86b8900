import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../../tests/support/assert.ts";
import { CALLBACK, opened } from "./sandbox_support.ts";

Deno.test("the consent page names the client, the scopes and the companies, and says that it is a sandbox", async () => {
  const { send, authorizationUrl } = await opened();
  const response = await send(authorizationUrl());
  const page = await response.text();
  assertEquals(response.status, 200);
  for (const text of ["Sandbox.", "sandbox-client", "contacts:read", "Baltic Timber", "Harbour Coffee"]) {
    assertStringIncludes(page, text);
  }
  assertStringIncludes(page, "Allow and install");
  const policy = response.headers.get("content-security-policy") ?? "";
  assertStringIncludes(policy, "default-src 'none'");
  assertMatch(policy, /style-src 'nonce-[\w-]+'/);
});

Deno.test("the consent page never lets a client's name or a scope become markup", async () => {
  const { control, send, authorizationUrl } = await opened({ scopes: ['"><script>'] });
  await control.register({ client_id: "<b>&" });
  const page = await (await send(authorizationUrl({ client_id: "<b>&" }))).text();
  assert(!page.includes("<b>") && !page.includes("<script>"));
});

Deno.test("allowing brings a code of the documented shape and the state unchanged", async () => {
  const { send, authorizationUrl } = await opened();
  const body = new URLSearchParams({ decision: "allow", user: "7100302:11" });
  const response = await send(authorizationUrl(), { method: "POST", body, redirect: "manual" });
  assertEquals(response.status, 302);
  const location = new URL(response.headers.get("location") ?? "");
  assertEquals(location.origin + location.pathname, CALLBACK);
  assertMatch(location.searchParams.get("code") ?? "", /^\d+\.\d+\.[0-9a-f]{40}$/);
  assertEquals(location.searchParams.get("state"), "st&te=1");
});

Deno.test("denying brings the error and the state, never a code", async () => {
  const { control, authorizationUrl } = await opened();
  const denied = await control.authorize({ authorization_url: authorizationUrl(), deny: true });
  assertEquals(Object.fromEntries(new URL(denied).searchParams), { error: "user_denied", state: "st&te=1" });
});

Deno.test("an installation begun in Pipedrive comes without state", async () => {
  const { control } = await opened();
  const { searchParams } = new URL(await control.install({ user: 31 }));
  assertEquals([...searchParams.keys()], ["code"]);
});

Deno.test("an unknown client is refused before the callback URL is looked at", async () => {
  const { send, authorizationUrl } = await opened();
  const response = await send(
    authorizationUrl({ client_id: "another", redirect_uri: "https://evil.example/" }),
  );
  assertEquals(response.status, 401);
  assertEquals(await response.json(), {
    success: false,
    error: "unauthorized access",
    errorCode: 401,
    error_info: "Please check developers.pipedrive.com",
  });
});

Deno.test("a callback URL that is not exactly the registered one is refused without a redirect", async () => {
  const { send, authorizationUrl } = await opened();
  for (const redirect_uri of [`${CALLBACK}/`, `${CALLBACK}?a=1`, CALLBACK.toUpperCase(), ""]) {
    for (const method of ["GET", "POST"]) {
      const body = method === "POST" ? new URLSearchParams({ decision: "allow" }) : null;
      const response = await send(authorizationUrl({ redirect_uri }), { method, body });
      assertEquals(response.status, 400);
      assertEquals(await response.json(), { error: "Invalid redirect URL" });
    }
  }
});

Deno.test("nothing can be authorized before a callback URL is registered", async () => {
  const { control, authorizationUrl } = await opened({}, { redirect_uri: undefined });
  const authorize = () => control.authorize({ authorization_url: authorizationUrl() });
  await assertRejects(authorize, Error, "Invalid redirect URL");
  await control.register({ redirect_uri: CALLBACK });
  assertStringIncludes(await authorize(), CALLBACK);
});

Deno.test("a user who does not exist and an authorization elsewhere are errors of the test", async () => {
  const { control, authorizationUrl } = await opened();
  const authorization_url = authorizationUrl();
  await assertRejects(() => control.authorize({ authorization_url, user: 999 }), Error, 'no user "999"');
  const elsewhere = authorization_url.replace("oauth.pipedrive.com", "evil.example");
  await assertRejects(() => control.authorize({ authorization_url: elsewhere }), Error, "is not at");
});

Deno.test("the marketplace begins at the Installation URL, and without one at the consent, without state", async () => {
  const { control, sandbox, send } = await opened();
  const link = async () => {
    const response = await send(`${sandbox.origin}/`);
    const [, href = ""] = /<a class="allow" href="([^"]+)"/.exec(await response.text()) ?? [];
    return new URL(href.replaceAll("&#38;", "&"));
  };
  const consent = await link();
  assertEquals(consent.origin + consent.pathname, `${sandbox.origin}/oauth/authorize`);
  assertEquals([...consent.searchParams.keys()], ["client_id", "redirect_uri"]);
  const redirect = await control.authorize({ authorization_url: consent.href });
  assertEquals([...new URL(redirect).searchParams.keys()], ["code"]);
  const installation_url = "https://app.example/connect/pipedrive?a=1&b=2";
  await control.register({ installation_url });
  assertEquals((await link()).href, installation_url);
});
