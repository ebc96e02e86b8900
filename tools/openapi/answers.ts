import { CODES as PUBLIC, type PublicCode, PublicError } from "../../supabase/functions/_shared/errors.ts";
import type { Json } from "./requests.ts";

/** Of `withSupabase`, which answers before any code of ours runs. */
const CREDENTIALS = [
  "MISSING_CREDENTIALS",
  "INVALID_CREDENTIALS",
  "INVALID_JWT",
  "INVALID_API_KEY",
  "UNUSABLE_CREDENTIAL",
];

/** What each code says to who gets it. Exhaustive, so that a new code cannot stay unmentioned. */
const MEANINGS: Readonly<Record<PublicCode, string>> = {
  INVALID_REQUEST: "mend the field it names",
  MISSING_CREDENTIALS: "sign in, or send a key",
  INVALID_CREDENTIALS: "sign in, or send the right key",
  AUTHORIZATION_REQUEST_INVALID: "connect again: unknown, used, expired or someone else's",
  AUTHORIZATION_DENIED: "the user said no; arrives in the fragment `#oauth_error=`",
  UNKNOWN_PROVIDER: "there is no such provider, or nothing at this path",
  CONNECTION_NOT_FOUND: "no such connection; also when it is someone else's",
  METHOD_NOT_ALLOWED: "see `Allow`",
  CONNECTION_AMBIGUOUS: "name one of `connections`",
  REAUTHORIZATION_REQUIRED: "the user connects again; the connection keeps its id",
  REQUEST_NOT_ALLOWED: "no line of the application's policy lets this call through",
  PROVIDER_FORBIDDEN: "scope, plan or permission; a refresh cannot help",
  PROVIDER_REJECTED: "the provider's own 4xx, never its 401: mend the request",
  PROVIDER_RATE_LIMITED: "wait `retry_after` seconds",
  REFRESH_IN_PROGRESS: "wait `retry_after` seconds, ask again",
  PROVIDER_UNAVAILABLE: "wait `retry_after` seconds, ask again",
  STORAGE_UNAVAILABLE: "wait `retry_after` seconds, ask again",
  PROVIDER_RESPONSE_INVALID: "the provider answered something unusable",
  CONFIGURATION_INVALID: "for the operator: names the setting, never its value",
  INTERNAL_ERROR: "ours; the log has the request id",
};

/** Every code that is ours, with its status. */
export const CODES: readonly { readonly code: PublicCode; readonly status: string }[] = Object.entries(
  PUBLIC,
)
  .map(([code, { status }]) => ({
    code: code as PublicCode,
    status: code === "PROVIDER_REJECTED" ? "4XX" : String(status),
  }));

const EVERYWHERE = {
  "x-request-id": { $ref: "#/components/headers/RequestId" },
  "server-timing": { $ref: "#/components/headers/ServerTiming" },
};

/** One success. */
export function success(description: string, schema: Json | null, headers: Json = {}): Json {
  return {
    description,
    headers: { ...EVERYWHERE, ...headers },
    ...(schema && { content: { "application/json": { schema } } }),
  };
}

/** The answers that an operation gives for these codes: one for each status, each by its name. */
export function failures(codes: readonly PublicCode[]): Record<string, Json> {
  const byStatus = Map.groupBy(CODES.filter(({ code }) => codes.includes(code)), ({ status }) => status);
  return Object.fromEntries(Array.from(byStatus, ([status, group]) => {
    const name = group.map(({ code }) => code).join(".");
    return [status, { $ref: `#/components/responses/${name}` }];
  }));
}

/** The answers that `paths` name. */
export function responsesOf(paths: Json): Record<string, Json> {
  const names = Array.from(
    JSON.stringify(paths).matchAll(/"#\/components\/responses\/([A-Z_.]+)"/g),
    ([, name = ""]) => name,
  );
  return Object.fromEntries(
    names.toSorted().map((name) => {
      const group = CODES.filter(({ code }) => name.split(".").includes(code));
      return [name, failure(group[0]?.status ?? "", group.map(({ code }) => code))];
    }),
  );
}

function failure(status: string, ours: readonly PublicCode[]): Json {
  const codes: readonly string[] = status === "401" ? CREDENTIALS : ours;
  const retryable = ours.some((code) => retryAfterOf(code) !== undefined);
  const error = { $ref: "#/components/schemas/Error" };
  // The library's own list at 401, and its settings' trouble at 500, may grow.
  const open = status === "401" || status === "500";
  const narrowed = {
    properties: { code: { enum: codes } },
    ...(retryable && { required: ["retry_after"] }),
  };
  return {
    description: ours.map((code) => `\`${code}\`: ${MEANINGS[code]}`).join("; "),
    headers: {
      ...EVERYWHERE,
      ...(retryable && { "retry-after": { $ref: "#/components/headers/RetryAfter" } }),
      ...(status === "405" && { allow: { $ref: "#/components/headers/Allow" } }),
    },
    content: {
      "application/json": {
        schema: open ? error : { allOf: [error, narrowed] },
        examples: Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }])),
      },
    },
  };
}

/** One body for each code, by its name. */
export function examples(): Record<string, Json> {
  const bodies = CODES.map(({ code }) => code).filter((code) => code !== "AUTHORIZATION_DENIED");
  const codes = new Set<string>([...bodies, ...CREDENTIALS]);
  return Object.fromEntries(Array.from(codes, (code) => [code, { value: exampleOf(code) }]));
}

function exampleOf(code: string): Json {
  const known = CODES.find((one) => one.code === code)?.code;
  const retry_after = known && retryAfterOf(known);
  return {
    code,
    message: known === undefined ? "the credentials cannot be used" : MEANINGS[known],
    ...(retry_after !== undefined && { retry_after }),
    ...(code === "CONNECTION_AMBIGUOUS" && {
      connections: ["6f1c2d3e-4a5b-8c6d-9e7f-0a1b2c3d4e5f", "7a2d3e4f-5b6c-8d7e-8f9a-1b2c3d4e5f60"],
    }),
    ...(code === "REAUTHORIZATION_REQUIRED" && { connection_id: "6f1c2d3e-4a5b-8c6d-9e7f-0a1b2c3d4e5f" }),
  };
}

function retryAfterOf(code: PublicCode): number | undefined {
  return new PublicError(code, "").retry_after;
}
