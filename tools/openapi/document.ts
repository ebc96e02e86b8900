import type { PublicCode } from "../../supabase/functions/_shared/errors.ts";
import { pipedrive } from "../../supabase/functions/_shared/providers/pipedrive.ts";
import { examples, failures, responsesOf, success } from "./answers.ts";
import { components } from "./components.ts";
import { type Json, queryParameters, requests } from "./requests.ts";

const { headers: counted, reset } = pipedrive.api.rate_limit;
const RATE_LIMIT_HEADERS = [...counted, ...Object.keys(reset)];

/** What any request can end with. */
const ANYWHERE: readonly PublicCode[] = ["INVALID_REQUEST", "METHOD_NOT_ALLOWED", "INTERNAL_ERROR"];
/** What any request that needs settings and the database can end with. */
const WIRED: readonly PublicCode[] = [...ANYWHERE, "CONFIGURATION_INVALID", "STORAGE_UNAVAILABLE"];
const KNOWN_CALLER: readonly PublicCode[] = [...WIRED, "MISSING_CREDENTIALS", "INVALID_CREDENTIALS"];
/** What getting a working access token can end with. */
const TOKEN: readonly PublicCode[] = [
  "CONNECTION_NOT_FOUND",
  "REAUTHORIZATION_REQUIRED",
  "REFRESH_IN_PROGRESS",
  "PROVIDER_UNAVAILABLE",
  "PROVIDER_RATE_LIMITED",
  "PROVIDER_RESPONSE_INVALID",
];
const SEARCH: readonly PublicCode[] = [
  ...KNOWN_CALLER,
  ...TOKEN,
  "CONNECTION_AMBIGUOUS",
  "PROVIDER_FORBIDDEN",
  "PROVIDER_REJECTED",
];

const ref = (name: keyof typeof components.schemas) => ({ $ref: `#/components/schemas/${name}` });

/**
 * The document of the four functions.
 *
 * @param version of the project, `x.y.z`
 */
export function openApi(version: string): Json {
  const paths = {
    ...callbackPaths(),
    "/search-persons": searchPath(),
    "/refresh-token": refreshPath(),
    "/proxy/{provider}/{path}": proxyPath(),
  };
  return {
    openapi: "3.1.0",
    info: {
      title: "OAuth tokens on Supabase",
      version,
      summary: "Connect an account once, call its API for ever; nobody sees a token.",
      description:
        "Four Edge Functions. Every error is `{ code, message }`; every answer carries `x-request-id`; no answer holds a token.",
    },
    servers: [
      {
        url: "https://{project}.supabase.co/functions/v1",
        description: "A hosted project",
        variables: { project: { default: "project", description: "The project's reference" } },
      },
      { url: "http://127.0.0.1:54321/functions/v1", description: "This machine" },
    ],
    tags: [
      { name: "oauth-callback", description: "Connects and disconnects." },
      { name: "search-persons", description: "Searches in the caller's name." },
      { name: "refresh-token", description: "Keeps connections alive." },
      { name: "proxy", description: "Passes on what the application's policy allows." },
    ],
    paths,
    components: { ...components, responses: responsesOf(paths), examples: examples() },
  };
}

function body(name: keyof typeof requests, required = true): Json {
  return { required, content: { "application/json": { schema: ref(name) } } };
}

const PROVIDER = { parameters: [{ $ref: "#/components/parameters/Provider" }] };

function callbackPaths(): Json {
  const path = "/oauth-callback/{provider}";
  return {
    "/oauth-callback": offeredPath(),
    [path]: { ...PROVIDER, ...redirectPath() },
    [`${path}/authorize`]: {
      ...PROVIDER,
      post: action("authorize", {
        summary: "Begins an authorization",
        description: "Keep `binding` in this tab, then send the browser to `authorization_url`.",
        requestBody: body("Begin", false),
        responses: {
          201: success("Begun", ref("Begun")),
          ...failures([...KNOWN_CALLER, "UNKNOWN_PROVIDER", "PROVIDER_RATE_LIMITED"]),
        },
      }),
    },
    [`${path}/complete`]: {
      ...PROVIDER,
      post: action("complete", {
        summary: "Completes what the same user began in the same tab",
        description:
          "May be repeated until the request expires: the code is exchanged once, and once that is stored the same connection is answered, as it is by then. While it is being completed the answer is `STORAGE_UNAVAILABLE`.",
        requestBody: body("Complete"),
        responses: {
          200: success("Connected", ref("Connected")),
          ...failures([
            ...KNOWN_CALLER,
            "UNKNOWN_PROVIDER",
            "CONNECTION_NOT_FOUND",
            "AUTHORIZATION_REQUEST_INVALID",
            "PROVIDER_FORBIDDEN",
            "PROVIDER_RATE_LIMITED",
            "PROVIDER_UNAVAILABLE",
            "PROVIDER_RESPONSE_INVALID",
          ]),
        },
      }),
    },
    [`${path}/disconnect`]: {
      ...PROVIDER,
      post: action("disconnect", {
        summary: "Ends a connection: erased here, revoked at the provider",
        description:
          "The tokens are erased when this answers; the refresh token is revoked behind the answer, and tried again for seven days. The last user of an account at the provider revokes.",
        requestBody: body("Disconnect"),
        responses: {
          200: success("Disconnected; also when it was before", ref("Connected")),
          ...failures([...KNOWN_CALLER, "UNKNOWN_PROVIDER", "CONNECTION_NOT_FOUND"]),
        },
      }),
    },
  };
}

