import * as v from "valibot";
import { methodNotAllowed, PublicError } from "../_shared/errors.ts";
import { parse, readJson } from "../_shared/http/input.ts";
import { json } from "../_shared/http/respond.ts";
import { uninstall } from "../_shared/connect/disconnect.ts";
import { valueAt } from "../_shared/bytes.ts";
import type { Handler } from "./call.ts";
import { hasClientCredentials, sameSecret } from "./client_credentials.ts";
import { occurredAt } from "./occurred_at.ts";

/** The types are not documented: numbers and texts are one. */
const id = v.pipe(
  v.union(
    [v.pipe(v.number(), v.safeInteger(), v.minValue(1)), v.string()],
    "must be a positive whole number or a text",
  ),
  v.transform((given) => String(given).trim().replace(/^0+(?=\d+$)/, "")),
  v.regex(/^[^\s:\p{Cc}\p{Cs}]{1,128}$/u, "must be an id"),
);
const text = v.pipe(v.union([v.string(), v.number()]), v.transform(String));
const sender = v.object({ client_id: text });

/**
 * A provider's notice that a user has uninstalled the client: the account's tokens are erased.
 *
 * It comes once and nobody reads the answer, so it is read leniently and may be repeated.
 * https://pipedrive.readme.io/docs/app-uninstallation
 */
export const receiveUninstallNotice: Handler = async ({ edge, context: contextOf }) => {
  const context = contextOf();
  const { client } = context;
  const { uninstall_notice: paths } = client.provider;
  if (!paths) throw methodNotAllowed(["GET", "HEAD", "POST"]);
  if (!hasClientCredentials(edge.request, client)) throw unauthorized();
  const body = await readJson(asJson(edge.request));
  if (!sameSecret(parse(sender, body).client_id, client.client_id)) throw unauthorized();
  const ids = paths.key.map((path) => parse(v.object({ [path]: id }), { [path]: valueAt(body, path) })[path]);
  const ended = await uninstall(context, {
    account_key: ids.join(":"),
    occurred_at: occurredAt(valueAt(body, paths.occurred_at)),
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
