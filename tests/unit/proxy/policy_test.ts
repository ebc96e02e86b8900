import { loadAll } from "../../../supabase/functions/_shared/providers/mod.ts";
import { allowed } from "../../../supabase/functions/proxy/allowed.ts";
import { type Call, compile, NO_LINE } from "../../../supabase/functions/proxy/policy.ts";
import { RULES } from "../../../supabase/functions/proxy/rules.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { CALL, judged, refusal } from "./scene.ts";

const providers = await loadAll();

Deno.test("the application's own policy is one that compile() accepts", () => {
  const { user, secret } = compile(allowed, providers);
  assertEquals([...user.keys()], Object.keys(allowed.users));
  assertEquals([...secret.keys()], Object.keys(allowed.secret_keys));
});

Deno.test("a policy that says nothing lets nothing through", () => {
  const empty = compile({ users: {}, secret_keys: {} }, providers);
  for (const caller of ["user", "secret"] as const) {
    for (const provider of providers.keys()) {
      const call = { caller, provider, path: "/api/v2/deals/7" };
      assertEquals(judged(call, empty), { allowed: false, why: NO_LINE });
    }
  }
});

const PASS: readonly Partial<Call>[] = [
  { path: "/deals/7" },
  { path: "/deals/7", method: "HEAD" },
  { path: "/deals/a.b" },
  { path: "/deals/.env" },
  { path: "/deals/main...dev" },
  { path: "/deals/7." },
  { path: "/deals/*" },
  { path: "/deals/**" },
  { path: "/deals/search" },
  { path: "/deals/x:send" },
  { path: "/deals/(id='7')" },
  { path: "/deals/a,b=c&d!$+~_-" },
  { path: "/deals/jane@acme.example" },
  { path: "/deals/jane%40acme.example" },
  { path: "/deals/a%20b" },
  { path: "/deals/J%C3%BCrgen" },
  { path: "/deals/%E3%81%82%E3%81%84" },
  { path: "/deals/%f0%9f%91%a9%e2%80%8d%f0%9f%91%a6" },
  { path: "/deals/7/products" },
  { path: "/files/a" },
  { path: "/files/a/b/c.txt" },
  { path: "/files/.github/workflows" },
  { path: "/items/7/" },
  { caller: "secret", base: "files", path: "/v1/7" },
  { caller: "secret", path: "/ping", method: "HEAD" },
  { caller: "secret", path: "/" },
];

for (const call of PASS) {
  const { caller, method, base = "", path } = { ...CALL, ...call };
  Deno.test(`judge() lets a ${caller} ${method} ${base}${path}`, () => {
    assertEquals(judged(call), { allowed: true, changes: false, search: "" });
  });
}

