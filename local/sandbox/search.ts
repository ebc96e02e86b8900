import { schemaError } from "./bodies.ts";
import { type Call, refuse } from "./call.ts";
import { type Person, personsOf } from "./persons.ts";
import { type Field, readSearch, type SearchRequest, writeCursor } from "./search_parameters.ts";
import type { AccessRecord } from "./world.ts";

/** `GET /api/v2/persons/search`: the matching persons of the token's company by id, a page at a time. */
export function answerSearch(call: Call, access: AccessRecord): Response {
  call.entry.query = Object.fromEntries(call.url.searchParams);
  const search = readSearch(call.url.searchParams, call.world.switches.limit_over_max);
  if (typeof search === "string") return refuse(call, "invalid_request", schemaError(search));
  const hits = personsOf(access.grant.account.company_id)
    .filter((person) => person.id > search.after && inOrganization(person, search))
    .map((person) => ({ person, match: matchOf(person, search) }))
    .filter(({ match }) => match.score > 0);
  const page = hits.slice(0, search.limit);
  const last = page.at(-1);
  const next_cursor = last && hits.length > page.length ? writeCursor(last.person.id) : null;
  return Response.json({
    success: true,
    data: {
      items: page.map(({ person, match }) => ({
        result_score: match.score,
        item: itemOf(person, match, search),
      })),
    },
    additional_data: { next_cursor },
  });
}

function inOrganization(person: Person, search: SearchRequest): boolean {
  return search.organization_id === null || person.organization?.id === search.organization_id;
}

interface Match {
  /** 0: no match. */
  score: number;
  custom_fields: string[];
  notes: string[];
}

const WHOLE_SCORE = 1;
const START_SCORE = 0.75;
const PART_SCORE = 0.5;

function matchOf(person: Person, search: SearchRequest): Match {
  const found = (field: Field, texts: string[]) =>
    search.fields.includes(field) ? texts.filter((text) => scoreOf(text, search) > 0) : [];
  const custom_fields = found("custom_fields", person.custom_fields);
  const notes = found("notes", person.notes);
  const texts = [
    ...found("name", [person.name]),
    ...found("email", person.emails),
    ...found("phone", person.phones),
    ...custom_fields,
    ...notes,
  ];
  return { score: Math.max(0, ...texts.map((text) => scoreOf(text, search))), custom_fields, notes };
}

/** Case never counts; `exact_match` wants the whole value, otherwise a part will do. */
function scoreOf(text: string, search: SearchRequest): number {
  const value = text.toLowerCase();
  const term = search.term.toLowerCase();
  if (value === term) return WHOLE_SCORE;
  if (search.exact_match || !value.includes(term)) return 0;
  return value.startsWith(term) ? START_SCORE : PART_SCORE;
}

/** Phones and e-mails are plain texts here; of custom fields and notes only what matched is shown. */
function itemOf(person: Person, match: Match, search: SearchRequest) {
  return {
    id: person.id,
    type: "person",
    name: person.name,
    phones: person.phones,
    emails: person.emails,
    visible_to: 3,
    owner: { id: person.owner_id },
    organization: person.organization,
    custom_fields: match.custom_fields,
    notes: match.notes,
    ...(search.picture ? { picture: person.picture_id === null ? null : { id: person.picture_id } } : {}),
  };
}
