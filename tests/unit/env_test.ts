import { readSettings, readTrusted } from "../../supabase/functions/_shared/env.ts";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import type { Provider } from "../../supabase/functions/_shared/oauth/provider.ts";
import { define } from "../../supabase/functions/_shared/providers/define.ts";
import { pipedrive } from "../../supabase/functions/_shared/providers/pipedrive.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../support/assert.ts";
import { KEYS } from "../support/make.ts";

const GOOD: Readonly<Record<string, string>> = {
  PIPEDRIVE_CLIENT_ID: "3f1c5c8a9b2d4e6f",
  PIPEDRIVE_CLIENT_SECRET: "3cbb1f0c6a2e4d7790ab",
  TOKEN_ENCRYPTION_KEYS: KEYS,
  APP_URL: "https://app.example, http://localhost:3000/",
  OAUTH_CALLBACK_URL: "https://project.supabase.co/functions/v1/oauth-callback",
};

function read(changes: Record<string, string | undefined> = {}, providers: Provider[] = [pipedrive]) {
  const variables = { ...GOOD, ...changes };
  return readSettings((name) => variables[name], providers);
}

/** What is wrong with the deployment, or with its one provider. */
async function complaint(changes: Record<string, string | undefined>): Promise<string> {
  if (Object.keys(changes).some((name) => name.startsWith("PIPEDRIVE_"))) {
    const { faults, providers } = await read(changes);
    assertEquals([...providers.keys()], []);
    return faults.get("pipedrive") ?? "";
  }
  const error = await assertRejects(() => read(changes), PublicError);
  assertEquals(error.code, "CONFIGURATION_INVALID");
  return error.message;
}

Deno.test("readSettings() reads everything once and checked", async () => {
  const { keyring, ...settings } = await read();
  assertEquals(keyring.key_id, "k2");
  assertEquals(settings, {
    app_origins: ["https://app.example", "http://localhost:3000"],
    callback_url: "https://project.supabase.co/functions/v1/oauth-callback",
    providers: new Map([["pipedrive", {
      client_id: "3f1c5c8a9b2d4e6f",
      client_secret: "3cbb1f0c6a2e4d7790ab",
      scopes: [],
      values: {},
      hosts: [],
      oauth_origin: undefined,
      api_origins: [],
    }]]),
    faults: new Map(),
  });
});

Deno.test("readSettings() takes a sandbox's origins", async () => {
  const { providers } = await read({
    PIPEDRIVE_OAUTH_ORIGIN: "http://127.0.0.1:8080",
    PIPEDRIVE_API_ORIGINS: "http://[::1]:8081,https://sandbox.example",
  });
  assertEquals(providers.get("pipedrive")?.oauth_origin, "http://127.0.0.1:8080");
  assertEquals(providers.get("pipedrive")?.api_origins, ["http://[::1]:8081", "https://sandbox.example"]);
});

Deno.test("readSettings() takes previews under a domain of one's own, and says why no others", async () => {
  const { app_origins } = await read({ APP_URL: "https://app.example, https://*.preview.example.com" });
  assertEquals(app_origins, ["https://app.example", "https://*.preview.example.com"]);
  assertMatch(
    await complaint({ APP_URL: "https://app.example,https://*.vercel.app" }),
    /^APP_URL has a \* under a public suffix, where anybody can take a name/,
  );
  assertMatch(
    await complaint({ APP_URL: "https://*.example.com" }),
    /^APP_URL must begin with an origin without/,
  );
  assertMatch(
    await complaint({ PIPEDRIVE_API_ORIGINS: "https://*.example.com" }),
    /^PIPEDRIVE_API_ORIGINS is not/,
  );
});

Deno.test("readSettings() finds every provider's own variables by its name", async () => {
  const more = { ACME_CRM_CLIENT_ID: "a", ACME_CRM_CLIENT_SECRET: "b" };
  const { providers } = await read(more, [pipedrive, { ...pipedrive, name: "acme-crm" }]);
  assertEquals([providers.get("acme-crm")?.client_id, providers.get("acme-crm")?.client_secret], ["a", "b"]);
});

