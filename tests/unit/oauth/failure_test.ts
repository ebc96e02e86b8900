import {
  OAuthError,
  ProviderUnreachable,
  UnexpectedResponse,
} from "../../../supabase/functions/_shared/oauth/errors.ts";
import { classifyFailure, publicErrorOf } from "../../../supabase/functions/_shared/oauth/failure.ts";
import { refreshTokens } from "../../../supabase/functions/_shared/oauth/token_endpoint.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../support/assert.ts";
import { fakeFetch } from "../../support/fake_fetch.ts";
import { madeUp } from "../../support/made_up_provider.ts";
import { makeClient, makeTransport } from "../../support/make.ts";

const permanent = { class: "permanent" as const, operator: false };
const transient = { class: "transient" as const, operator: false };
const ambiguous = { class: "ambiguous" as const, operator: false };
const operator = { class: "transient" as const, operator: true };

const cases: [string, unknown, ReturnType<typeof classifyFailure>][] = [
  ["invalid_grant", new OAuthError("invalid_grant", 400), { ...permanent, code: "invalid_grant" }],
  ["invalid_grant with 403", new OAuthError("invalid_grant", 403), { ...permanent, code: "invalid_grant" }],
  ["invalid_client", new OAuthError("invalid_client", 401), { ...operator, code: "config_invalid_client" }],
  ["invalid_request", new OAuthError("invalid_request", 400), {
    ...operator,
    code: "config_invalid_request",
  }],
  [
    "unauthorized_client",
    new OAuthError("unauthorized_client", 400),
    { ...operator, code: "config_unauthorized_client" },
  ],
  [
    "unsupported_grant_type",
    new OAuthError("unsupported_grant_type", 400),
    { ...operator, code: "config_unsupported_grant_type" },
  ],
  ["invalid_scope", new OAuthError("invalid_scope", 400), { ...operator, code: "config_invalid_scope" }],
  ["an error nobody knows", new OAuthError("odd_error", 400), { ...operator, code: "config_odd_error" }],
  ["server_error with 400", new OAuthError("server_error", 400), { ...ambiguous, code: "server_error" }],
  [
    "temporarily_unavailable",
    new OAuthError("temporarily_unavailable", 400),
    { ...transient, code: "temporarily_unavailable" },
  ],
  ["nothing sent", new ProviderUnreachable("not_reached", false), { ...transient, code: "not_reached" }],
  [
    "429 with Retry-After",
    new ProviderUnreachable("rate_limited", false, 429, 7_000),
    { ...transient, code: "rate_limited", retry_after_ms: 7_000 },
  ],
  ["503", new ProviderUnreachable("unavailable", false, 503), { ...transient, code: "unavailable" }],
  ["a block page", new ProviderUnreachable("blocked", false, 403), { ...transient, code: "blocked" }],
  ["a timeout", new ProviderUnreachable("timeout", true), { ...ambiguous, code: "timeout" }],
  ["a reset", new ProviderUnreachable("connection_lost", true), { ...ambiguous, code: "connection_lost" }],
  ["502", new ProviderUnreachable("status_502", true, 502), { ...ambiguous, code: "status_502" }],
  ["an unreadable 200", new UnexpectedResponse("not_json", 200), { ...ambiguous, code: "not_json" }],
  [
    "a 200 without token",
    new UnexpectedResponse("no_access_token", 200),
    { ...ambiguous, code: "no_access_token" },
  ],
  ["an endless 200", new UnexpectedResponse("too_large", 200), { ...ambiguous, code: "too_large" }],
  ["a redirect", new UnexpectedResponse("redirect", 302), { ...operator, code: "config_redirect" }],
  ["404", new UnexpectedResponse("status_404", 404), { ...operator, code: "config_status_404" }],
  ["a page with 400", new UnexpectedResponse("status_400", 400), { ...operator, code: "config_status_400" }],
  ...[400, 401].map((status): (typeof cases)[number] => [
    `JSON without a code and ${status}`,
    new UnexpectedResponse(`status_${status}`, status, true),
    { class: "unexplained", operator: true, code: `config_status_${status}` },
  ]),
  [
    "JSON without a code and 403",
    new UnexpectedResponse("status_403", 403, true),
    { ...operator, code: "config_status_403" },
  ],
  ["a bug of ours", new TypeError("x"), { ...ambiguous, code: "unexpected_error" }],
  ["something thrown", "x", { ...ambiguous, code: "unexpected_error" }],
];

for (const [name, error, expected] of cases) {
  Deno.test(`classifyFailure() calls ${name} ${expected.operator ? "an operator fault" : expected.class}`, () => {
    assertEquals(classifyFailure(error, pipedrive), expected);
    assertMatch(expected.code, /^[a-z0-9_]{1,64}$/);
  });
}

Deno.test("classifyFailure() takes a definition's own word for invalid_grant, at that provider only", () => {
  const error = new OAuthError("bad_refresh_token", 200);
  assertEquals(classifyFailure(error, madeUp), { ...permanent, code: "bad_refresh_token" });
  assertEquals(classifyFailure(error, pipedrive).class, "transient");
});

Deno.test("classifyFailure() calls an endpoint that may not be asked an operator fault", async () => {
  const provider = { ...pipedrive, refresh_endpoint: "http://oauth.pipedrive.com/oauth/token" };
  const grant = { access_token: "a", refresh_token: "r", values: {} };
  const error = await assertRejects(() =>
    refreshTokens(makeClient({ provider }), grant, makeTransport(fakeFetch()))
  );
  assertEquals(classifyFailure(error, provider), { ...operator, code: "config_endpoint" });
});

const told: [string, unknown, string, number | undefined][] = [
  ["a provider that cannot be reached", new ProviderUnreachable("timeout", true), "PROVIDER_UNAVAILABLE", 5],
  [
    "one that asks to wait",
    new ProviderUnreachable("unavailable", false, 503, 3_000),
    "PROVIDER_UNAVAILABLE",
    3,
  ],
  ["a rate limit", new ProviderUnreachable("rate_limited", false, 429, 7_000), "PROVIDER_RATE_LIMITED", 7],
  ["a server_error", new OAuthError("server_error", 400), "PROVIDER_UNAVAILABLE", 5],
  ["an unreadable 200", new UnexpectedResponse("not_json", 200), "PROVIDER_RESPONSE_INVALID", undefined],
  ["a redirect", new UnexpectedResponse("redirect", 302), "CONFIGURATION_INVALID", undefined],
  ["invalid_client", new OAuthError("invalid_client", 401), "CONFIGURATION_INVALID", undefined],
  ["a bug of ours", new TypeError("canary"), "INTERNAL_ERROR", undefined],
];
for (const [name, error, code, retry_after] of told) {
  Deno.test(`publicErrorOf() tells of ${name} as ${code}`, () => {
    const known = publicErrorOf(error, pipedrive, { connection_id: "c1" });
    assertEquals([known.code, known.retry_after], [code, retry_after]);
    assert(!`${known.message} ${known.reason}`.includes("canary"));
  });
}

Deno.test("publicErrorOf() names the provider's word to the operator, and leaves a public error as it is", () => {
  const refused = publicErrorOf(new OAuthError("invalid_client", 401), pipedrive, { connection_id: "c1" });
  assert(refused.message.includes('"invalid_client"'));
  assertEquals(refused.details.connection_id, "c1");
  assertEquals(publicErrorOf(refused, pipedrive), refused);
});
