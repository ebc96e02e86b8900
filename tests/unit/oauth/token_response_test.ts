import fc from "fast-check";
import { processRefreshTokenResponse } from "oauth4webapi";
import type { TokenSet } from "../../../supabase/functions/_shared/oauth/client.ts";
import {
  OAuthError,
  ProviderUnreachable,
  UnexpectedResponse,
} from "../../../supabase/functions/_shared/oauth/errors.ts";
import { refreshTokens } from "../../../supabase/functions/_shared/oauth/token_endpoint.ts";
import { learn } from "../../../supabase/functions/_shared/oauth/values.ts";
import { assertEquals, assertObjectMatch, assertRejects } from "../../support/assert.ts";
import { fakeFetch, json } from "../../support/fake_fetch.ts";
import { makeClient, makeTransport } from "../../support/make.ts";

const client = makeClient();
const TOKENS = {
  access_token: "v1u:AQIBAHj+LzTN/6AErhI98==:RIDn",
  token_type: "Bearer",
  expires_in: 3599,
  refresh_token: "1:1:2a5496a8bdd0",
  scope: "base,contacts:read",
  api_domain: "https://user-company.pipedrive.com",
};

const GRANT = { access_token: "old", refresh_token: "1:1:old", values: {} };

type Read = Omit<TokenSet, "answers"> & { readonly api_domain?: string };

async function refresh(answer: Response): Promise<Read> {
  const { answers, ...tokens } = await refreshTokens(client, GRANT, makeTransport(fakeFetch(answer)));
  return { api_domain: undefined, ...tokens, ...learn(client, "token", answers, {}).values };
}

Deno.test("refreshTokens() reads everything Pipedrive sends", async () => {
  assertEquals(await refresh(json(TOKENS)), {
    access_token: TOKENS.access_token,
    expires_in: 3599,
    refresh_token: TOKENS.refresh_token,
    refresh_token_expires_in: 60 * 86_400,
    scope: ["base", "contacts:read"],
    api_domain: "https://user-company.pipedrive.com",
  });
});

const oddities: [string, Record<string, unknown>, Record<string, unknown>][] = [
  ["token_type in any case", { token_type: "bEARER" }, { access_token: TOKENS.access_token }],
  ["token_type missing", { token_type: undefined }, { access_token: TOKENS.access_token }],
  ["token_type empty", { token_type: "" }, { access_token: TOKENS.access_token }],
  ["token_type with blanks around it", { token_type: " Bearer\n" }, { access_token: TOKENS.access_token }],
  ["expires_in as text", { expires_in: "3600" }, { expires_in: 3600 }],
  ["expires_in with a fraction", { expires_in: 59.9 }, { expires_in: 59 }],
  ["expires_in missing: the provider's default, not for ever", { expires_in: undefined }, {
    expires_in: 3600,
  }],
  ["expires_in null", { expires_in: null }, { expires_in: 3600 }],
  ["expires_in 0", { expires_in: 0 }, { expires_in: 3600 }],
  ["expires_in negative", { expires_in: -1 }, { expires_in: 3600 }],
  ["expires_in empty", { expires_in: "" }, { expires_in: 3600 }],
  ["expires_in nonsense", { expires_in: "soon" }, { expires_in: 3600 }],
  ["expires_in of another type", { expires_in: { seconds: 60 } }, { expires_in: 3600 }],
  ["expires_in beyond a year", { expires_in: 1e12 }, { expires_in: 3600 }],
  ["refresh_token missing: the old one stays", { refresh_token: undefined }, { refresh_token: undefined }],
  ["refresh_token null", { refresh_token: null }, { refresh_token: undefined }],
  ["refresh_token empty", { refresh_token: "" }, { refresh_token: undefined }],
  ["scope with blanks", { scope: "base  contacts:read" }, { scope: ["base", "contacts:read"] }],
  ["scope with commas and blanks", { scope: " base, contacts:read" }, { scope: ["base", "contacts:read"] }],
  ["scope as an array", { scope: ["base", "contacts:read"] }, { scope: ["base", "contacts:read"] }],
  ["scope with U+0000 and half a character", { scope: "ba\u0000se contacts\ud800" }, {
    scope: ["base", "contacts\ufffd"],
  }],
  ["scope as an array of more than texts", { scope: [null, "base", { toString: 1 }, [["x"]]] }, {
    scope: ["base"],
  }],
  ["scope missing: as before", { scope: undefined }, { scope: undefined }],
  ["scope of another type: as before", { scope: 7 }, { scope: undefined }],
  ["api_domain missing: the stored one stays", { api_domain: undefined }, { api_domain: undefined }],
  ["api_domain of another type: as missing", { api_domain: 7 }, { api_domain: undefined }],
  ...[
    "https://user-company.pipedrive.com/",
    "https://User-Company.Pipedrive.com",
    "HTTPS://USER-COMPANY.PIPEDRIVE.COM:443/",
    " https://user-company.pipedrive.com\n",
  ].map((api_domain): [string, Record<string, unknown>, Record<string, unknown>] => [
    `api_domain ${JSON.stringify(api_domain)}: the same origin`,
    { api_domain },
    { api_domain: TOKENS.api_domain },
  ]),
  ["members it does not know", { id_token: "not.a.jwt", extra: [1] }, { access_token: TOKENS.access_token }],
  ["an error beside the tokens: tokens win", { error: "invalid_grant" }, {
    access_token: TOKENS.access_token,
  }],
];

