import { internalError, PublicError } from "../errors.ts";
import { json } from "./respond.ts";

/** Whatever rose, as the error that the caller is told of. */
export function asPublicError(error: unknown): PublicError {
  return error instanceof PublicError ? error : internalError(error);
}

/** `{ code, message }` and what helps to act on it. */
export function errorResponse({ code, message, status, retry_after, details }: PublicError): Response {
  const { connection_id, connections } = details;
  const headers = new Headers(details.headers);
  if (retry_after !== undefined) headers.set("retry-after", String(retry_after));
  // JSON leaves out what is undefined.
  return json({ code, message, retry_after, connection_id, connections }, status, headers);
}
