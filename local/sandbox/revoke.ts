import { oauthError } from "./bodies.ts";
import { type Call, refuse } from "./call.ts";
import { refuseClient } from "./client_authentication.ts";
import { endGrant } from "./grants.ts";
import { nameAccount } from "./journal.ts";
import { sendUninstallNotice } from "./notice.ts";
import type { Grant } from "./world.ts";

/** RFC 7009: 200 for an unknown token too; the hint only says where to look first, so it is not needed here. */
export function answerRevoke(call: Call): Response {
  const { world, entry, form } = call;
  if (call.request.method !== "POST" || form === null) {
    const message = "Invalid request: content must be `application/x-www-form-urlencoded`";
    return refuse(call, "invalid_request", oauthError(400, "invalid_request", message));
  }
  const refused = refuseClient(call);
  if (refused) return refused;
  const token = form.get("token");
  if (!token) {
    const message = "Missing parameter: `token`";
    return refuse(call, "invalid_request", oauthError(400, "invalid_request", message));
  }
  const grant = world.refresh_tokens.get(token)?.grant;
  const access = world.access_tokens.get(token);
  entry.outcome = "unknown";
  if (grant && grant.refresh_token === token && ours(call, grant)) {
    entry.outcome = "ok";
    nameAccount(entry, grant.account);
    entry.version = grant.version;
    endGrant(world, grant);
    if (world.switches.uninstall_on_revoke && world.registration.redirect_uri !== null) {
      sendUninstallNotice(world, grant.account);
    }
  } else if (access && ours(call, access.grant)) {
    entry.outcome = "ok";
    nameAccount(entry, access.grant.account);
    access.ended = "revoked";
  }
  return new Response(null, { status: 200 });
}

/** A token of another client counts as unknown. */
function ours(call: Call, grant: Grant): boolean {
  return grant.client_id === call.world.registration.client_id;
}