Deno.test("readSettings() takes a slash off the callback's URL, because a redirect URI is compared as text", async () => {
  const { callback_url } = await read({ OAUTH_CALLBACK_URL: `${GOOD.OAUTH_CALLBACK_URL}/` });
  assertEquals(callback_url, GOOD.OAUTH_CALLBACK_URL);
});

Deno.test("readSettings() names all that is missing in one message", async () => {
  const error = await assertRejects(() => readSettings(() => undefined, [pipedrive]), PublicError);
  for (const name of Object.keys(GOOD).filter((name) => !name.startsWith("PIPEDRIVE_"))) {
    assert(error.message.includes(`${name} is not set`), error.message);
  }
  assert(!error.message.includes("ORIGIN"), error.message);
});

Deno.test("readSettings() offers no provider that has no settings, and one that is set by half stops nobody else", async () => {
  const acme = { ...pipedrive, name: "acme" };
  const none = await read({}, [pipedrive, acme]);
  assertEquals([[...none.providers.keys()], [...none.faults.keys()]], [["pipedrive"], []]);
  const half = await read({ ACME_CLIENT_ID: "a" }, [pipedrive, acme]);
  assertEquals([...half.providers.keys()], ["pipedrive"]);
  assertEquals([...half.faults], [["acme", "ACME_CLIENT_SECRET is not set"]]);
});

Deno.test("readSettings() takes the application's scopes, the deployment's values and its hosts", async () => {
  const provider = define({
    name: "acme",
    documentation: "https://acme.example/docs",
    authorization_endpoint: "https://{region}.acme.example/authorize",
    token_endpoint: "https://{host}/token",
    values: {
      region: { kind: "label", from: "deployment", default: "eu" },
      host: { kind: "host", from: "deployment" },
    },
    account: { request: "/me", key: ["account:id"] },
    api: { base: "https://{host}" },
  });
  const own = { ACME_CLIENT_ID: "a", ACME_CLIENT_SECRET: "b", ACME_HOST: "acme.corp.example" };
  const { providers } = await read({ ...own, ACME_SCOPES: "deals:read, users:read  x" }, [provider]);
  const { scopes, values, hosts } = providers.get("acme") ?? {};
  assertEquals(scopes, ["deals:read", "users:read", "x"]);
  assertEquals([values, hosts], [{ host: "acme.corp.example" }, ["acme.corp.example"]]);
  const without = await read({ ...own, ACME_HOST: undefined }, [provider]);
  assertEquals(without.faults.get("acme"), "ACME_HOST is not set");
  for (
    const host of ["acme.corp.example:8443", "10.0.0.1", "localhost", "a@acme.example", "https://x.example"]
  ) {
    const wrong = await read({ ...own, ACME_HOST: host }, [provider]);
    assertEquals(wrong.faults.get("acme"), "ACME_HOST is not allowed as host");
  }
  const regions = await read({ ...own, ACME_REGION: "eu.evil" }, [provider]);
  assertEquals(regions.faults.get("acme"), "ACME_REGION is not allowed as label");
});

Deno.test("readSettings() counts an empty variable as missing", async () => {
  for (const name of Object.keys(GOOD)) {
    assertEquals(await complaint({ [name]: " " }), `${name} is not set`);
  }
});

