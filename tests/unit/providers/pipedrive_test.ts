import { OAuthError, ProviderUnreachable } from "../../../supabase/functions/_shared/oauth/errors.ts";
import { classifyFailure } from "../../../supabase/functions/_shared/oauth/failure.ts";
import { exchangeCode, refreshTokens } from "../../../supabase/functions/_shared/oauth/token_endpoint.ts";
import { load } from "../../../supabase/functions/_shared/providers/mod.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { fakeFetch, json } from "../../support/fake_fetch.ts";
import { makeClient, makeTransport } from "../../support/make.ts";

const client = makeClient();
const held = { access_token: "a", refresh_token: "r", values: {} };

Deno.test("providers has Pipedrive, and nothing that a path could conjure up", async () => {
  assertEquals(await load("pipedrive"), pipedrive);
  for (const name of ["__proto__", "constructor", "toString", "Pipedrive", ""]) {
    assertEquals(await load(name), undefined);
  }
});

Deno.test("Pipedrive is asked for no scope: they belong to the client", () => {
  assertEquals(pipedrive.scopes, []);
});

/** The documented messages; `error` where undocumented as the library behind them has it. */
const errors: [string, string, number, "permanent" | "operator"][] = [
  ["Missing parameter: `grant_type`", "invalid_request", 400, "operator"],
  ["Unsupported grant type: `grant_type` is invalid", "unsupported_grant_type", 400, "operator"],
  ["Invalid grant: authorization_code is invalid", "invalid_grant", 400, "permanent"],
  ["Invalid grant: authorization_code has expired", "invalid_grant", 400, "permanent"],
  ["Invalid grant: refresh_token is invalid", "invalid_grant", 400, "permanent"],
  ["Invalid grant: refresh token has expired", "invalid_grant", 400, "permanent"],
  ["Invalid grant: api_token is invalid", "invalid_grant", 400, "permanent"],
  ["Invalid client: cannot retrieve client credentials", "invalid_client", 400, "operator"],
  ["Invalid client: client is invalid", "invalid_client", 400, "operator"],
  ["Invalid client: client is invalid", "invalid_client", 401, "operator"],
  ["Invalid request: `redirect_uri` is not a valid URI", "invalid_request", 400, "operator"],
  ["Invalid request: `redirect_uri` is invalid", "invalid_request", 400, "operator"],
  [
    "Invalid request: content must be `application/x-www-form-urlencoded`",
    "invalid_request",
    400,
    "operator",
  ],
];

for (const [message, error, status, judgement] of errors) {
  Deno.test(`Pipedrive's ${status} "${message}" is ${judgement === "operator" ? "an operator fault" : judgement}`, async () => {
    const headers = status === 401 ? { "www-authenticate": 'Basic realm="Service"' } : undefined;
    for (const success of [false, "false"]) {
      const answer = () => json({ success, message, error }, status, headers);
      const grant = { code: "1.2.3f", code_verifier: null, redirect_uri: client.redirect_uri, values: {} };
      const thrown = [
        await assertRejects(
          () => refreshTokens(client, held, makeTransport(fakeFetch(answer()))),
          OAuthError,
        ),
        await assertRejects(
          () => exchangeCode(client, grant, makeTransport(fakeFetch(answer()))),
          OAuthError,
        ),
      ];
      for (const one of thrown) {
        assertEquals([one.error, one.status, one.message.includes(message)], [error, status, false]);
        const { class: kind, operator } = classifyFailure(one, pipedrive);
        assertEquals([kind, operator], judgement === "operator" ? ["transient", true] : ["permanent", false]);
      }
    }
  });
}

Deno.test('Pipedrive\'s 500 "Internal Server Error" is ambiguous: it may have acted', async () => {
  const answer = json({ success: false, message: "Internal Server Error", error: "server_error" }, 500);
  const error = await assertRejects(
    () => refreshTokens(client, held, makeTransport(fakeFetch(answer))),
    ProviderUnreachable,
  );
  assertEquals(classifyFailure(error, pipedrive).class, "ambiguous");
});

Deno.test("Pipedrive's gateway in front of the token endpoint ends no connection by itself", async () => {
  const body = {
    success: false,
    error: "unauthorized access",
    errorCode: 401,
    error_info: "Please check developers.pipedrive.com",
  };
  const error = await assertRejects(() =>
    refreshTokens(client, held, makeTransport(fakeFetch(json(body, 401))))
  );
  assertEquals(classifyFailure(error, pipedrive), {
    class: "unexplained",
    operator: true,
    code: "config_status_401",
  });
});
