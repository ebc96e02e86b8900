import fc from "fast-check";
import { judge } from "../../../supabase/functions/_shared/oauth/values.ts";
import { pipedrive } from "../../../supabase/functions/_shared/providers/pipedrive.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { makeClient } from "../../support/make.ts";

const { api_domain: API_DOMAIN } = pipedrive.values;
assert(API_DOMAIN);
const SANDBOX = "http://127.0.0.1:9000";
const client = makeClient({ api_origins: [SANDBOX, "https://sandbox.example:8443"] });

Deno.test("an origin may be one of the provider's hosts and the sandbox's origins, as they are written", () => {
  for (
    const origin of [
      "https://user-company.pipedrive.com",
      "https://a.pipedrive.com",
      "https://api.pipedrive.com",
      `https://${"a".repeat(63)}.pipedrive.com`,
      ...client.api_origins,
    ]
  ) assertEquals(judge(client, API_DOMAIN, origin), origin);
});

const refused = [
  "",
  "acme.pipedrive.com",
  "//acme.pipedrive.com",
  "http://acme.pipedrive.com",
  "ftp://acme.pipedrive.com",
  "javascript:alert(1)",
  "https://pipedrive.com",
  "https://.pipedrive.com",
  "https://-acme.pipedrive.com",
  "https://a.b.pipedrive.com",
  "https://acme.pipedrive.com.",
  "https://acme.pipedrive.com/",
  "https://acme.pipedrive.com/api",
  "https://acme.pipedrive.com?x",
  "https://acme.pipedrive.com#x",
  "https://acme.pipedrive.com:443",
  "https://acme.pipedrive.com:8443",
  "https://ACME.pipedrive.com",
  "HTTPS://acme.pipedrive.com",
  " https://acme.pipedrive.com",
  "https://acme.pipedrive.com\n",
  "https://ac\tme.pipedrive.com",
  "https:acme.pipedrive.com",
  "https:\\\\acme.pipedrive.com",
  "https://evil.example#.pipedrive.com",
  "https://evil.example?.pipedrive.com",
  "https://evil.example/.pipedrive.com",
  "https://evil.example\\.pipedrive.com",
  "https://acme.pipedrive.com.evil.example",
  "https://acmepipedrive.com",
  "https://acme.pipedrive.com@evil.example",
  "https://user@acme.pipedrive.com",
  "https://user:password@acme.pipedrive.com",
  "https://@acme.pipedrive.com",
  "https://acme%2epipedrive.com",
  "https://acme.pipedrive%2ecom",
  "https://evil.example%00.pipedrive.com",
  "https://acme\u3002pipedrive\u3002com",
  "https://acme.pipedrive\uff0ecom",
  "https://\uff41cme.pipedrive.com",
  "https://\u0430cme.pipedrive.com",
  "https://ac\u00adme.pipedrive.com",
  "https://xn--cme-5cd.pipedrive.com",
  `https://${"a".repeat(64)}.pipedrive.com`,
  "https://127.0.0.1",
  "https://2130706433",
  "https://0177.0.0.1",
  "https://0x7f.1",
  "https://0.0.0.0",
  "https://169.254.169.254",
  "https://[::1]",
  "https://[::ffff:169.254.169.254]",
  "http://127.0.0.1",
  "http://127.0.0.1:9001",
  "http://127.0.0.1:9000/",
  "http://2130706433:9000",
  "https://127.0.0.1:9000",
  "http://localhost:9000",
  "https://sandbox.example",
];

const same = /^\s*https:\/\/acme\.pipedrive\.com(:443)?\/?\s*$|^http:\/\/127\.0\.0\.1:9000\/$/i;
for (const origin of refused) {
  // What only looks otherwise is written as the parser would write it.
  const expected = same.test(origin) ? new URL(origin).origin : null;
  Deno.test(`an origin ${JSON.stringify(origin.slice(0, 60))} is ${expected ?? "refused"}`, () => {
    assertEquals(judge(client, API_DOMAIN, origin), expected);
  });
}

Deno.test("an origin is a text", () => {
  for (const other of [undefined, null, 7, ["https://acme.pipedrive.com"], { length: 1 }]) {
    assertEquals(judge(client, API_DOMAIN, other), null);
  }
});

Deno.test("an origin takes plain http from the settings for this machine alone", () => {
  const careless = makeClient({ api_origins: ["http://sandbox.example", "http://localhost:9000"] });
  assertEquals(judge(careless, API_DOMAIN, "http://sandbox.example"), null);
  assertEquals(judge(careless, API_DOMAIN, "http://localhost:9000"), "http://localhost:9000");
});

Deno.test("no origin gets through whose parsed host is not on the list", () => {
  const piece = fc.oneof(
    fc.constantFrom(...refused),
    fc.constantFrom(
      "https:",
      "http:",
      "//",
      "/",
      "\\",
      "@",
      "#",
      "?",
      ":",
      "443",
      ".",
      "\u3002",
      "%2e",
      "\t",
    ),
    fc.constantFrom("acme", "pipedrive.com", ".pipedrive.com", "evil.example", "127.0.0.1", "[::1]", SANDBOX),
    fc.string({ unit: "binary", maxLength: 4 }),
  );
  const text = fc.array(piece, { minLength: 1, maxLength: 7 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.oneof(text, text.map((rest) => `https://${rest}`)), (origin) => {
      const judged = judge(client, API_DOMAIN, origin);
      if (judged === null || client.api_origins.includes(judged)) return;
      const { protocol, hostname, port, username, password, pathname, search, hash } = new URL(judged);
      const [company, ...domain] = hostname.split(".");
      assertEquals([protocol, domain, port, username, password], [
        "https:",
        ["pipedrive", "com"],
        "",
        "",
        "",
      ]);
      assertEquals([pathname, search, hash], ["/", "", ""]);
      assert(/^[a-z0-9-]+$/.test(company ?? "") && judged === `https://${hostname}`);
    }),
    { numRuns: 10_000 },
  );
});
