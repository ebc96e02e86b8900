import { apiError, Refusal } from "./answers.ts";
import { type Person, personsOf } from "./persons.ts";
import type { Call } from "./router.ts";
import type { Grant } from "./world.ts";

const FIELDS = ["custom_fields", "email", "notes", "phone", "name"] as const;
const KNOWN = ["term", "fields", "exact_match", "organization_id", "include_fields", "limit", "cursor"];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;
const WHOLE_SCORE = 1;
const START_SCORE = 0.75;
const PART_SCORE = 0.5;

/** `GET /api/v2/persons/search`: the matching persons of the token's company by id, a page at a time. */
export function answerSearch({ entry, url }: Call, { account }: Grant): Response {
  entry.query = Object.fromEntries(url.searchParams);
  const search = readSearch(url.searchParams);
  const hits = personsOf(account.company_id)
    .filter(({ id, organization }) =>
      id > search.after && (search.organization_id === null || organization?.id === search.organization_id)
    )
    .map((person) => hitOf(person, search))
    .filter(({ result_score }) => result_score > 0);
  const items = hits.slice(0, search.limit);
  const last = items.at(-1);
  const next_cursor = last && hits.length > items.length ? writeCursor(last.item.id) : null;
  return Response.json({ success: true, data: { items }, additional_data: { next_cursor } });
}

type Search = ReturnType<typeof readSearch>;

/** v2 is strict: nothing is coerced, nothing unknown is ignored. What a limit above 500 does is not documented. */
function readSearch(query: URLSearchParams) {
  const names = [...query.keys()];
  for (const name of names) {
    demand(KNOWN.includes(name), `Parameter '${name}' is not allowed`);
    demand(names.indexOf(name) === names.lastIndexOf(name), `Parameter '${name}' is given twice`);
  }
  const exact = query.get("exact_match") ?? "false";
  demand(exact === "true" || exact === "false", "Parameter 'exact_match' must be a boolean");
  const term = (query.get("term") ?? "").trim();
  const least = exact === "true" ? 1 : 2;
  demand([...term].length >= least, `Parameter 'term' must have at least ${least} characters`);
  const fields: readonly string[] = query.get("fields")?.split(",") ?? FIELDS;
  const known = fields.every((name) => FIELDS.some((field) => field === name));
  demand(known, `Parameter 'fields' must be of ${FIELDS.join(", ")}`);
  const include = query.get("include_fields");
  const picture = include === "person.picture";
  demand(picture || include === null, "Parameter 'include_fields' must be person.picture");
  const organization_id = readPositive(query, "organization_id");
  const limit = readPositive(query, "limit") ?? DEFAULT_LIMIT;
  demand(limit <= MAX_LIMIT, `Parameter 'limit' must be at most ${MAX_LIMIT}`);
  const after = readCursor(query.get("cursor"));
  return {
    term: term.toLowerCase(),
    fields,
    exact: exact === "true",
    organization_id,
    picture,
    limit,
    after,
  };
}

function demand(holds: boolean, error: string): asserts holds {
  if (!holds) {
    throw new Refusal("invalid_request", apiError(400, error, { code: "ERR_SCHEMA_VALIDATION_FAILED" }));
  }
}

function readPositive(query: URLSearchParams, name: string): number | null {
  const text = query.get(name);
  if (text === null) return null;
  demand(/^[1-9]\d{0,14}$/.test(text), `Parameter '${name}' must be a positive integer`);
  return Number(text);
}

/** base64url JSON, as Pipedrive's: `{"field":"id","fieldValue":7,"sortDirection":"asc","id":7}`. */
function writeCursor(id: number): string {
  const text = btoa(JSON.stringify({ field: "id", fieldValue: id, sortDirection: "asc", id }));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** The last id of the page before; 0 on the first. */
function readCursor(text: string | null): number {
  if (text === null) return 0;
  const base64url = /^[\w-]+$/.test(text) && text.length % 4 !== 1;
  const json = base64url ? atob(text.replaceAll("-", "+").replaceAll("_", "/")) : "";
  const id = /^\{"field":"id","fieldValue":(\d{1,15}),"sortDirection":"asc","id":\1\}$/.exec(json)?.[1];
  demand(id !== undefined, "Parameter 'cursor' is invalid");
  return Number(id);
}

/** Phones and e-mails are plain texts here; of custom fields and notes only what matched is shown. */
function hitOf(person: Person, search: Search) {
  const { id, name, phones, emails, organization } = person;
  const found = (field: (typeof FIELDS)[number], texts: readonly string[]) =>
    search.fields.includes(field) ? texts.filter((text) => scoreOf(text, search) > 0) : [];
  const custom_fields = found("custom_fields", person.custom_fields);
  const notes = found("notes", person.notes);
  const others = [...found("name", [name]), ...found("email", emails), ...found("phone", phones)];
  const scores = [...others, ...custom_fields, ...notes].map((text) => scoreOf(text, search));
  const owner = { id: person.owner_id };
  const plain = { id, type: "person", name, phones, emails, visible_to: 3, owner, organization };
  const picture = person.picture_id === null ? null : { id: person.picture_id };
  return {
    result_score: Math.max(0, ...scores),
    item: { ...plain, custom_fields, notes, ...(search.picture && { picture }) },
  };
}

/** Case never counts; `exact_match` wants the whole value, otherwise a part will do. */
function scoreOf(text: string, { term, exact }: Search): number {
  const value = text.toLowerCase();
  if (value === term) return WHOLE_SCORE;
  if (exact || !value.includes(term)) return 0;
  return value.startsWith(term) ? START_SCORE : PART_SCORE;
}
