import {
  OAuthError,
  ProviderUnreachable,
  UnexpectedResponse,
} from "../../../supabase/functions/_shared/oauth/errors.ts";
import { revoke } from "../../../supabase/functions/_shared/oauth/revocation.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { fakeFetch, json } from "../../support/fake_fetch.ts";
import { madeUp } from "../../support/made_up_provider.ts";
import { makeClient, makeTransport } from "../../support/make.ts";

const client = makeClient();
const TOKEN = "v1u:AQIB+/6A==:RI";
const GRANT = { access_token: "a", refresh_token: TOKEN, values: {} };

Deno.test("revoke() sends token and hint, encoded once, with the client's credentials", async () => {
  const network = fakeFetch(new Response(null, { status: 200 }));
  await revoke(client, GRANT, makeTransport(network));
  const [request] = network.requests;
  assertEquals(request?.url, "https://oauth.pipedrive.com/oauth/revoke");
  assertEquals(
    request?.headers.get("authorization"),
    `Basic ${btoa(`${client.client_id}:${client.client_secret}`)}`,
  );
  assertEquals(Object.fromEntries(new URLSearchParams(request?.body)), {
    token: TOKEN,
    token_type_hint: "refresh_token",
  });
});

Deno.test("revoke() is content with any success, whatever the body", async () => {
  for (
    const answer of [new Response("<html>"), new Response(null, { status: 204 }), json({ success: true })]
  ) {
    await revoke(client, GRANT, makeTransport(fakeFetch(answer)));
  }
});

Deno.test("revoke() says what went wrong: our client, the answer, or the provider", async () => {
  const failing = (answer: Response) => () => revoke(client, GRANT, makeTransport(fakeFetch(answer)));
  const challenge = { "www-authenticate": "Basic" };
  const refused = await assertRejects(failing(json({ error: "invalid_client" }, 401, challenge)), OAuthError);
  assertEquals(refused.error, "invalid_client");
  await assertRejects(failing(json({ error: "unauthorized access" }, 401)), UnexpectedResponse);
  await assertRejects(failing(json({}, 302, { location: "https://evil.example" })), UnexpectedResponse);
  const later = await assertRejects(failing(json({}, 503, { "retry-after": "3" })), ProviderUnreachable);
  assertEquals([later.sent, later.retry_after_ms], [false, 3_000]);
});

Deno.test("revoke() has nothing to do where the provider offers no revocation", async () => {
  const network = fakeFetch();
  await revoke(makeClient({ provider: madeUp }), GRANT, makeTransport(network));
  assertEquals(network.requests, []);
});
