import * as v from "valibot";
import { PublicError } from "../_shared/errors.ts";
import { parse, readJson } from "../_shared/http/input.ts";
import { json } from "../_shared/http/respond.ts";
import { uninstall } from "../_shared/connect/disconnect.ts";
import type { Handler } from "./call.ts";
import { hasClientCredentials, sameSecret } from "./client_credentials.ts";
import { occurredAt } from "./occurred_at.ts";

/** The types are not documented: numbers and texts are one. */
const id = v.pipe(
  v.union([v.number(), v.string()]),
  v.transform((given) => String(given).trim().replace(/^0+(?=\d)/, "")),
  v.regex(/^\d{1,20}$/, "must be a number"),
);
const text = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
export const notice = v.object({
  client_id: text,
  company_id: id,
  user_id: id,
  timestamp: v.optional(v.unknown()),
});

/**
 * Pipedrive's notice that a user has uninstalled the client: the account's tokens are erased.
 *
 * It comes once and nobody reads the answer, so it is read leniently and may be repeated.
 * https://pipedrive.readme.io/docs/app-uninstallation
 */
export const receiveUninstallNotice: Handler = async ({ edge, context }) => {
  const { client } = context;
  if (!hasClientCredentials(edge.request, client)) throw unauthorized();
  const { client_id, company_id, user_id, timestamp } = parse(notice, await readJson(asJson(edge.request)));
  if (!sameSecret(client_id, client.client_id)) throw unauthorized();
  const ended = await uninstall(context, {
    account_key: `${company_id}:${user_id}`,
    occurred_at: occurredAt(timestamp),
  });
  edge.log.outcome = ended > 0 ? "uninstalled" : "unchanged";
  return json({});
};

/** RFC 9110 §11.6.1: a 401 names how to authenticate. */
function unauthorized(): PublicError {
  const headers = new Headers({ "www-authenticate": 'Basic realm="oauth-callback"' });
  const message = "the notice does not carry this client's credentials";
  return new PublicError("INVALID_CREDENTIALS", message, { headers });
}

/** Whatever the notice says its body is, it is JSON. */
function asJson(request: Request): Request {
  const headers = new Headers(request.headers);
  headers.set("content-type", "application/json");
  return new Request(request, { headers });
}