/** By the reason: the paths that are refused for it. */
const HOSTILE: Readonly<Record<string, readonly string[]>> = {
  "the path is not as the URL parser writes it": [
    ...["", "deals/7", "/deals/.", "/deals/..", "/deals/./7", "/deals/../7", "/deals/7/../../admin"],
    ...["/deals/%2e", "/deals/%2E%2e", "/deals/.%2e", "/deals/%2e./admin", "/files/%2e%2e/%2e%2e/admin"],
    ...["\\deals\\7", "/deals\\7", "/deals/7\\..\\..\\admin", "/deals/7\t", "/deals/.\t.", "/deals/7\n"],
    ...["/deals/7\r\nHost: evil.example", "/deals/\0", "/deals/7 ", "/deals/a b", "/deals/7#x", "/deals/7?x"],
    ...["/deals/\u00e9", "/deals/\uff0e\uff0e", "/deals/\ud800", '/deals/"', "/deals/<7>", "/deals/{id}"],
    ...["/deals/`id`", "@evil.example/deals/7", ":443/deals/7", ".evil.example/deals/7"],
    ...["https://evil.example/deals/7", "\\\\evil.example/deals/7"],
  ],
  "the path is not UTF-8, percent-encoded": [
    ...["/deals/%", "/deals/%2", "/deals/%zz", "/deals/7%", "/deals/%u002e%u002e", "/deals/%c0%ae%c0%ae"],
    ...["/deals/%c0%af", "/deals/%e0%80%ae", "/deals/%f0%80%80%ae", "/deals/%ff", "/deals/%ed%a0%80"],
    ...["/deals/%f5%80%80%80", "/deals/%c3", "/deals/%80"],
  ],
  "the path has an encoded control character": [
    ...["/deals/%00", "/deals/7%00.json", "/deals/7%0a", "/deals/7%0d%0aHost:%20evil.example", "/deals/%09"],
    ...["/deals/.%09.", "/deals/..%00", "/deals/%7f", "/deals/%1F", "/deals/%c2%85", "/deals/%e2%80%a8"],
  ],
  "the path has an empty segment": [
    ...["//", "//deals/7", "/deals//7", "/deals//", "/deals///", "/deals/7//products", "/files//"],
    ...["//evil.example/deals/7", "/deals/%e2%80%8b", "/deals/%c2%ad%ef%bb%bf"],
  ],
  "the path has a segment of dots and blanks alone": [
    ...["/deals/...", "/deals/%20", "/deals/.%20", "/deals/..%20", "/deals/%20..", "/deals/.%20."],
    ...["/files/a/...%20/b", "/deals/%2e%2e%2e", "/deals/%c2%a0", "/deals/%ef%bc%8e%ef%bc%8e"],
    ...["/deals/%e2%80%a5", "/deals/%e2%80%a4.", "/deals/.%e2%80%8b.", "/deals/%c2%ad.."],
    ...["/deals/%ef%bb%bf..", "/deals/%e3%80%82%e3%80%82"],
  ],
  "the path has an encoded slash or backslash": [
    ...["/deals/%2f", "/deals/7%2Fproducts", "/deals/..%2f..%2fadmin", "/deals/%2e%2e%2fadmin"],
    ...["/deals/7%5c", "/deals/..%5C..%5cadmin", "/deals/%5c%5cevil.example", "/deals/%ef%bc%8f"],
    ...["/deals/%e2%88%95", "/deals/%e2%81%84", "/deals/%ef%bc%bc", "/deals/%e2%88%96", "/deals/%c2%a5"],
    ...["/deals/%e2%84%80"],
  ],
  "the path has an encoded percent sign": [
    ...["/deals/%25", "/deals/%252f", "/deals/%252e%252e", "/deals/%2525", "/deals/7%2500"],
    ...["/deals/%25c0%25ae", "/deals/%ef%bc%852f", "/deals/%ef%b9%aa2e"],
  ],
  "the path has a semicolon": [
    ...["/deals/;", "/deals/7;", "/deals/..;", "/deals/..;/admin", "/deals/7;jsessionid=1", "/deals/7%3b"],
    ...["/deals/%3B..", "/files/a;b/c", "/deals/%cd%be", "/deals/%ef%bc%9b"],
  ],
  "the path has an encoded question mark or number sign": [
    ...["/deals/7%3f", "/deals/7%3F_method=DELETE", "/deals/%23", "/deals/7%23x", "/deals/%ef%bc%9f"],
    ...["/deals/%ef%bc%83"],
  ],
  [NO_LINE]: [
    ...["/", "/deals", "/deals/", "/deals/7/", "/Deals/7", "/DEALS/7", "/deals./7", "/deals%20/7"],
    ...["/%64eals/7", "/de%61ls/7", "/deals/7/Products", "/deals/7/%70roducts", "/deals/7/products/"],
    ...["/deals/7/products/1", "/deals/7/notes", "/files", "/files/", "/files/a/", "/items/7", "/items/"],
    ...["/v2/deals/7", "/admin", "/proxy/acme/deals/7", "/deals:7", "/%ef%bd%84eals/7"],
  ],
};

for (const [why, paths] of Object.entries(HOSTILE)) {
  for (const path of paths) {
    Deno.test(`judge() refuses ${JSON.stringify(path)}: ${why}`, () => {
      assertEquals(refusal({ path }), why);
    });
  }
}

Deno.test("the hostile paths are many, and there are some for every rule", () => {
  const paths = Object.values(HOSTILE).flat();
  assert(paths.length >= 100 && new Set(paths).size === paths.length, `${paths.length} paths`);
  const rules = RULES.map(({ why }) => why).filter((why) => why.startsWith("the path"));
  assertEquals([...rules, NO_LINE], Object.keys(HOSTILE));
});

const NOT_LISTED: Readonly<Record<string, Partial<Call>>> = {
  "another method": { method: "DELETE" },
  "a method in small letters": { method: "get" },
  "a method that no line can have": { method: "TRACE" },
  "a GET where only HEAD is": { caller: "secret", path: "/ping" },
  "what only users may": { caller: "secret" },
  "what only secret keys may": { method: "DELETE" },
  "another provider": { provider: "acme2" },
  "a provider in capitals": { provider: "ACME" },
  "a provider that is every object's": { provider: "__proto__" },
  "no provider": { provider: "" },
  "a base where the line has none": { base: "files" },
  "a base by the name of nothing": { base: "" },
  "a base that is every object's": { base: "constructor" },
  "no base where the line has one": { caller: "secret", path: "/v1/7" },
};

for (const [what, call] of Object.entries(NOT_LISTED)) {
  Deno.test(`judge() refuses ${what}`, () => assertEquals(refusal(call), NO_LINE));
}
