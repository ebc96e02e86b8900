import type { Client } from "../../../supabase/functions/_shared/oauth/client.ts";
import { UnexpectedResponse } from "../../../supabase/functions/_shared/oauth/errors.ts";
import { exchangeCode, refreshTokens } from "../../../supabase/functions/_shared/oauth/token_endpoint.ts";
import { learn, usable } from "../../../supabase/functions/_shared/oauth/values.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { assertEquals, assertRejects, assertStringIncludes } from "../../support/assert.ts";
import { fakeFetch, json } from "../../support/fake_fetch.ts";
import { madeUp } from "../../support/made_up_provider.ts";
import { makeClient, makeTransport } from "../../support/make.ts";

const client = makeClient();
const GRANT = { code: "1.2.3f", code_verifier: null, redirect_uri: client.redirect_uri, values: {} };
const held = (refresh_token: string) => ({ access_token: "old", refresh_token, values: {} });
const TOKENS = {
  access_token: "v1u:AQIBAHj+LzTN/6AErhI98==:RIDn",
  token_type: "Bearer",
  expires_in: 3599,
  refresh_token: "1:1:2a5496a8bdd0",
  scope: "base,contacts:read",
  api_domain: "https://user-company.pipedrive.com",
};

Deno.test("refreshTokens() sends what RFC 6749 §6 asks for, once", async () => {
  const network = fakeFetch(json(TOKENS));
  await refreshTokens(client, held("1:1:old"), makeTransport(network));
  const [request, ...more] = network.requests;
  assertEquals(more, []);
  assertEquals(request?.method, "POST");
  assertEquals(request?.url, "https://oauth.pipedrive.com/oauth/token");
  assertEquals(request?.redirect, "manual");
  assertStringIncludes(request?.headers.get("content-type") ?? "", "application/x-www-form-urlencoded");
  assertEquals(Object.fromEntries(new URLSearchParams(request?.body)), {
    grant_type: "refresh_token",
    refresh_token: "1:1:old",
  });
});

Deno.test("the client secret goes as HTTP Basic to the token URL, as it is, and nowhere else", async () => {
  const odd = makeClient({ client_id: "my-client_1.a", client_secret: "s3cret-with_._+/=chars" });
  const network = fakeFetch(json(TOKENS), json(TOKENS));
  await exchangeCode(odd, GRANT, makeTransport(network));
  await refreshTokens(odd, held("1:1:old"), makeTransport(network));
  for (const { url, headers, body } of network.requests) {
    assertEquals(url, pipedrive.token_endpoint);
    assertEquals(headers.get("authorization"), `Basic ${btoa("my-client_1.a:s3cret-with_._+/=chars")}`);
    assertEquals(/client_id|client_secret|s3cret/.test(body + url), false);
  }
});

Deno.test("Basic credentials are form-urlencoded first, unless the provider wants them as they are", async () => {
  const provider = { ...pipedrive, basic_credentials: "urlencoded" as const };
  const network = fakeFetch(json(TOKENS));
  const of = makeClient({ provider, client_id: "a b", client_secret: "s-1" });
  await refreshTokens(of, held("1:1:old"), makeTransport(network));
  assertEquals(network.requests[0]?.headers.get("authorization"), `Basic ${btoa("a+b:s%2D1")}`);
});

Deno.test("exchangeCode() sends code and redirect_uri, and reads the tokens", async () => {
  const network = fakeFetch(json(TOKENS));
  const tokens = await exchangeCode(client, GRANT, makeTransport(network));
  assertEquals(tokens.refresh_token, TOKENS.refresh_token);
  assertEquals(Object.fromEntries(new URLSearchParams(network.requests[0]?.body)), {
    grant_type: "authorization_code",
    code: GRANT.code,
    redirect_uri: client.redirect_uri,
  });
});

Deno.test("exchangeCode() sends the verifier, the secret and more where the definition says so", async () => {
  const of = makeClient({ provider: madeUp });
  const network = fakeFetch(json({ access_token: "a", token_type: "bearer", refresh_token: "r" }));
  const grant = { ...GRANT, code_verifier: "verifier" };
  const tokens = await exchangeCode(of, grant, makeTransport(network));
  const [request] = network.requests;
  assertEquals(request?.headers.get("authorization"), null);
  assertEquals(Object.fromEntries(new URLSearchParams(request?.body)), {
    grant_type: "authorization_code",
    client_id: of.client_id,
    client_secret: of.client_secret,
    code: GRANT.code,
    code_verifier: "verifier",
    redirect_uri: GRANT.redirect_uri,
    audience: "api",
  });
  assertEquals(tokens.expires_in, 1800);
});