const malformed: [string, string][] = [
  ["APP_URL", "app.example"],
  ["APP_URL", "http://app.example"],
  ["APP_URL", "https://app.example/canary"],
  ["APP_URL", "https://app.example,"],
  ["APP_URL", "https://canary@app.example"],
  ["APP_URL", "https://app.example?"],
  ["APP_URL", "javascript:canary"],
  ["OAUTH_CALLBACK_URL", "/functions/v1/oauth-callback"],
  ["OAUTH_CALLBACK_URL", "http://project.supabase.co/functions/v1/oauth-callback"],
  ["OAUTH_CALLBACK_URL", "http://localhost.evil.example/canary"],
  ["OAUTH_CALLBACK_URL", "https://project.supabase.co/functions/v1/oauth-callback?canary"],
  ["OAUTH_CALLBACK_URL", "https://project.supabase.co/functions/v1/oauth-callback#"],
  ["TOKEN_ENCRYPTION_KEYS", "canary"],
  ["TOKEN_ENCRYPTION_KEYS", "k1:Y2FuYXJ5"],
  ["TOKEN_ENCRYPTION_KEYS", `${KEYS},${KEYS}`],
  ["PIPEDRIVE_CLIENT_ID", "canary\n" + "canary"],
  ["PIPEDRIVE_CLIENT_SECRET", "cänary"],
  ["PIPEDRIVE_OAUTH_ORIGIN", "http://10.0.0.1"],
  ["PIPEDRIVE_OAUTH_ORIGIN", "https://a.example,https://b.example"],
  ["PIPEDRIVE_OAUTH_ORIGIN", "https://a.example/oauth"],
  ["PIPEDRIVE_API_ORIGINS", "*.pipedrive.com"],
  ["PIPEDRIVE_API_ORIGINS", "https://a.example https://b.example"],
];

for (const [name, value] of malformed) {
  Deno.test(`readSettings() refuses ${name}=${JSON.stringify(value).slice(0, 50)} without repeating it`, async () => {
    const message = await complaint({ [name]: value });
    assert(message.includes(name), message);
    assert(!message.includes("canary") && !message.includes(value), message);
    assertEquals(message.split("; ").length, 1);
  });
}

Deno.test("readSettings() refuses a list of clients that holds anything but UUIDs", async () => {
  for (const list of ["canary", "9a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d,", ","]) {
    const message = await complaint({ ALLOWED_OAUTH_CLIENT_IDS: list });
    assertEquals(message, "ALLOWED_OAUTH_CLIENT_IDS is not a comma list of UUIDs");
  }
});

function trusted(changes: Record<string, string | undefined>) {
  const variables = { ...GOOD, ...changes };
  return readTrusted((name) => variables[name]);
}

Deno.test("readTrusted() knows a hosted project's issuer by its address, and by the callback's own domain", () => {
  const SUPABASE_URL = "https://abcdefghijklmnopqrst.supabase.co/";
  const issuer = "https://abcdefghijklmnopqrst.supabase.co/auth/v1";
  assertEquals(trusted({ SUPABASE_URL, OAUTH_CALLBACK_URL: undefined }).issuers, [issuer, issuer]);
  const OAUTH_CALLBACK_URL = "https://api.example.com/functions/v1/oauth-callback";
  const { issuers } = trusted({ SUPABASE_URL, OAUTH_CALLBACK_URL });
  assertEquals(issuers, [issuer, "https://api.example.com/auth/v1"]);
});

Deno.test("readTrusted() knows no issuer where the project's address is none that a token names", () => {
  const addresses = [
    "http://kong:8000",
    "http://127.0.0.1:54321",
    "https://self-hosted.example",
    "",
    undefined,
  ];
  for (const SUPABASE_URL of addresses) assertEquals(trusted({ SUPABASE_URL }).issuers, undefined);
});

Deno.test("readTrusted() reads the allowed clients as Auth writes them, and none if none are named", () => {
  const ALLOWED_OAUTH_CLIENT_IDS =
    "9A8B7C6D-5E4F-4A2B-8C0D-9E8F7A6B5C4D, 0a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d";
  assertEquals(trusted({ ALLOWED_OAUTH_CLIENT_IDS }).oauth_client_ids, [
    "9a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d",
    "0a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d",
  ]);
  assertEquals(trusted({}).oauth_client_ids, []);
  assertEquals(trusted({ ALLOWED_OAUTH_CLIENT_IDS: `${ALLOWED_OAUTH_CLIENT_IDS},` }).oauth_client_ids, []);
});
