import fc from "fast-check";
import { allowedApiOrigin, readOrigin } from "../../../supabase/functions/_shared/oauth/api_origin.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { makeClient } from "../../support/make.ts";

const SANDBOX = "http://127.0.0.1:9000";
const client = makeClient({ api_origins: [SANDBOX, "https://sandbox.example:8443"] });

Deno.test("allowedApiOrigin() allows the provider's hosts and the sandbox's origins, as they are written", () => {
  for (
    const origin of [
      "https://user-company.pipedrive.com",
      "https://a.pipedrive.com",
      "https://api.pipedrive.com",
      `https://${"a".repeat(63)}.pipedrive.com`,
      ...client.api_origins,
    ]
  ) assertEquals(allowedApiOrigin(client, origin), origin);
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

for (const origin of refused) {
  Deno.test(`allowedApiOrigin() refuses ${JSON.stringify(origin.slice(0, 60))}`, () => {
    assertEquals(allowedApiOrigin(client, origin), null);
  });
}

Deno.test("readOrigin() leaves everything as it came that could lead elsewhere", () => {
  const same =
    /^\s*https:\/\/(acme\.pipedrive\.com|ACME\.pipedrive\.com)(:443)?\/?\s*$|^http:\/\/127\.0\.0\.1:9000\/$/i;
  for (const origin of refused) {
    const expected = same.test(origin) ? new URL(origin).origin : null;
    assertEquals(allowedApiOrigin(client, readOrigin(origin) ?? ""), expected, JSON.stringify(origin));
  }
  for (const other of [undefined, null, 7, ["https://acme.pipedrive.com"], { length: 1 }]) {
    assertEquals(readOrigin(other), null);
  }
  assertEquals(readOrigin("https://\u212Aiosk.pipedrive.com"), "https://\u212Aiosk.pipedrive.com");
  assertEquals(readOrigin("http://localhost:80/"), "http://localhost");
});

Deno.test("allowedApiOrigin() takes plain http from the settings for this machine alone", () => {
  const careless = makeClient({ api_origins: ["http://sandbox.example", "http://localhost:9000"] });
  assertEquals(allowedApiOrigin(careless, "http://sandbox.example"), null);
  assertEquals(allowedApiOrigin(careless, "http://localhost:9000"), "http://localhost:9000");
});

Deno.test("allowedApiOrigin() lets a careless pattern open no more than other https hosts", () => {
  const provider = { ...client.provider, api: { origins: /acme/ } };
  const careless = makeClient({ provider });
  assertEquals(allowedApiOrigin(careless, "https://acme.example"), "https://acme.example");
  for (
    const origin of [
      "http://acme.example",
      "https://acme.example:8443",
      "https://acme.example/path",
      "https://evil.example#acme",
      "https://acme@evil.example",
      "https://ACME.example/acme",
    ]
  ) assertEquals(allowedApiOrigin(careless, origin), null);
});

Deno.test("allowedApiOrigin() lets nothing through whose parsed host is not on the list", () => {
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
    fc.property(fc.oneof(text, text.map((rest) => `https://${rest}`)), fc.boolean(), (origin, read) => {
      const judged = allowedApiOrigin(client, read ? readOrigin(origin) ?? "" : origin);
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
