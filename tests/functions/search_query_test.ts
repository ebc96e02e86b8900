/** What a search may say, by GET and by POST; nothing is coerced, and what does not fit is named. */
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
  const texts = {
    term: "jane",
    fields: "name,email",
    exact_match: "true",
    organization_id: "7",
    include_fields: "person.picture",
    limit: "50",
    cursor: "eyJmaWVsZCI6ImlkIn0",
  };
  const search = { connection_id: ID, query: texts };
  const body = { ...texts, exact_match: true, organization_id: 7, limit: 50, connection_id: ID };
  assertEquals(await readSearch(get(`${new URLSearchParams({ ...texts, connection_id: ID })}`)), search);
  assertEquals(await readSearch(post(body)), search);
});

const kept: [string, Request, string][] = [
  ["a plus in an address, escaped in the URL", get("term=a%2Bb%40example.com"), "a+b@example.com"],
  ["a plus in an address, in a body", post({ term: "a+b@example.com" }), "a+b@example.com"],
  ["a plus that stands for a blank in the URL", get("term=jane+doe"), "jane doe"],
  ["blanks around it, taken off", post({ term: "  jane  " }), "jane"],
  ["letters of any script", post({ term: "Õie 東京" }), "Õie 東京"],
  ["a percent sign that escapes nothing", get("term=100%&limit=5"), "100%"],
  ["one character with exact_match", get("term=x&exact_match=true"), "x"],
  ["256 characters, however many units each takes", post({ term: "😀".repeat(256) }), "😀".repeat(256)],
];
for (const [what, request, term] of kept) {
  Deno.test(`a term keeps ${what}`, async () => {
    assertEquals((await readSearch(request)).query.term, term);
  });
}

/** By the field that is named: of a GET what follows `term=jane` or begins with `term`, of a POST the body. */
const refused: Record<string, (string | Record<string, unknown>)[]> = {
  term: [
    ...[
      "term=J%FCrgen",
      "term=%E6%9D",
      "",
      "term=",
      "term=%20%20",
      "term=x",
      "term=x&exact_match=false",
      "term=%20x%20",
      "&term=john",
    ],
    ...[undefined, 42, null, ["jane"], "x".repeat(257), "\ud800x"].map((term) => ({ term })),
  ],
  fields: ["&fields=name%FF", "&fields=", "&fields=name,password", "&fields=name,,email", {
    fields: ["name"],
  }],
  exact_match: ["&exact_match=1", "&exact_match=TRUE", { exact_match: "true" }],
  organization_id: [
    ...["0", "1.5", "99999999999999999999"].map((id) => `&organization_id=${id}`),
    ...["7", -7].map((organization_id) => ({ organization_id })),
  ],
  include_fields: ["&include_fields=person.email"],
  limit: [
    ...["0", "501", "ten", "0x10", "1e2"].map((limit) => `&limit=${limit}`),
    ...["50", 1.5, null].map((limit) => ({ limit })),
  ],
  cursor: ["&cursor=", "&cursor=a%0Ab", { cursor: "x".repeat(1025) }],
  connection_id: ["&connection_id=7", { connection_id: `${ID}'--` }],
  user_id: [{ user_id: ID }],
  api_domain: ["&api_domain=https://evil.example"],
  start: ["&start=0"],
  ["__proto__"]: ["&__proto__=x"],
};
for (const [field, inputs] of Object.entries(refused)) {
  Deno.test(`a search that does not fit is INVALID_REQUEST and names "${field}"`, async () => {
    for (const input of inputs) {
      const query = typeof input === "string" && input.startsWith("&") ? `term=jane${input}` : input;
      const request = typeof query === "string" ? get(query) : post({ term: "jane", ...query });
      const error = await assertRejects(() => readSearch(request), PublicError);
      assertEquals(error.code, "INVALID_REQUEST", JSON.stringify(input));
      assert(error.message.startsWith(`"${field}"`), `${JSON.stringify(input)}: ${error.message}`);
    }
  });
}

Deno.test("a POST with parameters in its address is refused rather than half read", async () => {
  await assertRejects(() => readSearch(post({ term: "jane" }, "?limit=5")), PublicError, "from the body");
});

Deno.test("the platform's region parameter is not ours to refuse", async () => {
  const region = "forceFunctionRegion=eu-central-1";
  for (const request of [get(`term=jane&${region}`), post({ term: "jane" }, `?${region}`)]) {
    assertEquals((await readSearch(request)).query, { term: "jane" });
  }
});

Deno.test("no refusal repeats what was searched for", async () => {
  for (const request of [get("term=canary&limit=canary"), post({ term: "canary", limit: "canary" })]) {
    const error = await assertRejects(() => readSearch(request), PublicError);
    assert(!`${error.message}${error.details.reason}`.includes("canary"));
  }
});
