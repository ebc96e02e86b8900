/**
 * What a log line may hold, in its order. A handler sets what it learns; whatever is not in these lists cannot get
 * into a line, so no token, query or body does.
 */
const FIELDS = [
  "request_id",
  // The one that the caller sent, if it is a UUID.
  "caller_request_id",
  "function",
  // The user's id, or the name of the secret key.
  "caller",
  "connection_id",
  "provider",
  // The providers whose settings are there, once an isolate.
  "offered",
  "version",
  "outcome",
  "status",
  "code",
  // In words of our own.
  "reason",
  // Requests that went out to the provider, of whatever kind, and those to its API that this request needed.
  "provider_calls",
  "attempts",
  // Calls of our SQL functions.
  "database_calls",
  // Of `milliseconds`, those in which a call to the database, or a request to the provider, was under way.
  "database_milliseconds",
  "provider_milliseconds",
  "milliseconds",
] as const;

type Text =
  | "caller_request_id"
  | "caller"
  | "connection_id"
  | "provider"
  | "offered"
  | "outcome"
  | "code"
  | "reason";
type Count = Exclude<(typeof FIELDS)[number], Text | "request_id" | "function">;

export type LogFields =
  & { readonly request_id: string; readonly function: string }
  & { [Field in Text]?: string }
  & { [Field in Count]?: number };

/** One line of JSON; line breaks are escaped by it. Our own failures go to the error stream. */
export function writeLine(fields: LogFields): void {
  const line = JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, fields[name]])));
  if ((fields.status ?? 0) >= 500) console.error(line);
  else console.log(line);
}
