import { judge, type Target, target } from "../../../supabase/functions/proxy/policy.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { CALL, LINES } from "./scene.ts";

const NOBODY: Target = { provider: "", base: undefined, path: "", search: "" };
const HOST = "http://localhost:8000";

/** What follows the host, and what is read there. */
const ADDRESSES: Readonly<Record<string, Partial<Target>>> = {
  "/functions/v1/proxy/acme/deals/7": { provider: "acme", path: "/deals/7" },
  "/proxy/acme/deals/7": { provider: "acme", path: "/deals/7" },
  "/proxy/acme/deals/7?a=1&b=%2f?c": { provider: "acme", path: "/deals/7", search: "?a=1&b=%2f?c" },
  "/proxy/acme:files/v1/7?a=:/b": { provider: "acme", base: "files", path: "/v1/7", search: "?a=:/b" },
  "/proxy/acme/v1/x:send": { provider: "acme", path: "/v1/x:send" },
  "/proxy/acme:/deals": { provider: "acme", base: "", path: "/deals" },
  "/proxy/acme": { provider: "acme" },
  "/proxy/acme/": { provider: "acme", path: "/" },
  "/proxy/acme?": { provider: "acme", search: "?" },
  "/proxy/acme//deals/7": { provider: "acme", path: "//deals/7" },
  "/proxy/acme/deals/%2E%2e%2f7": { provider: "acme", path: "/deals/%2E%2e%2f7" },
  "/proxy/acme/deals/../7": { provider: "acme", path: "/deals/../7" },
  "/proxy/acme/deals\\7\t": { provider: "acme", path: "/deals\\7\t" },
  "/proxy/acme/deals/7#?x": { provider: "acme", path: "/deals/7#", search: "?x" },
  "/proxy/acme/deals/7?x#y": { provider: "acme", path: "/deals/7", search: "?x#y" },
  "/proxy/proxy/proxy/acme": { provider: "proxy", path: "/proxy/acme" },
  "/proxy/ac%6de/deals": { provider: "ac%6de", path: "/deals" },
  "/proxy": {},
  "/proxy/": {},
  "/proxy//acme/deals": {},
  "/proxy/:files/v1": {},
  "/proxies/acme/deals": {},
  "/functions/v1/functions/v1/proxy/acme": {},
  "/x/proxy/acme/deals": {},
  "/?/proxy/acme/deals": {},
};

for (const [address, expected] of Object.entries(ADDRESSES)) {
  Deno.test(`target() cuts ${JSON.stringify(address)} and decodes nothing`, () => {
    assertEquals(target({ url: HOST + address }), { ...NOBODY, ...expected });
  });
}

Deno.test("target() looks behind the host, whatever it is", () => {
  assertEquals(target({ url: "http://proxy/acme/deals" }), NOBODY);
  assertEquals(target({ url: "https://x.supabase.co/functions/v1/proxy/acme/a" }).path, "/a");
});

Deno.test("what a runtime has parsed is read as it is then, with whatever provider is left", () => {
  const url = `${HOST}/functions/v1/proxy/other/%2e%2E/acme/deals\\7/../8\t?q=a b`;
  const expected = { provider: "acme", base: undefined, path: "/deals/8", search: "?q=a%20b" };
  assertEquals(target(new Request(url)), expected);
});

Deno.test("an address that names no provider, or no path, passes for nobody", () => {
  for (const address of ["/proxy", "/proxy/acme", "/proxy/acme?a=1"]) {
    assert(!judge(LINES, { ...CALL, ...target({ url: HOST + address }) }).allowed, address);
  }
});
