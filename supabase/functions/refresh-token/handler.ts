import * as v from "valibot";
import { methodNotAllowed, PublicError } from "../_shared/errors.ts";
import { refuseSchedule } from "../_shared/http/caller.ts";
import { connectionId, parse, readJson } from "../_shared/http/input.ts";
import { json } from "../_shared/http/respond.ts";
import type { Edge } from "../_shared/http/serve.ts";
import { sweep, type Swept } from "../_shared/refresh/sweep.ts";
import { refreshConnection, usableConnection } from "../_shared/use/access_token.ts";
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
    if (connection_id !== undefined) refuseSchedule(edge.caller);
    const wiring = await wire(edge);
    return connection_id === undefined
      ? sweepAll(wiring, edge)
      : refreshOne(wiring, edge, connection_id, force ?? false);
  };
}

async function refreshOne(
  wiring: Wiring,
  edge: Edge,
  connection_id: string,
  force: boolean,
): Promise<Response> {
  edge.log.connection_id = connection_id;
  const user_id = edge.caller.kind === "user" ? edge.caller.user_id : null;
  const connection = await usableConnection(wiring.store, { connection_id, user_id });
  // Which provider this connection is to only its row says.
  const context = wiring.context(connection.provider);
  const { outcome, version, access_expires_at } = await refreshConnection(context, connection, { force });
  Object.assign(edge.log, { outcome, version });
  return json({ connection_id, outcome, version, expires_at: access_expires_at });
}

const NOTHING: Swept = {
  due: 0,
  refreshed: 0,
  failed: 0,
  reauthorization_required: 0,
  revoked: 0,
  abandoned: 0,
  resealed: 0,
  unreadable: 0,
  unreadable_key_ids: [],
  purged: 0,
};

/** All providers at once, so that the time of one call does not grow with their number. */
async function sweepAll(wiring: Wiring, edge: Edge): Promise<Response> {
  const offered = wiring.offered.map(({ name }) => name);
  await wiring.store.beginSweep({ offered });
  const swept = await Promise.all(offered.map((name) => sweepOne(wiring, name)));
  edge.log.outcome = "swept";
  return json(swept.reduce(sum, NOTHING));
}

/** Cron hangs up after a few seconds; a refresh that has begun must end all the same. */
function sweepOne(wiring: Wiring, provider_name: string): Promise<Swept> {
  const context = wiring.context(provider_name);
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
    revoked: one.revoked + other.revoked,
    abandoned: one.abandoned + other.abandoned,
    resealed: one.resealed + other.resealed,
    unreadable: one.unreadable + other.unreadable,
    unreadable_key_ids: [...new Set([...one.unreadable_key_ids, ...other.unreadable_key_ids])],
    purged: one.purged + other.purged,
  };
}
