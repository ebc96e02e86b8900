import { toJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import {
  beginInput,
  completeInput,
  disconnectInput,
} from "../../supabase/functions/oauth-callback/actions.ts";
import { input as refreshInput } from "../../supabase/functions/refresh-token/handler.ts";
import { search } from "../../supabase/functions/search-persons/query.ts";

/** What Pipedrive sends, https://pipedrive.readme.io/docs/app-uninstallation: numbers and texts are one. */
const id = v.union([v.number(), v.string()]);
const notice = v.object({
  client_id: v.string(),
  company_id: id,
  user_id: id,
  timestamp: v.optional(v.unknown()),
});

export type Json = { readonly [key: string]: unknown };

interface ObjectSchema extends Json {
  readonly properties: Readonly<Record<string, Json>>;
  readonly required: readonly string[];
}

const CONNECTION_ID = "6f1c2d3e-4a5b-8c6d-9e7f-0a1b2c3d4e5f";
const FIELD = "(?:custom_fields|email|notes|phone|name)";

/**
 * What JSON Schema cannot read off a schema of ours: words for people, an example, and the bounds that are functions
 * there. A test holds each bound against the schema itself.
 */
const WORDS: Readonly<Record<string, Json>> = {
  connection_id: {
    description: "Which connection. A user with one connection may leave it out; a secret key may not.",
    examples: [CONNECTION_ID],
  },
  term: {
    description: "What to look for. At least 2 characters, or 1 with `exact_match`.",
    minLength: 1,
    maxLength: 256,
    examples: ["jane@example.com"],
  },
  fields: {
    description: "Where to look, as a comma list; everywhere if left out.",
    pattern: `^${FIELD}(?:,${FIELD})*$`,
    examples: ["email,phone"],
  },
  exact_match: { description: "Only whole values match; case does not matter.", examples: [true] },
  organization_id: { description: "Only persons of this organization.", examples: [42] },
  include_fields: { description: "Adds the picture to each person.", examples: ["person.picture"] },
  limit: {
    description:
      "Persons in one answer; 100 if left out. An answer of more than 2 MiB arrives as it comes, and one of more than 10 MiB breaks off: ask for fewer.",
    examples: [100],
  },
  cursor: {
    description: "`additional_data.next_cursor` of the answer before; left out on the first page.",
    pattern: "^[\\x21-\\x7e]+$",
    maxLength: 1024,
    examples: ["eyJmaWVsZCI6ImlkIiwiZmllbGRWYWx1ZSI6Nywic29ydERpcmVjdGlvbiI6ImFzYyIsImlkIjo3fQ"],
  },
  return_to: {
    description:
      "Where the browser lands afterwards: a path of the page that asks, with its query and its hash route. Its origin must be listed in `APP_URL`; a server, which sends no `Origin`, may name the whole address.",
    examples: ["/settings?tab=crm", "/#/settings"],
  },
  ticket: { description: "What the redirect brought as `#oauth_ticket=…`.", examples: ["k7wq…"] },
  binding: { description: "What `authorize` answered, kept in this tab meanwhile.", examples: ["Zf3a…"] },
  force: {
    description: "Refresh although the token is fresh: ten at once, then one a minute.",
    examples: [true],
  },
};

const object = (schema: v.GenericSchema): ObjectSchema => {
  const { $schema: _, ...converted } = toJsonSchema(schema, {
    typeMode: "input",
    target: "draft-2020-12",
    // Checks that are functions have no JSON Schema; WORDS says them.
    errorMode: "ignore",
  });
  const properties = Object.fromEntries(
    Object.entries(converted.properties ?? {}).map(([name, property]) => [
      name,
      { ...property as Json, ...WORDS[name] },
    ]),
  );
  return { ...converted, properties, required: converted.required ?? [] };
};

/** The request bodies, from the schemas that validate them. */
export const requests = {
  Search: object(search),
  Begin: object(beginInput),
  Complete: object(completeInput),
  Disconnect: object(disconnectInput),
  Refresh: object(refreshInput),
  UninstallNotice: object(notice),
};

/** The same keys as a query string. */
export function queryParameters({ properties, required }: ObjectSchema): readonly Json[] {
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: "query",
    required: required.includes(name),
    description,
    schema,
  }));
}
