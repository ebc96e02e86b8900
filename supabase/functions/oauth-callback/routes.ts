import { methodNotAllowed, PublicError } from "../_shared/errors.ts";
import { pathAfter } from "../_shared/http/path.ts";
import { json } from "../_shared/http/respond.ts";
import type { Edge } from "../_shared/http/serve.ts";
import { providers } from "../_shared/providers/mod.ts";
import type { Wire } from "../_shared/wiring.ts";
import { authorize, complete, disconnect } from "./actions.ts";
import type { Handler } from "./call.ts";
import { receiveRedirect } from "./redirect.ts";
import { receiveUninstallNotice } from "./uninstall.ts";

/** What a user asks for has a path of its own, below the provider's. */
const ACTIONS: ReadonlyMap<string, Handler> = new Map(Object.entries({ authorize, complete, disconnect }));

const BARE_METHODS = ["GET", "HEAD", "POST", "DELETE"];

/** One redirect URI a client receives everything a provider sends, so on the bare path the method decides. */
export function routes(wire: Wire): (edge: Edge) => Promise<Response> {
  return async (edge) => {
    const [provider_name = "", ...rest] = pathAfter(edge.request, "oauth-callback");
    const handle = handlerFor(edge.request, rest.join("/"));
    const lists = provider_name === "" && handle === null && edge.request.method !== "POST";
    if (handle === null && !lists) return acknowledge(provider_name);
    const wiring = await wire(edge);
    if (handle === null) return json({ providers: wiring.offered });
    return handle({ edge, wiring, provider_name, context: () => wiring.context(provider_name) });
  };
}

/** @returns null for what is acknowledged and changes nothing */
function handlerFor({ method, url }: Request, action: string): Handler | null {
  if (action !== "") {
    const handle = ACTIONS.get(action);
    if (!handle) throw new PublicError("UNKNOWN_PROVIDER", "nothing answers at this path");
    if (method !== "POST") throw methodNotAllowed(["POST"]);
    return handle;
  }
  switch (method) {
    case "GET":
      return new URL(url).search === "" ? null : receiveRedirect;
    case "DELETE":
      return receiveUninstallNotice;
    case "HEAD":
    case "POST":
      return null;
    default:
      throw methodNotAllowed(BARE_METHODS);
  }
}

/**
 * 200, and nothing else happens: the provider's check of the redirect URI (a bare GET or HEAD; a HEAD with parameters
 * is somebody's link preview and must not use up a `state`), and the notice of app sharing, which anybody can send.
 * Asks for no settings, so that it also answers before they are made.
 */
function acknowledge(provider_name: string): Response {
  if (!providers.has(provider_name)) {
    throw new PublicError("UNKNOWN_PROVIDER", "this deployment has no such provider");
  }
  return json({});
}
