import { apiUrl, endpointOf, issuerOf } from "../../../supabase/functions/_shared/oauth/address.ts";
import { define } from "../../../supabase/functions/_shared/providers/define.ts";
import { assertEquals } from "../../support/assert.ts";
import { makeClient } from "../../support/make.ts";

const SANDBOX = "http://127.0.0.1:9000";
const acme = define({
  name: "acme",
  documentation: "https://acme.example/docs",
  issuer: "https://id.acme.example/{tenant}/v2.0",
  authorization_endpoint: "https://id.acme.example/{tenant}/authorize",
  token_endpoint: "https://{region}.acme.example/token",
  values: {
    tenant: { kind: "segment", from: "user" },
    region: { kind: "label", from: "user", default: "eu" },
    home: {
      kind: "origin",
      from: "token:home",
      under: ["acme.example"],
      default: "https://api.acme.example",
    },
  },
  account: { request: "/me", key: ["account:id"] },
  api: { base: "{home}/v1", bases: { files: "https://files.acme.example/v2" } },
});
const values = { tenant: "t1", region: "us", home: "https://us.acme.example" };

Deno.test("addresses are filled with what a connection is made of", () => {
  const client = makeClient({ provider: acme });
  const { authorization_endpoint, token_endpoint } = acme;
  assertEquals(
    [authorization_endpoint, token_endpoint].map((template) => endpointOf(client, template, values)?.href),
    ["https://id.acme.example/t1/authorize", "https://us.acme.example/token"],
  );
  assertEquals(issuerOf(client, values), "https://id.acme.example/t1/v2.0");
  assertEquals(apiUrl(client, values, { url: "/me" })?.href, "https://us.acme.example/v1/me");
  assertEquals(apiUrl(client, values, { base: "files" })?.href, "https://files.acme.example/v2");
});

Deno.test("without a value that it needs there is no address, and an unknown base has none", () => {
  const client = makeClient({ provider: acme });
  assertEquals(endpointOf(client, acme.authorization_endpoint, {}), null);
  assertEquals(issuerOf(client, {}), null);
  assertEquals(apiUrl(client, {}, { base: "elsewhere" }), null);
});

Deno.test("a sandbox takes the place of every origin, the issuer's too, and of nothing else", () => {
  const client = makeClient({ provider: acme, oauth_origin: SANDBOX, api_origins: [SANDBOX] });
  assertEquals(endpointOf(client, acme.token_endpoint, values)?.href, `${SANDBOX}/token`);
  assertEquals(issuerOf(client, values), `${SANDBOX}/t1/v2.0`);
  assertEquals(apiUrl(client, values, { base: "files", url: "/x" })?.href, `${SANDBOX}/v2/x`);
  assertEquals(apiUrl(client, { ...values, home: SANDBOX }, { url: "/me" })?.href, `${SANDBOX}/v1/me`);
});
