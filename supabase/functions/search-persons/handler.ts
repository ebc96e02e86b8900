import { methodNotAllowed, PublicError, reauthorizationRequired } from "../_shared/errors.ts";
import { pathAfter } from "../_shared/http/path.ts";
import type { Caller } from "../_shared/http/caller.ts";
import type { Edge } from "../_shared/http/serve.ts";
import { callApi } from "../_shared/use/call_api.ts";
import type { Context } from "../_shared/context.ts";
import type { Wire } from "../_shared/wiring.ts";
import { readSearch } from "./query.ts";

const PROVIDER = "pipedrive";
const PATH = "/api/v2/persons/search";

/** Searches persons in the caller's name. The provider's answer passes byte for byte. */
export async function searchPersons(edge: Edge, wire: Wire): Promise<Response> {
  const { request, caller, log } = edge;
  if (request.method !== "GET" && request.method !== "POST") throw methodNotAllowed(["GET", "POST"]);
  if (pathAfter(request, "search-persons").length > 0) {
    throw new PublicError("INVALID_REQUEST", "there is nothing below this path");
  }
  const { connection_id: named, query } = await readSearch(request);
  const context = (await wire(edge)).context(PROVIDER);
  const connection_id = named ?? await onlyConnection(context, caller);
  log.connection_id = connection_id;
  const user_id = caller.kind === "user" ? caller.user_id : null;
  const { signal } = request;
  const answer = await callApi(context, { connection_id, user_id, path: PATH, query, signal });
  log.version = answer.version;
  log.attempts = answer.attempts;
  log.outcome = "found";
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}

/**
 * The only connection of a user who named none. One that waits to be connected again counts as well: the answer must
 * not come from another company because the user's own has ended.
 *
 * @throws {PublicError} `INVALID_REQUEST`: a secret key speaks for nobody, so it must name one
 * @throws {PublicError} `CONNECTION_NOT_FOUND`, `REAUTHORIZATION_REQUIRED`, `CONNECTION_AMBIGUOUS`
 */
async function onlyConnection({ store }: Context, caller: Caller): Promise<string> {
  if (caller.kind !== "user") throw new PublicError("INVALID_REQUEST", '"connection_id" is required');
  const connections = await store.connectionsOf({ user_id: caller.user_id, provider: PROVIDER });
  const ids = connections.map(({ id }) => id);
  const [first, second] = ids;
  if (first === undefined) {
    throw new PublicError("CONNECTION_NOT_FOUND", "you have no connection yet: connect first");
  }
  if (connections.every(({ status }) => status !== "active")) throw reauthorizationRequired(first);
  if (second === undefined) return first;
  const message = "you have several connections: name one";
  throw new PublicError("CONNECTION_AMBIGUOUS", message, { connections: ids });
}
