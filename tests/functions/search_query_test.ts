import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { readSearch } from "../../supabase/functions/search-persons/query.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";

const ADDRESS = "http://localhost/functions/v1/search-persons";
const ID = "0b1f6d3a-7c53-4a4e-9d2b-3f5a6c7e8d90";

const get = (query: string) => new Request(`${ADDRESS}?${query}`);
const post = (body: unknown, query = "") =>
  new Request(ADDRESS + query, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });

Deno.test("a GET and a POST of the same search are the same search", async () => {
  const cursor = "eyJmaWVsZCI6ImlkIn0";
  const fromGet = await readSearch(get(
    `term=jane&fields=name,email&exact_match=true&organization_id=7&include_fields=person.picture&limit=50&cursor=${cursor}&connection_id=${ID}`,
  ));
  const fromPost = await readSearch(post({
    term: "jane",
    fields: "name,email",
    exact_match: true,
    organization_id: 7,
    include_fields: "person.picture",
    limit: 50,
    cursor,
    connection_id: ID,
  }));
  assertEquals(fromGet, fromPost);
  assertEquals(fromGet, {
    connection_id: ID,
    query: {
      term: "jane",
      fields: "name,email",
      exact_match: "true",
      organization_id: "7",
      include_fields: "person.picture",
      limit: "50",
      cursor,
    },
  });
});

const kept: [string, Request, string][] = [
  ["a plus in an address, escaped in the URL", get("term=a%2Bb%40example.com"), "a+b@example.com"],
  ["a plus in an address, in a body", post({ term: "a+b@example.com" }), "a+b@example.com"],
  ["a plus that stands for a blank in the URL", get("term=jane+doe"), "jane doe"],
  ["blanks around it, taken off", post({ term: "  jane  " }), "jane"],
  ["letters of any script", post({ term: "Õie 東京" }), "Õie 東京"],
  ["one character with exact_match", get("term=x&exact_match=true"), "x"],
  ["256 characters, however many units each takes", post({ term: "😀".repeat(256) }), "😀".repeat(256)],
];

for (const [what, request, term] of kept) {
  Deno.test(`a term keeps ${what}`, async () => {
    assertEquals((await readSearch(request)).query.term, term);
  });
}

const refused: [string, Request][] = [
  ["term", get("")],
  ["term", get("term=")],
  ["term", get("term=%20%20")],
  ["term", get("term=x")],
  ["term", get("term=x&exact_match=false")],
  ["term", get("term=%20x%20")],
  ["term", post({})],
  ["term", post({ term: 42 })],
  ["term", post({ term: null })],
  ["term", post({ term: ["jane"] })],
  ["term", post({ term: "x".repeat(257) })],
  ["term", post({ term: "\ud800x" })],
  ["term", get("term=jane&term=john")],
  ["fields", get("term=jane&fields=")],
  ["fields", get("term=jane&fields=name,password")],
  ["fields", get("term=jane&fields=name,,email")],
  ["fields", post({ term: "jane", fields: ["name"] })],
  ["exact_match", get("term=jane&exact_match=1")],
  ["exact_match", get("term=jane&exact_match=TRUE")],
  ["exact_match", post({ term: "jane", exact_match: "true" })],
  ["organization_id", get("term=jane&organization_id=0")],
  ["organization_id", get("term=jane&organization_id=1.5")],
  ["organization_id", get("term=jane&organization_id=99999999999999999999")],
  ["organization_id", post({ term: "jane", organization_id: "7" })],
  ["organization_id", post({ term: "jane", organization_id: -7 })],
  ["include_fields", get("term=jane&include_fields=person.email")],
  ["limit", get("term=jane&limit=0")],
  ["limit", get("term=jane&limit=501")],
  ["limit", get("term=jane&limit=ten")],
  ["limit", get("term=jane&limit=0x10")],
  ["limit", get("term=jane&limit=1e2")],
  ["limit", post({ term: "jane", limit: "50" })],
  ["limit", post({ term: "jane", limit: 1.5 })],
  ["limit", post({ term: "jane", limit: null })],
  ["cursor", get("term=jane&cursor=")],
  ["cursor", get("term=jane&cursor=a%0Ab")],
  ["cursor", post({ term: "jane", cursor: "x".repeat(1025) })],
  ["connection_id", get("term=jane&connection_id=7")],
  ["connection_id", post({ term: "jane", connection_id: `${ID}'--` })],
  ["user_id", post({ term: "jane", user_id: ID })],
  ["api_domain", get("term=jane&api_domain=https://evil.example")],
  ["start", get("term=jane&start=0")],
  ["__proto__", get("term=jane&__proto__=x")],
];

for (const [field, request] of refused) {
  const shown = request.method === "GET" ? new URL(request.url).search : await request.clone().text();
  Deno.test(`INVALID_REQUEST names "${field}" for ${request.method} ${shown.slice(0, 60)}`, async () => {
    const error = await assertRejects(() => readSearch(request), PublicError);
    assertEquals(error.code, "INVALID_REQUEST");
    assert(error.message.startsWith(`"${field}"`), error.message);
  });
}

Deno.test("a POST with parameters in its address is refused rather than half read", async () => {
  await assertRejects(() => readSearch(post({ term: "jane" }, "?limit=5")), PublicError, "from the body");
});

Deno.test("the platform's region parameter is not ours to refuse", async () => {
  assertEquals((await readSearch(get("term=jane&forceFunctionRegion=eu-central-1"))).query, { term: "jane" });
  assertEquals((await readSearch(post({ term: "jane" }, "?forceFunctionRegion=eu-central-1"))).query, {
    term: "jane",
  });
});

Deno.test("no refusal repeats what was searched for", async () => {
  for (const request of [get("term=canary&limit=canary"), post({ term: "canary", limit: "canary" })]) {
    const error = await assertRejects(() => readSearch(request), PublicError);
    assert(!`${error.message}${error.details.reason}`.includes("canary"));
  }
});
