/** Which origins a browser may be sent to, where the list holds previews. */
import { isListed, wildcardProblems } from "../../supabase/functions/_shared/app_origins.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";

const LIST = [
  "https://app.example.com",
  "https://*.preview.example.com",
  "https://*.staging.example.com:8443",
];

Deno.test("a listed origin is itself, and a * is one label", () => {
  const listed = [
    "https://app.example.com",
    "https://a.preview.example.com",
    "https://feature-7.preview.example.com",
    "https://xn--bcher-kva.preview.example.com",
    "https://a.staging.example.com:8443",
  ];
  for (const origin of listed) assertEquals([origin, isListed(origin, LIST)], [origin, true]);
});

Deno.test("nothing else is listed, however near it comes", () => {
  const others = [
    "null",
    "",
    "https://example.com",
    "https://preview.example.com",
    "https://.preview.example.com",
    "https://a.b.preview.example.com",
    "https://*.preview.example.com",
    "http://a.preview.example.com",
    "https://a.preview.example.com:8443",
    "https://a.staging.example.com",
    "https://a.preview.example.com.evil.example",
    "https://a.preview.example.com.",
    "https://evil/.preview.example.com",
    "https://evil:80@x.preview.example.com",
    "https://evil?.preview.example.com",
    "https://evil.example/.preview.example.com",
    "https://evil.example#.preview.example.com",
    "https://apreview.example.com",
    "https://app.example.com.",
    "https://x.app.example.com",
  ];
  for (const origin of others) assertEquals([origin, isListed(origin, LIST)], [origin, false]);
});

const SHARED = [
  "vercel.app",
  "netlify.app",
  "pages.dev",
  "github.io",
  "web.app",
  "herokuapp.com",
  "azurestaticapps.net",
  "eu-west-1.compute.amazonaws.com",
  "compute.amazonaws.com",
  "co.uk",
  "com",
  "localhost",
  "xn--55qx5d.cn",
];
const OWN = ["preview.example.com", "example.com", "example.co.uk", "city.kawasaki.jp", "team.vercel.app"];

Deno.test("under a public suffix a * is refused, with the reason and the two ways that work", async () => {
  for (const domain of SHARED) {
    const [problem = ""] = await wildcardProblems(["https://app.example.com", `https://*.${domain}`]);
    assertMatch(problem, /anybody can take a name .*under a domain of your own.*a branch project/);
  }
  for (const domain of OWN) {
    assertEquals(await wildcardProblems(["https://app.example.com", `https://*.${domain}`]), []);
  }
});

Deno.test("a * is the whole first label with https, and never the default", async () => {
  const wrong = [
    "https://*",
    "https://*.*.example.com",
    "https://a.*.example.com",
    "https://a*.example.com",
    "http://*.localhost",
    "https://*.vercel.app.",
  ];
  for (const origin of wrong) {
    const problems = await wildcardProblems(["https://app.example.com", origin]);
    assertEquals([origin, ...problems], [origin, "may have a * only as the whole first label, with https"]);
  }
  assertMatch(
    String(await wildcardProblems(["https://*.example.com"])),
    /^must begin with an origin without \*/,
  );
});