/** Which providers there are. */
function offeredPath(): Json {
  return {
    get: {
      operationId: "offered",
      tags: ["oauth-callback"],
      security: [],
      summary: "The providers that this deployment offers, and what each asks its user for",
      responses: { 200: success("Offered", ref("Offered")), ...failures(WIRED) },
    },
  };
}

function proxyPath(): Json {
  const methods = ["get", "head", "post", "put", "patch", "delete"];
  const operation = (method: string) => ({
    operationId: `proxy_${method}`,
    tags: ["proxy"],
    security: [{ user: [] }, { secret: [] }],
    summary: `${method.toUpperCase()} of the provider's API, if a line of the application's policy allows it`,
    ...(method === "get" || method === "head" ? {} : { requestBody: { content: { "*/*": {} } } }),
    responses: {
      200: success("The API's own answer, of whatever status", null),
      ...failures([
        ...KNOWN_CALLER,
        ...TOKEN,
        "CONNECTION_AMBIGUOUS",
        "REQUEST_NOT_ALLOWED",
        "UNKNOWN_PROVIDER",
      ]),
    },
  });
  return {
    parameters: [
      ...PROVIDER.parameters,
      {
        name: "path",
        in: "path",
        required: true,
        description: "Below the provider's API, slashes and all. `{provider}:{base}` chooses a named base.",
        schema: { type: "string" },
      },
      {
        name: "x-connection-id",
        in: "header",
        description: "Which connection. A user with one connection may leave it out; a secret key may not.",
        schema: { type: "string", format: "uuid" },
      },
    ],
    ...Object.fromEntries(methods.map((method) => [method, operation(method)])),
  };
}

function action(name: string, operation: Json): Json {
  return {
    operationId: name,
    tags: ["oauth-callback"],
    security: [{ user: [] }],
    ...operation,
  };
}

/** One redirect URI receives everything that the provider sends, so on the bare path the method decides. */
function redirectPath(): Json {
  const parameter = (name: string, description: string) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  });
  const open = [...ANYWHERE, "UNKNOWN_PROVIDER"] as const;
  const common = { tags: ["oauth-callback"], security: [] };
  return {
    get: {
      ...common,
      operationId: "redirect",
      summary: "Receives the provider's redirect, with the browser in it",
      description:
        "The code is parked behind a ticket. Without parameters it answers 200 and does nothing: the provider's check of the address.",
      parameters: [
        parameter("code", "The authorization code (RFC 6749 §4.1.2)."),
        parameter("state", "As the authorization URL carried it."),
        parameter("error", "Instead of a code."),
      ],
      responses: {
        200: success("Nothing was asked", ref("Nothing")),
        303: success(
          "To `{APP_URL}{return_to}#oauth_ticket=…` , or with `#oauth_error=` (behind a hash route `#/route?oauth_ticket=…`) and one of `AUTHORIZATION_DENIED`, `AUTHORIZATION_REQUEST_INVALID`, `AUTHORIZATION_NOT_STARTED_HERE`, `STORAGE_UNAVAILABLE`, `INTERNAL_ERROR`",
          null,
          { location: { $ref: "#/components/headers/Location" } },
        ),
        ...failures([...WIRED, "UNKNOWN_PROVIDER"]),
      },
    },
    head: {
      ...common,
      operationId: "check",
      summary: "The provider's check of the address",
      responses: { 200: success("It is there", null) },
    },
    post: {
      ...common,
      operationId: "sharing_notice",
      summary: "Receives the provider's notice of app sharing, which anybody can send; changes nothing",
      requestBody: { content: { "application/json": { schema: {} } } },
      responses: { 200: success("Received", ref("Nothing")), ...failures(open) },
    },
    delete: {
      ...common,
      security: [{ client: [] }],
      operationId: "uninstall_notice",
      summary: "Receives the provider's notice that a user has uninstalled the client; the tokens are erased",
      requestBody: body("UninstallNotice"),
      responses: {
        200: success("Received; also when there was nothing to erase", ref("Nothing")),
        ...failures([...WIRED, "UNKNOWN_PROVIDER", "INVALID_CREDENTIALS"]),
      },
    },
  };
}

function searchPath(): Json {
  const operation = {
    tags: ["search-persons"],
    security: [{ user: [] }, { secret: [] }],
    responses: {
      200: success("Pipedrive's answer", ref("Persons"), {
        "retry-after": { $ref: "#/components/headers/RetryAfter" },
        ...Object.fromEntries(
          RATE_LIMIT_HEADERS.map((name) => [name, { $ref: "#/components/headers/RateLimit" }]),
        ),
      }),
      ...failures(SEARCH),
    },
  };
  return {
    get: {
      ...operation,
      operationId: "search_persons",
      summary: "Searches persons in the caller's name",
      parameters: queryParameters(requests.Search),
    },
    post: {
      ...operation,
      operationId: "search_persons_by_post",
      summary: "The same, with the keys in the body",
      requestBody: body("Search"),
    },
  };
}

function refreshPath(): Json {
  return {
    post: {
      operationId: "refresh_token",
      tags: ["refresh-token"],
      security: [{ user: [] }, { secret: [] }],
      summary: "Refreshes one connection; with a secret key and an empty body, all that are due",
      description:
        "A user may name only a connection of their own, the secret key named `cron` none. Never answers a token.",
      requestBody: body("Refresh", false),
      responses: {
        200: success("What was done", { oneOf: [ref("Refreshed"), ref("Swept")] }),
        ...failures([...KNOWN_CALLER, ...TOKEN]),
      },
    },
  };
}
