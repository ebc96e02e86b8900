import * as v from "valibot";
import { PublicError } from "../_shared/errors.ts";
import { connectionId, parse, readJson } from "../_shared/http/input.ts";

/** One search, checked, whichever way it came. */
export interface Search {
  readonly connection_id?: string;
  /** The parameters of the provider's search. */
  readonly query: Readonly<Record<string, string>>;
}

const FIELDS = ["custom_fields", "email", "notes", "phone", "name"];
const LONGEST_TERM = 256;
const LONGEST_CURSOR = 1024;
/** Characters of a name chosen by the caller that a message repeats. */
const MOST_SHOWN = 40;
/** The platform's own parameter, https://supabase.com/docs/guides/functions/regional-invocation. */
const REGION = "forceFunctionRegion";

/** https://developers.pipedrive.com/docs/api/v1/Persons#searchPersons, version 2: nothing is coerced there. */
export const search = v.pipe(
  v.strictObject({
    connection_id: v.optional(connectionId),
    term: v.pipe(
      v.string("must be a text"),
      v.trim(),
      v.check((term) => term.isWellFormed(), "must be well-formed Unicode"),
      v.check((term) => within(term, 1, LONGEST_TERM), `must have 1 to ${LONGEST_TERM} characters`),
    ),
    fields: v.optional(v.pipe(
      v.string("must be a comma list"),
      v.check(
        (list) => list.split(",").every((field) => FIELDS.includes(field)),
        `must be a comma list of ${FIELDS.join(", ")}`,
      ),
    )),
    exact_match: v.optional(v.boolean("must be true or false")),
    organization_id: v.optional(wholeNumber(Number.MAX_SAFE_INTEGER, "must be a positive whole number")),
    include_fields: v.optional(v.literal("person.picture", 'must be "person.picture"')),
    limit: v.optional(wholeNumber(500, "must be a whole number from 1 to 500")),
    cursor: v.optional(v.pipe(
      v.string("must be a text"),
      v.check(
        (cursor) => /^[\x21-\x7e]+$/.test(cursor) && cursor.length <= LONGEST_CURSOR,
        `must be 1 to ${LONGEST_CURSOR} characters as a previous answer gave them`,
      ),
    )),
  }),
  v.forward(
    v.check(
      ({ term, exact_match }) => exact_match === true || within(term, 2, LONGEST_TERM),
      "must have at least 2 characters, or 1 with exact_match",
    ),
    ["term"],
  ),
);

/** @throws {PublicError} `INVALID_REQUEST` naming the field */
export async function readSearch(request: Request): Promise<Search> {
  const { search, searchParams: parameters } = new URL(request.url);
  const stray_bytes = search.slice(1).split("&").find((parameter) => !isUtf8(parameter));
  if (stray_bytes !== undefined) throw notUtf8(stray_bytes);
  parameters.delete(REGION);
  if (request.method === "GET") return searchOf(fromParameters(parameters));
  const [stray] = parameters.keys();
  if (stray !== undefined) {
    throw new PublicError(
      "INVALID_REQUEST",
      "a POST takes its parameters from the body, not from the address",
    );
  }
  return searchOf(await readJson(request));
}

function searchOf(input: unknown): Search {
  const { connection_id, ...parameters } = parse(search, input);
  const query = Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, String(value)]));
  return { connection_id, query };
}

/** The URL's parser makes U+FFFD of what is not UTF-8, and somebody else would be searched for. */
function isUtf8(parameter: string): boolean {
  try {
    decodeURIComponent(parameter.replace(/%(?![0-9a-f]{2})/gi, "%25"));
    return true;
  } catch {
    return false;
  }
}

function notUtf8(parameter: string): PublicError {
  const [name = ""] = new URLSearchParams(parameter).keys();
  return new PublicError("INVALID_REQUEST", `"${name.slice(0, MOST_SHOWN)}" is not UTF-8`, {
    reason: "a parameter that is not UTF-8",
  });
}

/** A query string's texts as the JSON they mean. What means nothing stays a text, and is refused as one. */
function fromParameters(parameters: URLSearchParams): Record<string, unknown> {
  const input: Record<string, unknown> = Object.create(null);
  for (const [key, value] of parameters) {
    if (key in input) throw repeated(key);
    input[key] = meaningOf(key, value);
  }
  return input;
}

function meaningOf(key: string, value: string): unknown {
  if (key === "exact_match") return value === "true" ? true : value === "false" ? false : value;
  const numeric = key === "limit" || key === "organization_id";
  return numeric && /^[1-9]\d*$/.test(value) ? Number(value) : value;
}

function repeated(key: string): PublicError {
  const message = `"${key.slice(0, MOST_SHOWN)}" is given more than once`;
  return new PublicError("INVALID_REQUEST", message, { reason: "a repeated parameter" });
}

function wholeNumber(most: number, message: string) {
  return v.pipe(v.number(message), v.integer(message), v.minValue(1, message), v.maxValue(most, message));
}

/** In characters as people count them, not in UTF-16 units. */
function within(text: string, least: number, most: number): boolean {
  const { length } = [...text];
  return length >= least && length <= most;
}
