/** What PostgREST answers where PostgreSQL says no: the table of its src/library/PostgREST/Error.hs (of August 2026). */
import postgres from "postgres";
import type { Message } from "./breakable_server.ts";

/** By SQLSTATE, the first that matches; whatever is not here is 400. */
const STATUSES: readonly (readonly [RegExp, number])[] = [
  [/^08/, 503],
  [/^09/, 500],
  [/^0[LP]/, 403],
  [/^23503$|^23505$/, 409],
  [/^25006$/, 405],
  [/^21000$|^25/, 500],
  [/^28/, 403],
  [/^2D|^38|^39|^3B|^40/, 500],
  [/^53400$/, 500],
  [/^53/, 503],
  [/^5[45]/, 500],
  [/^57P01$/, 503],
  [/^57|^58|^F0|^HV/, 500],
  [/^P0001$/, 400],
  [/^P0|^XX/, 500],
  [/^42883$|^42P01$/, 404],
  [/^42P17$/, 500],
  // The caller has shown a key; without one it would be 401.
  [/^42501$/, 403],
];

export function statusOf(sqlstate: string): number {
  return STATUSES.find(([pattern]) => pattern.test(sqlstate))?.[1] ?? 400;
}

/** The answer for what the driver threw. */
export function troubleOf(error: unknown): Message {
  if (error instanceof postgres.PostgresError) {
    const { code, message, detail: details = null, hint = null } = error;
    return answerOf(statusOf(code), { code, details, hint, message });
  }
  const { code } = error as { readonly code?: string };
  // Broken off under way, or never there: two errors of PostgREST, one status.
  return code === "CONNECTION_CLOSED" || code === "CONNECTION_DESTROYED"
    ? answerOf(503, { code: "PGRST001", message: "Database client error. Retrying the connection." })
    : answerOf(503, { code: "PGRST000", message: "Database connection error." });
}

/** What its cache of the schema does not know: a function that is not there, not yet, or not with these arguments. */
export function noFunction(name: string, args: readonly string[]): Message {
  const searched = `public.${name}${args.length > 0 ? `(${args.join(", ")})` : " without parameters"}`;
  return answerOf(404, {
    code: "PGRST202",
    details: `Searched for the function ${searched}, but no matches were found in the schema cache.`,
    message: `Could not find the function ${searched} in the schema cache`,
  });
}

/** As it begins the transaction of a volatile function with READ WRITE, a standby refuses it before it looks at anything. */
export const IN_RECOVERY: Message = answerOf(400, {
  code: "0A000",
  message: "cannot set transaction read-write mode during recovery",
});

/** The members are always four. */
export function answerOf(
  status: number,
  error: { code: string; message: string; details?: string | null; hint?: string | null },
): Message {
  return {
    status,
    type: "application/json; charset=utf-8",
    text: JSON.stringify({ details: null, hint: null, ...error }),
  };
}
