import { EnvError } from "@supabase/server";
import { type PublicCode, PublicError, publicErrorOf } from "../errors.ts";

/** What the caller gets to know of an error, and what the log does. */
export interface Failure {
  readonly code: PublicCode;
  readonly status: number;
  /** `{ code, message }` and what helps to act on it. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly headers: Headers;
  readonly reason: string;
}

/** How an error is answered. */
export function failureOf(error: unknown): Failure {
  const known = error instanceof EnvError
    ? new PublicError("CONFIGURATION_INVALID", error.message)
    : publicErrorOf(error);
  const { code, status, message, retry_after, details } = known;
  const { connection_id, connections, reason = message } = details;
  const headers = new Headers(details.headers);
  if (retry_after !== undefined) headers.set("retry-after", String(retry_after));
  const body = {
    code,
    message,
    ...(retry_after !== undefined && { retry_after }),
    ...(connection_id !== undefined && { connection_id }),
    ...(connections !== undefined && { connections }),
  };
  return { code, status, body, headers, reason };
}
