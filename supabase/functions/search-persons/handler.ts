import { methodNotAllowed, PublicError } from "../_shared/errors.ts";
import { pathAfter } from "../_shared/http/path.ts";
import type { Edge } from "../_shared/http/serve.ts";
import { callApi } from "../_shared/use/call_api.ts";
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
  const { connection_id, query } = await readSearch(request);
  log.connection_id = connection_id;
  const context = (await wire(edge)).context(PROVIDER);
  const user_id = caller.kind === "user" ? caller.user_id : null;
  if (user_id === null && connection_id === undefined) {
    throw new PublicError("INVALID_REQUEST", '"connection_id" is required');
  }
  const call = { connection_id, user_id, path: PATH, query, signal: request.signal };
  const { status, headers, body, ...answered } = await callApi(context, call);
  Object.assign(log, answered, { outcome: "found" });
  return new Response(body, { status, headers });
}
