/**
 * What a log line may hold. A handler sets what it learns; whatever is not in this list cannot get into a line, so no
 * token, query or body does.
 */
export interface LogFields {
  readonly request_id: string;
  readonly function: string;
  /** The user's id, or the name of the secret key. */
  caller?: string;
  connection_id?: string;
  provider?: string;
  version?: number;
  outcome?: string;
  status?: number;
  code?: string;
  /** In words of our own. */
  reason?: string;
  /** Requests that went out to the provider, of whatever kind. */
  provider_calls?: number;
  /** Requests to the provider's API that this request needed. */
  attempts?: number;
  /** Calls of our SQL functions. */
  database_calls?: number;
  /** Of `milliseconds`, those in which a call to the database, or a request to the provider, was under way. */
  database_milliseconds?: number;
  provider_milliseconds?: number;
  milliseconds?: number;
}

const FIELDS = [
  "request_id",
  "function",
  "caller",
  "connection_id",
  "provider",
  "version",
  "outcome",
  "status",
  "code",
  "reason",
  "provider_calls",
  "attempts",
  "database_calls",
  "database_milliseconds",
  "provider_milliseconds",
  "milliseconds",
] as const satisfies readonly (keyof LogFields)[];

/** One line of JSON; line breaks are escaped by it. Our own failures go to the error stream. */
export function writeLine(fields: LogFields): void {
  const line = JSON.stringify(Object.fromEntries(FIELDS.map((name) => [name, fields[name]])));
  if ((fields.status ?? 0) >= 500) console.error(line);
  else console.log(line);
}
