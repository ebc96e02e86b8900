import { methodNotAllowed, PublicError } from "../_shared/errors.ts";
import { connectionId, parse, readBody } from "../_shared/http/input.ts";
import type { Cors, Edge } from "../_shared/http/serve.ts";
import { headersOf } from "../_shared/providers/headers.ts";
import type { Provider } from "../_shared/providers/mod.ts";
import { callApi } from "../_shared/use/call_api.ts";
import type { Wire } from "../_shared/wiring.ts";
import { compile, judge, NO_LINE, type Policy, target } from "./policy.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** Of a request's body, and how long it may take to arrive, in milliseconds. */
const BODY = { bytes: 1024 * 1024, ms: 30_000 };
const CONNECTION = "x-connection-id";

/** A page may name the connection and what the providers let a caller choose, and see what describes an answer. */
export function corsOf(definitions: ReadonlyMap<string, Provider>): Cors {
  return headersOf(definitions.values(), { methods: METHODS, headers: [CONNECTION] });
}

/**
 * Passes on what the application's policy allows, in the caller's name. What the provider answers passes as it is.
 *
 * @param definitions of those that the policy names
 * @throws {TypeError} where the policy is malformed
 */
export function proxy(
  policy: Policy,
  definitions: ReadonlyMap<string, Provider>,
  wire: Wire,
): (edge: Edge) => Promise<Response> {
  const lines = compile(policy, definitions);
  return async (edge) => {
    const { request, caller, log } = edge;
    const { method, headers } = request;
    if (!METHODS.includes(method)) throw methodNotAllowed(METHODS);
    const { provider, base, path, search } = target(request);
    const user_id = caller.kind === "user" ? caller.user_id : null;
    const of = user_id === null ? "secret" : "user";
    const judged = judge(lines, { caller: of, provider, method, base, path, search });
    if (!judged.allowed) throw notAllowed(method, path, judged.why);
    const named = headers.get(CONNECTION);
    const connection_id = named === null ? undefined : parse(connectionId, named);
    if (user_id === null && connection_id === undefined) {
      throw new PublicError("INVALID_REQUEST", `the header "${CONNECTION}" is required`);
    }
    log.connection_id = connection_id;
    const context = (await wire(edge)).context(provider);
    const call = {
      ...{ connection_id, user_id, method, base, path, query: judged.search, changes: judged.changes },
      headers: chosen(headers, context.client.provider.api.caller_headers),
      body: request.body === null ? undefined : await readBody(request, BODY),
      takes: "any" as const,
      signal: request.signal,
    };
    const { status, headers: passed, body, ...answered } = await callApi(context, call);
    Object.assign(log, answered, { outcome: "passed" });
    return new Response(body, { status, headers: passed });
  };
}

/** What of a caller's headers travels. */
function chosen(headers: Headers, own: readonly string[]): Record<string, string> {
  const names = ["accept", "content-type", ...own];
  return Object.fromEntries(names.flatMap((name) => {
    const value = headers.get(name);
    return value === null ? [] : [[name, value]];
  }));
}

/** Characters of what a caller chose that a message repeats. */
const MOST_SHOWN = 100;

/** Names what was asked, and what is wrong with it if anything is; which file would allow it is for the log. */
function notAllowed(method: string, path: string, why: string): PublicError {
  const asked = `${method} ${path.slice(0, MOST_SHOWN)}`;
  if (why !== NO_LINE) {
    return new PublicError("REQUEST_NOT_ALLOWED", `${asked} is not allowed: ${why}`, { reason: why });
  }
  const reason = `${why}: see supabase/functions/proxy/allowed.ts`;
  return new PublicError("REQUEST_NOT_ALLOWED", `no line of the policy allows ${asked}`, { reason });
}
