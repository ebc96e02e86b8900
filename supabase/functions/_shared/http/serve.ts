import {
  type AuthError,
  type AuthModes,
  type Caller,
  callers,
  nameOf,
  refuseSchedule,
  SWEEPS,
  type Trusted,
  UUID,
} from "./caller.ts";
import { asPublicError, errorResponse } from "./errors.ts";
import { type LogFields, writeLine } from "./log.ts";
import { Meter, type Meters, serverTiming } from "./meter.ts";
import { json } from "./respond.ts";

/** One request as a handler sees it. */
export interface Edge {
  readonly request: Request;
  readonly caller: Caller;
  /** Handlers add what they learn. */
  readonly log: LogFields;
  readonly meters: Meters;
}

/** What of a function's answers and requests a page of another origin may see and send, beside what all have. */
export interface Cors {
  readonly methods?: readonly string[];
  readonly headers?: readonly string[];
  readonly exposed?: readonly string[];
}

/** On every answer; `no-referrer` because a callback's URL holds a code (RFC 9700 §4.2.4). The exposed names are the ones a page may read across origins (https://fetch.spec.whatwg.org/#cors-protocol). */
const HEADERS: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers":
    "authorization, x-client-info, apikey, content-type, x-region, x-request-id, x-retry-count, traceparent, tracestate, baggage",
  "access-control-allow-methods": "GET, POST, DELETE, OPTIONS",
  "access-control-expose-headers":
    "x-request-id, retry-after, x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, x-daily-ratelimit-token-limit, x-daily-ratelimit-token-remaining, x-supabase-server-error, server-timing",
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  // Without it a page of another origin sees no `Server-Timing` in its own measurements.
  "timing-allow-origin": "*",
  "x-content-type-options": "nosniff",
};

/**
 * The edge of a function: who calls, one catch, one log line, and the headers of every answer.
 *
 * @param name the function's folder, for the log
 * @param auth who may call; everyone else is answered 401 before `handle` runs
 * @param trusted whose tokens count as a user's
 * @param handle lets errors rise
 * @param cors what pages may send and see beside what they may of every function
 *
 * @example
 * ```ts
 * export default {
 *   fetch: serve("whoami", ["user", "secret:*"], trusted, async ({ caller }) => json({ kind: caller.kind })),
 * };
 * ```
 */
export function serve(
  name: string,
  auth: AuthModes,
  trusted: Trusted,
  handle: (edge: Edge) => Promise<Response>,
  cors: Cors = {},
): (request: Request) => Promise<Response> {
  const callerOf = callers(auth, trusted);
  const always = withCors(cors);
  return async (request) => {
    const started = performance.now();
    const request_id = crypto.randomUUID();
    const log: LogFields = { request_id, caller_request_id: callersId(request), function: name };
    const meters = { database: new Meter(), provider: new Meter() };
    const response = await answer(request, { callerOf, handle }, { log, meters });
    const milliseconds = Math.round(performance.now() - started);
    writeLine({ ...log, ...cost(meters), status: response.status, milliseconds });
    stamp(response, always, request_id, serverTiming(meters, milliseconds));
    return response;
  };
}

interface Door {
  readonly callerOf: ReturnType<typeof callers>;
  readonly handle: (edge: Edge) => Promise<Response>;
}

/** The only catch: whatever rises becomes one of the documented codes. */
async function answer(
  request: Request,
  { callerOf, handle }: Door,
  notes: Pick<Edge, "log" | "meters">,
): Promise<Response> {
  const { log } = notes;
  try {
    if (request.method === "OPTIONS") return new Response(null, { status: 204 });
    // Who calls is known from the headers. The body is left to whoever needs it.
    const caller = await callerOf(request);
    if (caller instanceof Error) return refusal(caller, log);
    log.caller = nameOf(caller);
    if (log.function !== SWEEPS) refuseSchedule(caller);
    return await handle({ request, caller, ...notes });
  } catch (error) {
    const known = asPublicError(error);
    Object.assign(log, { code: known.code, reason: known.reason });
    log.connection_id ??= known.details.connection_id;
    return errorResponse(known);
  }
}

/** In the library's own words. What it would add for who builds against it is not for everybody. */
function refusal({ code, message, status }: AuthError, log: LogFields): Response {
  log.code = code;
  return json({ code, message }, status, { "x-supabase-server-error": code });
}

/** For the log line, whose fields are left out where nothing was called. */
function cost({ database, provider }: Meters): Partial<LogFields> {
  return {
    database_calls: database.calls || undefined,
    database_milliseconds: database.calls > 0 ? database.milliseconds : undefined,
    provider_calls: provider.calls || undefined,
    provider_milliseconds: provider.calls > 0 ? provider.milliseconds : undefined,
  };
}

/** A caller's own id is noted beside ours, so that both sides find the line; anything else than a UUID could be anything. */
function callersId({ headers }: Request): string | undefined {
  const given = headers.get("x-request-id") ?? "";
  return UUID.test(given) ? given : undefined;
}

function withCors({ methods = [], headers = [], exposed = [] }: Cors): Readonly<Record<string, string>> {
  const added = (name: string, more: readonly string[]) =>
    [...new Set([...HEADERS[name]?.split(", ") ?? [], ...more])].join(", ");
  return {
    ...HEADERS,
    "access-control-allow-headers": added("access-control-allow-headers", headers),
    "access-control-allow-methods": added("access-control-allow-methods", methods),
    "access-control-expose-headers": added("access-control-expose-headers", exposed),
  };
}

function stamp(
  { headers }: Response,
  always: Readonly<Record<string, string>>,
  request_id: string,
  server_timing: string,
): void {
  for (const name in always) headers.set(name, always[name] ?? "");
  headers.set("x-request-id", request_id);
  headers.set("server-timing", server_timing);
}
