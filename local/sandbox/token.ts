import { oauthError, Refusal } from "./answers.ts";
import { formOfClient, invalidRequest, parameter } from "./client.ts";
import { install, refresh, type TokenResponse } from "./grants.ts";
import { nameAccount, TOLERATED } from "./journal.ts";
import type { Call } from "./router.ts";
import type { RefreshToken } from "./world.ts";

/** The token endpoint, checking in Pipedrive's order: method, encoding, client, grant type, then the grant. */
export function answerToken(call: Call): Response {
  const granted = grant(call, formOfClient(call));
  return Response.json(granted, { headers: { "cache-control": "no-store", pragma: "no-cache" } });
}

function grant(call: Call, form: URLSearchParams): TokenResponse {
  switch (parameter(form, "grant_type")) {
    case "authorization_code":
      return exchange(call, form);
    case "refresh_token":
      return refreshGrant(call, form);
    case "exchange_api_token":
      parameter(form, "api_token");
      throw invalidGrant("unknown", "api_token is invalid");
  }
  const error = "unsupported_grant_type";
  throw new Refusal(error, oauthError(400, error, "Unsupported grant type: `grant_type` is invalid"));
}

function exchange({ world, entry }: Call, form: URLSearchParams): TokenResponse {
  const code = world.codes.get(parameter(form, "code"));
  if (code) nameAccount(entry, code.account);
  if (!code || code.client_id !== world.registration.client_id) {
    throw invalidGrant("unknown", "authorization code is invalid");
  }
  if (code.used) throw invalidGrant("spent", "authorization code is invalid");
  if (world.now() >= code.expires_at) throw invalidGrant("expired", "authorization code has expired");
  const redirect_uri = form.get("redirect_uri");
  if (redirect_uri === null || !URL.canParse(redirect_uri)) {
    throw invalidRequest("Invalid request: `redirect_uri` is not a valid URI", "redirect_uri");
  }
  if (redirect_uri !== code.redirect_uri) {
    throw invalidRequest("Invalid request: `redirect_uri` is invalid", "redirect_uri");
  }
  // Consumed only here: after a wrong redirect_uri the right one may still follow.
  code.used = true;
  entry.version = 1;
  return install(world, code);
}

function refreshGrant(call: Call, form: URLSearchParams): TokenResponse {
  const { world, entry } = call;
  const presented = world.refresh_tokens.get(parameter(form, "refresh_token"));
  if (presented === undefined) throw invalidGrant("unknown", "refresh token is invalid");
  entry.version = presented.version;
  const grant = world.grants.get(presented.grant_id);
  if (grant === undefined) throw invalidGrant("revoked", "refresh token is invalid");
  if (grant.client_id !== world.registration.client_id) {
    throw invalidGrant("unknown", "refresh token is invalid");
  }
  nameAccount(entry, grant.account);
  if (presented.spent_at !== null) judgeReuse(call, presented, presented.spent_at);
  if (world.now() >= grant.idle_until) throw invalidGrant("idle", "refresh token has expired");
  return refresh(world, grant, presented);
}

/** A spent token: refused, tolerated for a moment, or the end of the whole grant, as the switches say. */
function judgeReuse({ world, entry }: Call, { grant_id }: RefreshToken, spent_at: number): void {
  entry.outcome = TOLERATED;
  if (world.now() - spent_at < world.switches.reuse_grace_ms) return;
  if (world.switches.revoke_on_reuse) world.grants.delete(grant_id);
  throw invalidGrant("spent", "refresh token is invalid");
}

function invalidGrant(outcome: string, what: string): Refusal {
  return new Refusal(outcome, oauthError(400, "invalid_grant", `Invalid grant: ${what}`));
}