Deno.test("refreshTokens() sends the definition's own parameters", async () => {
  const network = fakeFetch(json({ access_token: "a", token_type: "bearer" }));
  await refreshTokens(makeClient({ provider: madeUp }), held("r"), makeTransport(network));
  assertEquals(new URLSearchParams(network.requests[0]?.body).get("type"), "refresh");
});

Deno.test("a public client sends its id and no secret", async () => {
  const provider = { ...madeUp, token_endpoint_auth_method: "none" as const };
  const network = fakeFetch(json({ access_token: "a", token_type: "bearer" }));
  await refreshTokens(makeClient({ provider }), held("r"), makeTransport(network));
  const body = new URLSearchParams(network.requests[0]?.body);
  assertEquals([body.get("client_id"), body.get("client_secret")], [client.client_id, null]);
});

Deno.test("exchangeCode() without a refresh token is no connection", async () => {
  const network = fakeFetch(json({ ...TOKENS, refresh_token: undefined }));
  const error = await assertRejects(
    () => exchangeCode(client, GRANT, makeTransport(network)),
    UnexpectedResponse,
  );
  assertEquals(error.reason, "no_refresh_token");
});

Deno.test("exchangeCode() without api_domain uses the sandbox's API if there is one, else the generic host", async () => {
  const exchange = async (of: Client) => {
    const transport = makeTransport(fakeFetch(json({ ...TOKENS, api_domain: undefined })));
    const { answers } = await exchangeCode(of, GRANT, transport);
    return usable(of, learn(of, "token", answers, {}).values);
  };
  assertEquals(await exchange(client), { api_domain: "https://api.pipedrive.com" });
  const sandbox = makeClient({ api_origins: ["http://127.0.0.1:9000"] });
  assertEquals(await exchange(sandbox), { api_domain: "http://127.0.0.1:9000" });
});

Deno.test("plain http is refused before anything is sent, except to this machine", async () => {
  const at = (token_endpoint: string) =>
    makeClient({ provider: { ...pipedrive, refresh_endpoint: token_endpoint } });
  const network = fakeFetch(json(TOKENS), json(TOKENS), json(TOKENS));
  const transport = makeTransport(network);
  for (const host of ["oauth.pipedrive.com", "localhost.evil.example", "127.0.0.1.evil.example"]) {
    await assertRejects(() => refreshTokens(at(`http://${host}/token`), held("r"), transport));
  }
  assertEquals(network.requests, []);
  for (const host of ["127.0.0.1:9000", "localhost:9000", "[::1]:9000"]) {
    await refreshTokens(at(`http://${host}/token`), held("r"), transport);
  }
});

Deno.test("no error of the token endpoint holds a token, a code, a secret or the provider's words", async () => {
  const canaries = ["CANARY-access", "CANARY-refresh", "CANARY-code", "CANARY-secret", "CANARY-prose"];
  const of = makeClient({ client_secret: "CANARY-secret" });
  const body = {
    access_token: "CANARY-access",
    refresh_token: 7,
    message: "CANARY-prose",
    error: "CANARY-prose",
  };
  const answers: (Response | Error)[] = [
    json({ ...body, token_type: "CANARY-prose" }),
    json(body, 400),
    json(body, 500),
    json({ error: "invalid_grant", message: "CANARY-prose" }, 400),
    new TypeError("failed for CANARY-code"),
  ];
  for (const answer of answers) {
    const grant = { ...GRANT, code: "CANARY-code" };
    const error = await assertRejects(
      () => exchangeCode(of, grant, makeTransport(fakeFetch(answer))),
      Error,
    );
    const seen = `${Deno.inspect(error, { depth: 9 })}${JSON.stringify(error)}${error.stack}`;
    for (const canary of canaries) assertEquals(seen.includes(canary), false, `${canary} in ${error}`);
  }
});
