import { providers } from "../../supabase/functions/_shared/providers/mod.ts";
import { type Json, requests } from "./requests.ts";

const uuid = { type: "string", format: "uuid" };
const time = { type: "string", format: "date-time" };
const count = { type: "integer", minimum: 0 };

/** An object that has all of these, or all but the optional ones. */
function all(properties: Readonly<Record<string, Json>>, optional: readonly string[] = []): Json {
  const required = Object.keys(properties).filter((name) => !optional.includes(name));
  return { type: "object", required, properties };
}

const connection = {
  description: "What its owner may know of a connection. The same as a row of the view `oauth_connections`.",
  ...all({
    id: uuid,
    provider: { type: "string", examples: ["pipedrive"] },
    status: { enum: ["active", "reauthorization_required", "disconnected"] },
    account: all({
      id: { type: "string", description: "company_id:user_id", examples: ["7100201:11"] },
      name: { type: "string", examples: ["Baltic Timber"] },
      email: { type: "string", examples: ["mari.tamm@example.com"] },
    }, ["name", "email"]),
    scope: { type: "array", items: { type: "string" }, examples: [["base", "contacts:read"]] },
    created_at: time,
    updated_at: time,
    access_expires_at: {
      anyOf: [time, { type: "null" }],
      description: "Null once it is disconnected, and where an access token has no end.",
    },
    authorization_expires_at: {
      anyOf: [time, { type: "null" }],
      description:
        "When the authorization ends unless it is used or the user connects again; null: not known.",
    },
  }),
  additionalProperties: false,
};

/** The provider's body, which passes byte for byte: only what its documentation promises is required. */
const persons = {
  description:
    "Pipedrive's own answer, byte for byte: https://developers.pipedrive.com/docs/api/v1/Persons#searchPersons",
  ...all({
    success: { const: true },
    data: all({
      items: {
        type: "array",
        items: all({ result_score: { type: "number" }, item: { $ref: "#/components/schemas/Person" } }, [
          "result_score",
        ]),
      },
    }),
    additional_data: {
      anyOf: [
        {
          type: "object",
          properties: { next_cursor: { type: ["string", "null"], description: "Null on the last page." } },
        },
        { type: "null" },
      ],
    },
  }, ["additional_data"]),
};

const person = {
  description: "Pipedrive may leave out or null any of it but `id`.",
  ...all({
    id: { type: "integer" },
    type: { type: "string" },
    name: { type: ["string", "null"] },
    phones: { type: ["array", "null"], items: { type: "string" } },
    emails: { type: ["array", "null"], items: { type: "string" } },
    owner: { type: ["object", "null"] },
    organization: { type: ["object", "null"] },
    custom_fields: { type: ["array", "null"], items: {} },
    notes: { type: ["array", "null"], items: {} },
  }, ["type", "name", "phones", "emails", "owner", "organization", "custom_fields", "notes"]),
};

const swept = all({
  due: { ...count, description: "Connections that were due." },
  refreshed: count,
  failed: count,
  reauthorization_required: count,
  revoked: {
    ...count,
    description: "Authorizations that their users had ended, now ended at the provider too.",
  },
  abandoned: { ...count, description: "Such that could not be ended there in seven days." },
  resealed: { ...count, description: "Token sets moved under the first key." },
  unreadable: { ...count, description: "Token sets that do not open with the keys at hand." },
  unreadable_key_ids: {
    type: "array",
    items: { type: "string" },
    description: "The key ids, as `TOKEN_ENCRYPTION_KEYS` names them, under which they lie.",
  },
  purged: {
    ...count,
    description: "Authorization requests and events past their time, and token sets that are of no more use.",
  },
});

export const components = {
  securitySchemes: {
    user: {
      type: "http",
      scheme: "bearer",
      bearerFormat: "JWT",
      description: "A Supabase user's own access token, as Auth issues it. supabase-js sends it by itself.",
    },
    secret: {
      type: "apiKey",
      in: "header",
      name: "apikey",
      description:
        "An `sb_secret_…` key of the project: for servers, never for a browser. The one named `cron` may sweep and nothing else.",
    },
    client: {
      type: "http",
      scheme: "basic",
      description: "The client's own id and secret, as the provider sends them with its notices.",
    },
  },
  parameters: {
    Provider: {
      name: "provider",
      in: "path",
      required: true,
      description: "One that this deployment offers.",
      schema: { type: "string", enum: [...providers.keys()] },
    },
  },
  headers: {
    RequestId: {
      description:
        "Finds the request in the log: always the functions' own. A UUID that the caller sends as `x-request-id` is logged beside it.",
      schema: uuid,
    },
    ServerTiming: {
      description: "What it took, in milliseconds, and how much of that in the database and at the provider.",
      schema: { type: "string" },
    },
    RetryAfter: { description: "Seconds to wait.", schema: { type: "integer", minimum: 1 } },
    Allow: { description: "The methods that are answered.", schema: { type: "string" } },
    Location: { description: "Where the browser goes.", schema: { type: "string", format: "uri" } },
    RateLimit: {
      description: "The provider's own, where it sends it.",
      schema: { type: "string", pattern: "^[0-9]{1,10}$" },
    },
  },
  schemas: {
    ...requests,
    Connection: connection,
    Offered: all({
      providers: {
        type: "array",
        items: all({
          name: { type: "string" },
          values: {
            type: "array",
            items: all({
              name: { type: "string" },
              label: { type: "string" },
              required: { type: "boolean" },
            }),
          },
        }),
      },
    }),
    Connected: {
      ...all({ connection: { $ref: "#/components/schemas/Connection" } }),
      additionalProperties: false,
    },
    Begun: {
      ...all({
        authorization_url: { type: "string", format: "uri", description: "Where to send the browser." },
        binding: { type: "string", description: "Keep it in this tab, in `sessionStorage`." },
        expires_at: time,
      }),
      additionalProperties: false,
    },
    Persons: persons,
    Person: person,
    Refreshed: {
      ...all({
        connection_id: uuid,
        outcome: { enum: ["refreshed", "fresh", "held_elsewhere"] },
        version: { type: "integer", minimum: 1 },
        expires_at: {
          anyOf: [time, { type: "null" }],
          description: "Null while the database has not yet said that the new tokens are stored.",
        },
      }),
      additionalProperties: false,
    },
    Swept: { ...swept, additionalProperties: false },
    Nothing: { type: "object", additionalProperties: false, properties: {} },
    Error: {
      description: "Decide by `code`: codes are never renamed, messages may be.",
      ...all({
        code: { type: "string", examples: ["CONNECTION_NOT_FOUND"] },
        message: { type: "string" },
        retry_after: { type: "integer", minimum: 1, description: "Seconds; also as `Retry-After`." },
        connection_id: uuid,
        connections: { type: "array", items: uuid, description: "Ids to choose from." },
      }, ["retry_after", "connection_id", "connections"]),
      additionalProperties: false,
    },
  },
};
