import { formOfClient, parameter } from "./client.ts";
import { nameAccount } from "./journal.ts";
import { sendUninstallNotice } from "./notice.ts";
import type { Call } from "./router.ts";

/** RFC 7009: 200 for an unknown token too; the hint only says where to look first, so it is not needed here. */
export function answerRevoke(call: Call): Response {
  const { world, entry } = call;
  const token = parameter(formOfClient(call), "token");
  const access = world.access_tokens.get(token);
  const known = world.refresh_tokens.get(token) ?? access;
  const grant = world.grants.get(known?.grant_id ?? "");
  const spent = access === undefined && grant?.refresh_token !== token;
  // A token of another client counts as unknown.
  if (grant === undefined || spent || grant.client_id !== world.registration.client_id) {
    entry.outcome = "unknown";
    return new Response(null);
  }
  nameAccount(entry, grant.account);
  entry.version = grant.version;
  if (access) access.ended = "revoked";
  else {
    world.grants.delete(grant.id);
    if (world.switches.uninstall_on_revoke) sendUninstallNotice(world, grant.account);
  }
  return new Response(null);
}
