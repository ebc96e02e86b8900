import { assert, assertEquals, assertExists, assertMatch } from "../../tests/support/assert.ts";
import { installed, type Opened, opened } from "./sandbox_support.ts";

interface Item {
  id: number;
  type: string;
  name: string;
  phones: string[];
  emails: string[];
  owner: { id: number };
  organization: { id: number; name: string; address: string | null } | null;
  custom_fields: string[];
  notes: string[];
  picture?: { id: number } | null;
}

interface Page {
  success: boolean;
  data: { items: { result_score: number; item: Item }[] };
  additional_data: { next_cursor: string | null };
}

async function searching(switches: Parameters<typeof opened>[0] = {}) {
  const pipedrive = await opened({ search_burst: null, ...switches });
  const { access_token } = await installed(pipedrive);
  const ask = (query: Record<string, string>) => pipedrive.search(access_token, query);
  return { pipedrive, ask, find: async (query: Record<string, string>) => await pageOf(await ask(query)) };
}

async function pageOf(response: Response): Promise<Page> {
  assertEquals(response.status, 200);
  return await response.json();
}

const names = (page: Page) => page.data.items.map(({ item }) => item.name);
const ids = (page: Page) => page.data.items.map(({ item }) => item.id);

Deno.test("a hit has the documented shape, with plain phones and e-mails", async () => {
  const { find } = await searching();
  const page = await find({ term: "jane@pipedrive.example" });
  assertEquals(page.success, true);
  assertEquals(page.additional_data, { next_cursor: null });
  const hit = page.data.items[0];
  assertExists(hit);
  const { organization, owner, ...item } = hit.item;
  assertEquals(item as unknown, {
    id: 1,
    type: "person",
    name: "Jane Doe",
    phones: ["+372 555555555"],
    emails: ["jane@pipedrive.example"],
    visible_to: 3,
    custom_fields: [],
    notes: [],
  });
  assertEquals(organization?.name, "Aurora Bakery");
  assert([11, 12].includes(owner.id));
});

Deno.test("no hit is an empty page", async () => {
  const { find } = await searching();
  const page = await find({ term: "nobody is called this" });
  assertEquals([page.data.items, page.additional_data.next_cursor], [[], null]);
});

Deno.test("a term must arrive as it was meant: plus, ampersand, percent and letters of any script", async () => {
  const { find } = await searching();
  for (
    const [term, name] of [
      ["a+b@example.com", "Ann Bee"],
      ["Sons, 100% Ltd", "Smith & Sons, 100% Ltd"],
      ["Smith & Sons", "Smith & Sons, 100% Ltd"],
      ["zoë õunapuu", "Zoë Õunapuu"],
      ["李小", "李小龍"],
      ["D=J", 'Dwayne "D=J" O\'Neil'],
      ["+1 (555)", "Ann Bee"],
    ] as const
  ) {
    assertEquals(names(await find({ term, fields: "name,email,phone" })), [name], term);
  }
});

Deno.test("an unencoded plus is a blank and finds nothing", async () => {
  const { pipedrive } = await searching();
  const { access_token } = await installed(pipedrive);
  const headers = { authorization: `Bearer ${access_token}` };
  const url = "https://baltictimber.pipedrive.com/api/v2/persons/search?term=a+b@example.com";
  assertEquals((await pageOf(await pipedrive.send(url, { headers }))).data.items, []);
});

Deno.test("exact_match takes whole values only, ignores case and allows one character", async () => {
  const { find } = await searching();
  assertEquals(names(await find({ term: "JANE DOE", exact_match: "true" })), ["Jane Doe"]);
  assertEquals(names(await find({ term: "Jane Do", exact_match: "true" })), []);
  assertEquals(names(await find({ term: "x", exact_match: "true" })), ["X"]);
});

Deno.test("fields limit where the term is looked for; notes and custom fields show what matched", async () => {
  const { find } = await searching();
  const term = "First contact with Jane";
  assertEquals(names(await find({ term, fields: "name,email,phone,custom_fields" })), []);
  const page = await find({ term, fields: "notes" });
  assertEquals(page.data.items[0]?.item.notes, ["First contact with Jane Doe"]);
  const custom = await find({ term: "prefers e-mail", fields: "custom_fields" });
  assertEquals(custom.data.items[0]?.item.custom_fields, ["Prefers e-mail"]);
});

