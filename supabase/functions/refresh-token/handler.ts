import * as v from "valibot";
import { methodNotAllowed, notFound, PublicError } from "../_shared/errors.ts";
import { connectionId, parse, readJson } from "../_shared/http/input.ts";
import { json } from "../_shared/http/respond.ts";
import type { Edge } from "../_shared/http/serve.ts";
import { refreshConnection } from "../_shared/use/access_token.ts";
import type { Context } from "../_shared/context.ts";
import { sweep, type Swept } from "../_shared/refresh/sweep.ts";
import type { Wire, Wiring } from "../_shared/wiring.ts";

export const input = v.strictObject({
  connection_id: v.optional(connectionId),
  force: v.optional(v.boolean()),
});

/** Refreshes one connection, or with a secret key and no connection named all that is due. Answers no token. */
export function refreshToken(wire: Wire): (edge: Edge) => Promise<Response> {
  return async (edge) => {
    if (edge.request.method !== "POST") throw methodNotAllowed(["POST"]);
    const { connection_id, force } = parse(input, await readJson(edge.request, { empty: {} }));
    const sweeps = edge.caller.kind === "secret" && force === undefined;
    if (connection_id === undefined && !sweeps) {
      throw new PublicError("INVALID_REQUEST", '"connection_id" is required');
    }
    const wiring = await wire(edge);
    return connection_id === undefined
      ? sweepAll(wiring, edge)
      : refreshOne(wiring, edge, connection_id, force ?? false);
  };
}

async function refreshOne(wiring: Wiring, edge: Edge, id: string, force: boolean): Promise<Response> {
  edge.log.connection_id = id;
  const user_id = edge.caller.kind === "user" ? edge.caller.user_id : null;
  const context = await contextOf(wiring, id, user_id);
  edge.log.provider = context.client.provider.name;
  const { outcome, version } = await refreshConnection(context, id, user_id, { force });
  Object.assign(edge.log, { outcome, version });
  const connection = await context.store.connection(id, user_id);
  if (!connection) throw notFound(id);
  return json({ connection_id: id, outcome, version, expires_at: connection.access_expires_at });
}

/** The context of the provider that this connection is to; which one only its row says. */
async function contextOf(wiring: Wiring, id: string, user_id: string | null): Promise<Context> {
  const [first = ""] = wiring.providers;
  const { store } = await wiring.context(first);
  const connection = await store.connection(id, user_id);
  if (!connection) throw notFound(id);
  return wiring.context(connection.provider);
}

/** All providers at once, so that the time of one call does not grow with their number. */
async function sweepAll(wiring: Wiring, edge: Edge): Promise<Response> {
  const all = await Promise.all(wiring.providers.map((name) => wiring.context(name)));
  const swept = await Promise.all(all.map((context) => sweepOne(context)));
  edge.log.outcome = "swept";
  return json(swept.reduce(sum));
}

/** Cron hangs up after a few seconds; a refresh that has begun must end all the same. */
function sweepOne(context: Context): Promise<Swept> {
  const work = sweep(context);
  context.waitUntil(Promise.allSettled([work]));
  return work;
}

function sum(one: Swept, other: Swept): Swept {
  return {
    due: one.due + other.due,
    refreshed: one.refreshed + other.refreshed,
    failed: one.failed + other.failed,
    reauthorization_required: one.reauthorization_required + other.reauthorization_required,
    resealed: one.resealed + other.resealed,
    purged: one.purged + other.purged,
  };
}
