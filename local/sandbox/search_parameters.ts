import type { Switches } from "./types.ts";

export const FIELDS = ["custom_fields", "email", "notes", "phone", "name"] as const;
export type Field = (typeof FIELDS)[number];

export interface SearchRequest {
  term: string;
  fields: readonly Field[];
  exact_match: boolean;
  organization_id: number | null;
  picture: boolean;
  limit: number;
  /** The last id of the page before; 0 on the first. */
  after: number;
}

const KNOWN = ["term", "fields", "exact_match", "organization_id", "include_fields", "limit", "cursor"];
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 500;

/** The request, or the message that refuses it. v2 is strict: nothing is coerced, nothing unknown is ignored. */
export function readSearch(
  query: URLSearchParams,
  over_max: Switches["limit_over_max"],
): SearchRequest | string {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (!KNOWN.includes(name)) return `Parameter '${name}' is not allowed`;
    if (seen.has(name)) return `Parameter '${name}' is given twice`;
    seen.add(name);
  }
  const exact = query.get("exact_match") ?? "false";
  if (exact !== "true" && exact !== "false") return "Parameter 'exact_match' must be a boolean";
  const term = (query.get("term") ?? "").trim();
  const least = exact === "true" ? 1 : 2;
  if ([...term].length < least) return `Parameter 'term' must have at least ${least} characters`;
  const fields = readFields(query.get("fields"));
  if (fields === null) return `Parameter 'fields' must be of ${FIELDS.join(", ")}`;
  const include = query.get("include_fields");
  if (include !== null && include !== "person.picture") {
    return "Parameter 'include_fields' must be person.picture";
  }
  const organization_id = readPositive(query.get("organization_id"));
  if (Number.isNaN(organization_id)) return "Parameter 'organization_id' must be a positive integer";
  const limit = readPositive(query.get("limit")) ?? DEFAULT_LIMIT;
  if (Number.isNaN(limit)) return "Parameter 'limit' must be a positive integer";
  if (limit > MAX_LIMIT && over_max === "400") return `Parameter 'limit' must be at most ${MAX_LIMIT}`;
  const after = readCursor(query.get("cursor"));
  if (after === null) return "Parameter 'cursor' is invalid";
  return {
    term,
    fields,
    exact_match: exact === "true",
    organization_id,
    picture: include !== null,
    limit: Math.min(limit, MAX_LIMIT),
    after,
  };
}

function readFields(text: string | null): readonly Field[] | null {
  if (text === null) return FIELDS;
  const names = text.split(",");
  const known = FIELDS.filter((field) => names.includes(field));
  return names.every((name) => FIELDS.some((field) => field === name)) ? known : null;
}

/** null: not given. NaN: not a positive integer. */
function readPositive(text: string | null): number | null {
  if (text === null) return null;
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : NaN;
}

/** base64url JSON, as Pipedrive's: `{"field":"id","fieldValue":7,"sortDirection":"asc","id":7}`. */
export function writeCursor(id: number): string {
  const text = btoa(JSON.stringify({ field: "id", fieldValue: id, sortDirection: "asc", id }));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function readCursor(text: string | null): number | null {
  if (text === null) return 0;
  if (!/^[\w-]+$/.test(text) || text.length % 4 === 1) return null;
  const json = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const id = /^\{"field":"id","fieldValue":(\d{1,15}),"sortDirection":"asc","id":\1\}$/.exec(json)?.[1];
  return id === undefined ? null : Number(id);
}