Deno.test("organization_id keeps only that organization's persons; some persons have none", async () => {
  const { find } = await searching();
  const page = await find({ term: "example", organization_id: "1", limit: "500" });
  assert(page.data.items.length > 1);
  assert(page.data.items.every(({ item }) => item.organization?.id === 1));
  const all = await find({ term: "example", limit: "500" });
  assert(all.data.items.some(({ item }) => item.organization === null));
});

Deno.test("the picture comes only when it is asked for", async () => {
  const { find } = await searching();
  const plain = await find({ term: "example" });
  assert(plain.data.items.every(({ item }) => !("picture" in item)));
  const pictured = await find({ term: "example", include_fields: "person.picture" });
  assert(pictured.data.items.every(({ item }) => "picture" in item));
});

Deno.test("pages follow the cursor through every hit once and end with null", async () => {
  const { find } = await searching();
  const all = await find({ term: "example", limit: "500" });
  const seen: number[] = [];
  let cursor: string | null = null;
  do {
    const page = await find({ term: "example", limit: "60", ...(cursor === null ? {} : { cursor }) });
    assert(page.data.items.length <= 60);
    seen.push(...ids(page));
    cursor = page.additional_data.next_cursor;
  } while (cursor !== null);
  assert(seen.length > 200);
  assertEquals(seen, ids(all));
});

Deno.test("the cursor is base64url JSON, the default page has 100, and a full last page has no next", async () => {
  const { find } = await searching();
  const page = await find({ term: "example" });
  assertEquals(page.data.items.length, 100);
  const cursor = page.additional_data.next_cursor ?? "";
  assertMatch(cursor, /^[\w-]+$/);
  const id = ids(page).at(-1);
  const decoded = JSON.parse(atob(cursor.replaceAll("-", "+").replaceAll("_", "/")));
  assertEquals(decoded, { field: "id", fieldValue: id, sortDirection: "asc", id });
  const all = await find({ term: "example", limit: "500" });
  const full = await find({ term: "example", limit: String(all.data.items.length) });
  assertEquals(full.additional_data.next_cursor, null);
});

const REFUSED: Record<string, string>[] = [
  {},
  { term: "" },
  { term: "a" },
  { term: "  a  " },
  { term: "   " },
  { term: "", exact_match: "true" },
  { term: "jane", exact_match: "1" },
  { term: "jane", exact_match: "TRUE" },
  { term: "jane", limit: "0" },
  { term: "jane", limit: "-1" },
  { term: "jane", limit: "ten" },
  { term: "jane", limit: "10.0" },
  { term: "jane", limit: "" },
  { term: "jane", limit: "501" },
  { term: "jane", organization_id: "1x" },
  { term: "jane", organization_id: "0" },
  { term: "jane", fields: "" },
  { term: "jane", fields: "name,address" },
  { term: "jane", fields: "name, email" },
  { term: "jane", include_fields: "picture" },
  { term: "jane", cursor: "" },
  { term: "jane", cursor: "not/base64url" },
  { term: "jane", cursor: btoa('{"id":7}') },
  { term: "jane", start: "0" },
];

for (const query of REFUSED) {
  Deno.test(`search refuses ${JSON.stringify(query)}`, async () => {
    const { ask } = await searching();
    const response = await ask(query);
    assertEquals(response.status, 400);
    const body = await response.json();
    assertEquals([body.success, body.code, body.data], [false, "ERR_SCHEMA_VALIDATION_FAILED", null]);
  });
}

Deno.test("a parameter given twice is refused", async () => {
  const { pipedrive } = await searching();
  const { access_token } = await installed(pipedrive);
  const headers = { authorization: `Bearer ${access_token}` };
  const url = "https://baltictimber.pipedrive.com/api/v2/persons/search?term=jane&term=john";
  assertEquals((await pipedrive.send(url, { headers })).status, 400);
});

Deno.test("each company has its own persons, the same at every start", async () => {
  const people = async (pipedrive: Opened, user: "7100201:11" | "7100403:31") => {
    const { access_token, api_domain } = await installed(pipedrive, user as "7100201:11");
    const url = `${api_domain}/api/v2/persons/search?term=example&limit=500`;
    const response = await pipedrive.send(url, { headers: { authorization: `Bearer ${access_token}` } });
    return names(await pageOf(response));
  };
  const here = await people(await opened(), "7100201:11");
  const there = await people(await opened(), "7100403:31");
  const again = await people(await opened(), "7100201:11");
  assert(here.length > 200 && there.length > 200);
  assertEquals(here, again);
  assert(here.join() !== there.join());
});
