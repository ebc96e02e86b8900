import type { Definition } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { define } from "../../../supabase/functions/_shared/providers/define.ts";
import { loadAll, providers } from "../../../supabase/functions/_shared/providers/mod.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";

const GOOD: Definition = {
  name: "acme",
  documentation: "https://acme.example/docs",
  authorization_endpoint: "https://{subdomain}.acme.example/authorize",
  token_endpoint: "https://{subdomain}.acme.example/token",
  values: { subdomain: { kind: "label", from: "user", label: "Subdomain" } },
  account: { request: "/me", key: ["account:id"] },
  api: { base: "https://{subdomain}.acme.example/api" },
};

Deno.test("define() puts the RFCs' defaults where a definition says nothing", () => {
  const { authorization_endpoint, token_endpoint, values = {} } = GOOD;
  assertEquals(define(GOOD), {
    ...{ name: "acme", documentation: "https://acme.example/docs", values },
    ...{ authorization_endpoint, token_endpoint, refresh_endpoint: token_endpoint },
    revocation: undefined,
    authorization_response_iss_parameter_supported: false,
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_method: "client_secret_basic",
    basic_credentials: "urlencoded",
    scopes: [],
    scope_separator: " ",
    authorization_parameters: {},
    token_parameters: {},
    refresh_parameters: {},
    redirect_parameters: { code: "code", state: "state" },
    token_request_format: "form",
    token_request_headers: {},
    token_response: {
      access_token: ["access_token"],
      refresh_token: ["refresh_token"],
      expires_in: ["expires_in"],
      scope: ["scope"],
      refresh_token_expires_in: ["refresh_token_expires_in"],
      token_type: ["token_type"],
      error: ["error"],
    },
    expires_in_is: "seconds",
    default_expires_in: 3600,
    rotation: "single_use",
    refresh_token_optional: false,
    reuse_grace: 0,
    revokes_on_reuse: true,
    invalid_grant_synonyms: [],
    account: { request: { url: "/me" }, key: ["account:id"] },
    api: {
      base: "https://{subdomain}.acme.example/api",
      bases: {},
      headers: { authorization: "Bearer {access_token}" },
      query: {},
      token_refused: [401],
      failed: [],
      rate_limit: { signals: [429], reset: {}, longest_reset: 3600, headers: [] },
      changing_gets: [],
      caller_headers: [],
    },
  });
});

Deno.test("define() reads a revocation endpoint as RFC 7009 has it, unless more is said", () => {
  const of = (revocation_endpoint: Definition["revocation_endpoint"]) =>
    define({ ...GOOD, revocation_endpoint }).revocation;
  const url = "https://{subdomain}.acme.example/revoke";
  const parameters = { token: "{refresh_token}", token_type_hint: "refresh_token" };
  assertEquals(of(url), { url, method: "POST", auth: "client", format: "form", parameters });
  assertEquals(of({ url, method: "DELETE", auth: "bearer" }), {
    ...{ url, method: "DELETE", auth: "bearer", format: "none", parameters: {} },
  });
});