for (const [name, change, expected] of oddities) {
  Deno.test(`a token response may have ${name}`, async () => {
    assertObjectMatch(await refresh(json({ ...TOKENS, ...change })), expected);
  });
}

const unusable: [string, () => Response, string][] = [
  ["not JSON", () => new Response("<html>"), "not_json"],
  ["empty", () => new Response(null, { status: 204 }), "not_json"],
  ["cut in the middle", () => new Response(JSON.stringify(TOKENS).slice(0, 40)), "not_json"],
  ["an array", () => json([TOKENS]), "not_json"],
  ["null", () => json(null), "not_json"],
  ["without access_token", () => json({ ...TOKENS, access_token: undefined }), "no_access_token"],
  ["with an empty access_token", () => json({ ...TOKENS, access_token: "" }), "no_access_token"],
  ["Pipedrive's success: false", () => json({ success: false, message: "no" }), "no_access_token"],
  ["an access_token that is a number", () => json({ ...TOKENS, access_token: 7 }), "malformed_tokens"],
  ["a refresh_token that is a number", () => json({ ...TOKENS, refresh_token: 7 }), "malformed_tokens"],
  ["a token_type that is a number", () => json({ ...TOKENS, token_type: 7 }), "malformed_tokens"],
  ["a token of another type", () => json({ ...TOKENS, token_type: "mac" }), "malformed_tokens"],
  ["a DPoP token", () => json({ ...TOKENS, token_type: "DPoP" }), "malformed_tokens"],
  ["64 KiB and more", () => json({ ...TOKENS, padding: "x".repeat(65_536) }), "too_large"],
];

for (const [name, answer, reason] of unusable) {
  Deno.test(`a token response is unusable: ${name}`, async () => {
    const error = await assertRejects(() => refresh(answer()), UnexpectedResponse);
    assertEquals([error.reason, error.cause], [reason, undefined]);
  });
}

Deno.test("what oauth4webapi takes for a bearer token response, we take for the same", async () => {
  const odd = fc.oneof(
    fc.constant(undefined),
    fc.constant(null),
    fc.constant(""),
    fc.string(),
    fc.nat(),
    fc.boolean(),
  );
  const body = fc.record({
    access_token: odd,
    token_type: fc.oneof(odd, fc.constantFrom("Bearer", "bearer", "mac")),
    expires_in: fc.oneof(odd, fc.constantFrom("3600", "0x10", "-1")),
    refresh_token: odd,
    scope: odd,
  });
  await fc.assert(fc.asyncProperty(body, async (body) => {
    const server = { issuer: "https://oauth.pipedrive.com" };
    const theirs = await processRefreshTokenResponse(server, { client_id: "id" }, json(body)).catch(() =>
      null
    );
    if (theirs?.token_type !== "bearer") return;
    const ours = await refresh(json(body));
    assertEquals([ours.access_token, ours.refresh_token], [theirs.access_token, theirs.refresh_token]);
  }));
});

