import * as v from "valibot";
import { PublicError } from "../_shared/errors.ts";
import { connectionId, parse, readJson } from "../_shared/http/input.ts";
import { json } from "../_shared/http/respond.ts";
import type { Edge } from "../_shared/http/serve.ts";
import { beginAuthorization } from "../_shared/connect/begin.ts";
import { completeAuthorization } from "../_shared/connect/complete.ts";
import { disconnectConnection } from "../_shared/connect/disconnect.ts";
import type { Handler } from "./call.ts";
import { placeFor, returnTo } from "./return_to.ts";

/** Of one value, before its kind judges it. */
const value = v.pipe(
  v.string("must be a text"),
  v.maxLength(1024, "must not be longer than 1024 characters"),
);
export const beginInput = v.strictObject({
  return_to: v.optional(returnTo, "/"),
  values: v.optional(v.record(v.string(), value, "must be an object of texts"), {}),
});

/** Begins: where to send the browser, and the binding that this tab keeps meanwhile. */
export const authorize: Handler = async ({ edge, wiring, context }) => {
  const user_id = userOf(edge);
  const { return_to, values } = parse(beginInput, await readJson(edge.request, { empty: {} }));
  const place = placeFor(edge.request, return_to, wiring.app_origins);
  const begun = await beginAuthorization(context(), { user_id, return_to: place, values });
  edge.log.outcome = "begun";
  return json(begun, 201);
};

/** Ours are 43 characters long; whatever else a caller sends is looked up as it is and not found. */
const secret = v.pipe(
  v.string(),
  v.nonEmpty("must not be empty"),
  v.maxLength(256, "must not be longer than 256 characters"),
);
export const completeInput = v.strictObject({ ticket: secret, binding: secret });

/** Completes what the same user began in the same tab. */
export const complete: Handler = async ({ edge, context }) => {
  const user_id = userOf(edge);
  const { ticket, binding } = parse(completeInput, await readJson(edge.request));
  const connection = await completeAuthorization(context(), { user_id, ticket, binding });
  Object.assign(edge.log, { outcome: "connected", connection_id: connection.id });
  return json({ connection });
};

export const disconnectInput = v.strictObject({ connection_id: connectionId });

/** Erases the tokens, also of a provider that is not offered any more, and revokes them where one is. */
export const disconnect: Handler = async ({ edge, wiring, provider_name, context }) => {
  const user_id = userOf(edge);
  const { connection_id } = parse(disconnectInput, await readJson(edge.request));
  edge.log.connection_id = connection_id;
  const named = { id: connection_id, user_id, provider: provider_name };
  const connection = await disconnectConnection(wiring.store, named, context);
  edge.log.outcome = "disconnected";
  return json({ connection });
};

function userOf({ caller }: Edge): string {
  if (caller.kind === "user") return caller.user_id;
  throw new PublicError("MISSING_CREDENTIALS", "send the user's access token as Authorization: Bearer");
}