/** What is wrong, and what of the message says so. */
const WRONG: Readonly<Record<string, readonly [Record<string, unknown>, string]>> = {
  "a missing endpoint": [{ token_endpoint: undefined }, '"token_endpoint" is missing'],
  "an unknown key": [{ token_endpont: "x" }, '"token_endpont" is unknown: is it "token_endpoint"'],
  "an unknown key within": [
    { api: { ...GOOD.api, header: {} } },
    '"api.header" is unknown: is it "headers"',
  ],
  "a name that fits no path": [{ name: "Acme!" }, '"name" must be small letters'],
  "plain http": [
    { token_endpoint: "http://acme.example/token" },
    '"token_endpoint" must begin with https://',
  ],
  "a port of another kind in the host": [
    { token_endpoint: "https://user@acme.example/token" },
    '"token_endpoint" must have a plain host',
  ],
  "a placeholder that is no value": [
    { token_endpoint: "https://{region}.acme.example/token" },
    '"token_endpoint" names {region}, which is no value; it may be subdomain',
  ],
  "a brace that is left open": [
    { token_parameters: { audience: "{subdomain" } },
    '"token_parameters.audience" has a brace',
  ],
  "a parameter of another request": [
    { authorization_parameters: { hint: "{refresh_token}" } },
    '"authorization_parameters.hint" names {refresh_token}',
  ],
  "a fixed state": [
    { authorization_parameters: { state: "fixed" } },
    '"authorization_parameters.state" must be "{state}"',
  ],
  "a whole host without a limit": [
    { values: { subdomain: { kind: "host", from: "user" } }, api: { base: "https://{subdomain}" } },
    '"values.subdomain" is a whole host and needs "under" or "one_of"',
  ],
  "a host that can leave its site": [
    { token_endpoint: "https://acme.{subdomain}/token" },
    '"token_endpoint" has a host that can leave its site',
  ],
  "a host that ends in one label": [
    { token_endpoint: "https://{subdomain}.com/token" },
    '"token_endpoint" has a host that can leave its site',
  ],
  "a value glued to a label": [
    { token_endpoint: "https://x{subdomain}.acme.example/token" },
    '"token_endpoint" has a host that can leave its site',
  ],
  "a text in a host": [
    { values: { subdomain: { kind: "text", from: "user" } } },
    "has {subdomain} in its host, which must be a label",
  ],
  "an origin in a path": [
    {
      values: { ...GOOD.values, home: { kind: "origin", from: "token:home", under: ["acme.example"] } },
      token_endpoint: "https://acme.example/{home}",
    },
    '"token_endpoint" has {home} in its path, which is a whole origin',
  ],
  "a domain of one label": [
    { values: { ...GOOD.values, home: { kind: "origin", from: "token:home", under: ["com"] } } },
    '"values.home.under" must be domains of at least two labels',
  ],
  "an unknown kind": [
    { values: { subdomain: { kind: "pattern", from: "user" } } },
    '"values.subdomain.kind" must be one of label, host, origin, segment, text',
  ],
  "an unknown authentication method": [
    { token_endpoint_auth_method: "client_secret_jwt" },
    '"token_endpoint_auth_method" must be one of client_secret_basic',
  ],
  "a refresh endpoint without refresh tokens": [
    { rotation: "none", refresh_endpoint: "https://acme.example/refresh" },
    '"refresh_endpoint" has no effect with rotation none',
  ],
  "no account request without refresh tokens": [
    { rotation: "none", account: { key: ["token:id"] } },
    '"account.request" is missing: without a refresh token',
  ],
  "an optional refresh token where there is none": [
    { rotation: "none", refresh_token_optional: true },
    '"refresh_token_optional" has no effect with rotation none',
  ],
  "no account request where a refresh token may lack": [
    { refresh_token_optional: true, account: { key: ["token:id"] } },
    '"account.request" is missing: without a refresh token',
  ],
  "a grace where nothing is spent": [
    { rotation: "reusable", reuse_grace: 30 },
    '"reuse_grace" and "revokes_on_reuse" are for rotation single_use',
  ],
  "an account source without a request": [
    { account: { key: ["account:id"] } },
    '"account.request" is missing: a source reads its answer',
  ],
  "an account key that a redirect forges": [
    {
      values: { ...GOOD.values, realm: { kind: "segment", from: "redirect:realm" } },
      account: { request: "/me", key: ["redirect:realm"] },
    },
    '"account.key" takes redirect:realm unconfirmed',
  ],
  "an account request below what only its answer says": [
    {
      values: { ...GOOD.values, home: { kind: "label", from: "account:home" } },
      api: { base: "https://{home}.acme.example" },
    },
    '"account.request" is made below what only its own answer says',
  ],
  "a value with the name of what every object has": [
    { values: { ...GOOD.values, constructor: { kind: "text", from: "user" } } },
    '"values.constructor" has the name of something else',
  ],
  "a source that is none": [
    { account: { ...GOOD.account, key: ["id"] } },
    '"account.key.0" must be a source',
  ],
  "a caller's header that is not theirs": [
    { api: { ...GOOD.api, caller_headers: ["cookie"] } },
    '"api.caller_headers" holds cookie',
  ],
  "a caller's header that is the definition's": [
    {
      api: { ...GOOD.api, headers: { authorization: "{access_token}", "x-v": "1" }, caller_headers: ["x-v"] },
    },
    '"api.caller_headers" holds x-v',
  ],
  "a client without secret and without PKCE": [
    { token_endpoint_auth_method: "none", code_challenge_methods_supported: [] },
    '"token_endpoint_auth_method" is none without PKCE',
  ],
  "a default that its own kind refuses": [
    { values: { subdomain: { kind: "label", from: "user", default: "a.b" } } },
    '"values.subdomain.default" is refused by its own kind',
  ],
  "a value with the name of something else": [
    { values: { ...GOOD.values, access_token: { kind: "text", from: "user" } } },
    '"values.access_token" has the name of something else',
  ],
  "a base with a query": [
    { api: { base: "https://{subdomain}.acme.example/api?v=1" } },
    '"api.base" must have no query',
  ],
};

for (const [name, [change, message]] of Object.entries(WRONG)) {
  Deno.test(`define() refuses ${name}, and says where`, () => {
    const wrong = { ...GOOD, ...change } as Definition;
    const error = assertThrows(() => define(wrong), TypeError);
    assert(error.message.includes(message), error.message);
    assert(error.message.startsWith(`${wrong.name}: `), error.message);
  });
}

Deno.test("define() says all that is wrong at once", () => {
  const wrong = { ...GOOD, token_endpoint: undefined, scopes: "x", rotaton: "none" } as unknown as Definition;
  const { message } = assertThrows(() => define(wrong), TypeError);
  assertEquals(message.split("; ").length, 3, message);
});

Deno.test("every provider is in the registry by its own name, with a page that says where it is from", async () => {
  const loaded = await loadAll();
  assert(loaded.size > 0);
  assertEquals([...loaded.keys()], [...providers.keys()]);
  for (const provider of loaded.values()) {
    assertEquals(new URL(provider.documentation).protocol, "https:");
  }
});
