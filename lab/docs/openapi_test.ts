/** docs/openapi.json says what the functions do: it is made from their schemas, and held against their contract. */
import { Ajv2020 } from "ajv/2020";
import * as v from "valibot";
import { search } from "../../supabase/functions/search-persons/query.ts";
import { CODES } from "../../tools/openapi/answers.ts";
import { DOCUMENT, documentText } from "../../tools/openapi/main.ts";
import { requests } from "../../tools/openapi/requests.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { FACTS } from "../../tests/support/stand_in/facts.ts";

/** Those of whom a fact sheet is written. */
const OURS = [...FACTS.keys()];

interface Operation {
  readonly operationId: string;
  readonly responses: Readonly<Record<string, unknown>>;
}

const text = await Deno.readTextFile(DOCUMENT);
/** By path and method; what all methods of a path have in common is no operation. */
const paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> = Object.fromEntries(
  Object.entries<Record<string, Operation>>(JSON.parse(text).paths).map((
    [path, { parameters: _, ...methods }],
  ) => [path, methods] as const),
);

Deno.test("docs/openapi.json is what tools/openapi/main.ts writes, but for providers that a fork has beside", async () => {
  const written = JSON.parse(await documentText());
  const named: string[] = JSON.parse(text).components.parameters.Provider.schema.enum;
  const all: string[] = written.components.parameters.Provider.schema.enum;
  written.components.parameters.Provider.schema.enum = all.filter((name) => named.includes(name));
  assertEquals(text, `${JSON.stringify(written, null, 2)}\n`);
  assert(OURS.every((name) => named.includes(name)), named.join());
});

Deno.test("docs/openapi.json has every path and method of docs/reference.md", async () => {
  const reference = await Deno.readTextFile(new URL("../../docs/reference.md", import.meta.url));
  const [, table = ""] = reference.split("## The functions");
  const rows = Array.from(
    table.split("## Errors")[0]?.matchAll(/^\| (`[^|]+) \|/gm) ?? [],
    ([, cell = ""]) => cell,
  );
  assert(rows.length >= 8, "the table is found");
  const named = new Set<string>();
  for (const row of rows) {
    const path = /\/[a-z][a-z/{}-]+/.exec(row)?.[0] ?? "";
    for (const [method] of row.matchAll(/\b(?:GET|POST|PUT|PATCH|DELETE)\b/g)) {
      assert(paths[path]?.[method.toLowerCase()], `${method} ${path}`);
      named.add(`${method.toLowerCase()} ${path}`);
    }
  }
  const described = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`)
  );
  assertEquals(new Set(described.filter((one) => !one.startsWith("head "))), named);
});

Deno.test("docs/openapi.json has every code, under its status", () => {
  for (const { code, status } of CODES) {
    if (code === "AUTHORIZATION_DENIED") continue;
    const found = Object.values(paths).flatMap((methods) => Object.values(methods)).filter(({ responses }) =>
      JSON.stringify(responses[status] ?? {}).includes(code)
    );
    assert(found.length > 0, `${code} under ${status}`);
  }
  assert(text.includes("#oauth_error="), "AUTHORIZATION_DENIED arrives in a fragment");
  assert(text.includes("AUTHORIZATION_DENIED"));
});

Deno.test("every operation has a name of its own and answers something good", () => {
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
  assertEquals(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const { operationId, responses } of operations) {
    assert(Object.keys(responses).some((status) => /^[23]/.test(status)), operationId);
  }
});

Deno.test("what the document says of a search is what the function accepts", () => {
  const accepts = new Ajv2020({ strict: false, validateFormats: false }).compile(requests.Search);
  const cursor = "x".repeat(1024);
  const searches: Record<string, unknown>[] = [
    { term: "an" },
    { term: "" },
    { term: "x".repeat(256) },
    { term: "x".repeat(257) },
    { term: 7 },
    {},
    ...[
      "email",
      "email,phone",
      "custom_fields,email,notes,phone,name",
      "",
      "email,",
      "address",
      "email, phone",
    ]
      .map((fields) => ({ term: "an", fields })),
    ...[true, false, "true", 1].map((exact_match) => ({ term: "an", exact_match })),
    ...[1, 500, 0, 501, 1.5, "10", -1].map((limit) => ({ term: "an", limit })),
    ...[1, 0, Number.MAX_SAFE_INTEGER, "7"].map((organization_id) => ({ term: "an", organization_id })),
    ...["person.picture", "picture"].map((include_fields) => ({ term: "an", include_fields })),
    ...[cursor, cursor + "x", "", "with blank", "ü"].map((given) => ({ term: "an", cursor: given })),
    { term: "an", start: 0 },
  ];
  for (const one of searches) {
    assertEquals(accepts(one), v.safeParse(search, one).success, JSON.stringify(one).slice(0, 80));
  }
});