Deno.test("a redirect from the token endpoint is an error, whatever it carries", async () => {
  for (const status of [301, 302, 303, 307, 308]) {
    const network = fakeFetch(json(TOKENS, status, { location: "https://evil.example/" }));
    const error = await assertRejects(
      () => refreshTokens(client, GRANT, makeTransport(network)),
      UnexpectedResponse,
    );
    assertEquals([error.reason, error.status, network.requests.length], ["redirect", status, 1]);
  }
});

Deno.test("an OAuth error is recognised by its error member, not by status or headers", async () => {
  const challenge = { "www-authenticate": 'Basic realm="Service"' };
  const answers: [Response, string, number][] = [
    [json({ error: "invalid_client" }, 401, challenge), "invalid_client", 401],
    [json({ error: "invalid_client" }, 400), "invalid_client", 400],
    [json({ error: "invalid_grant" }, 403), "invalid_grant", 403],
    [json({ error: "bad_refresh_token" }), "bad_refresh_token", 200],
    [new Response('{"error":"invalid_grant"}', { status: 400 }), "invalid_grant", 400],
  ];
  for (const [answer, code, status] of answers) {
    const error = await assertRejects(() => refresh(answer), OAuthError);
    assertEquals([error.error, error.status], [code, status]);
  }
});

Deno.test("tokens in an answer that is no success are no tokens", async () => {
  const error = await assertRejects(() => refresh(json(TOKENS, 400)), UnexpectedResponse);
  assertEquals(error.reason, "status_400");
});

Deno.test("an error member that is prose, or could be a secret, is not an OAuth error", async () => {
  for (const error of ["unauthorized access", "1:1:2a5496a8", "", 7, null, "<b>", "x".repeat(65)]) {
    const thrown = await assertRejects(() => refresh(json({ error }, 401)), UnexpectedResponse);
    assertEquals([thrown.reason, thrown.status], ["status_401", 401]);
  }
});

const unavailable: [number, HeadersInit, string, boolean, number | undefined][] = [
  [429, { "retry-after": "7" }, "rate_limited", false, 7_000],
  [503, { "retry-after": "9999" }, "unavailable", false, 120_000],
  [425, {}, "unavailable", false, undefined],
  [403, { "content-type": "text/html; charset=utf-8" }, "blocked", false, undefined],
  [408, {}, "status_408", true, undefined],
  [500, {}, "status_500", true, undefined],
  [502, { "retry-after": "1" }, "status_502", true, 1_000],
  [504, {}, "status_504", true, undefined],
  [522, {}, "status_522", true, undefined],
];

for (const [status, headers, reason, sent, retry_after_ms] of unavailable) {
  Deno.test(`a ${status} (${reason}) says ${sent ? "nothing about" : "no to"} whether the request was processed`, async () => {
    const answer = new Response('{"error":"invalid_grant"}', { status, headers });
    const error = await assertRejects(() => refresh(answer), ProviderUnreachable);
    assertEquals([error.reason, error.sent, error.status, error.retry_after_ms], [
      reason,
      sent,
      status,
      retry_after_ms,
    ]);
  });
}

Deno.test("a huge error page is judged by its status", async () => {
  const page = () => "<p>".repeat(50_000);
  const error = await assertRejects(
    () => refresh(new Response(page(), { status: 502 })),
    ProviderUnreachable,
  );
  assertEquals(error.reason, "status_502");
  const other = await assertRejects(() => refresh(new Response(page(), { status: 404 })), UnexpectedResponse);
  assertEquals(other.reason, "status_404");
});
