import { oauthError } from "./bodies.ts";
import { type Call, refuse } from "./call.ts";
import { refuseClient } from "./client_authentication.ts";
import { endGrant, install, refresh } from "./grants.ts";
import { nameAccount } from "./journal.ts";
import { type CodeRecord, nowOf, type RefreshRecord } from "./world.ts";
import type { TokenResponse } from "./types.ts";

/** A refused exchange or refresh, on its way out of the nested checks. */
class Refusal {
  constructor(readonly outcome: string, readonly error: string, readonly message: string) {}
}

/** The token endpoint, checking in the order of facts: method, encoding, client, grant type, then the grant. */
export function answerToken(call: Call): Response {
  if (call.request.method !== "POST") {
    return invalidRequest(call, "Invalid request: method must be POST");
  }
  if (call.form === null) {
    return invalidRequest(call, "Invalid request: content must be `application/x-www-form-urlencoded`");
  }
  const refused = refuseClient(call);
  if (refused) return refused;
  const judged = judgeGrant(call, call.form);
  if (judged instanceof Refusal) {
    return refuse(call, judged.outcome, oauthError(400, judged.error, judged.message));
  }
  call.entry.outcome = "ok";
  return Response.json(judged, { headers: { "cache-control": "no-store", pragma: "no-cache" } });
}

function invalidRequest(call: Call, message: string): Response {
  return refuse(call, "invalid_request", oauthError(400, "invalid_request", message));
}

function judgeGrant(call: Call, form: URLSearchParams): TokenResponse | Refusal {
  const grant_type = parameter(form, "grant_type");
  if (grant_type instanceof Refusal) return grant_type;
  switch (grant_type) {
    case "authorization_code":
      return exchange(call, form);
    case "refresh_token":
      return refreshGrant(call, form);
    case "exchange_api_token": {
      const api_token = parameter(form, "api_token");
      return api_token instanceof Refusal ? api_token : invalidGrant("unknown", "api_token is invalid");
    }
    default:
      return new Refusal(
        "unsupported_grant_type",
        "unsupported_grant_type",
        "Unsupported grant type: `grant_type` is invalid",
      );
  }
}

function exchange(call: Call, form: URLSearchParams): TokenResponse | Refusal {
  const text = parameter(form, "code");
  if (text instanceof Refusal) return text;
  const code = call.world.codes.get(text);
  if (code) nameAccount(call.entry, code.account);
  if (!code || code.client_id !== call.world.registration.client_id) {
    return invalidGrant("unknown", "authorization code is invalid");
  }
  if (code.used) return invalidGrant("spent", "authorization code is invalid");
  if (nowOf(call.world) >= code.expires_at) {
    return invalidGrant("expired", "authorization code has expired");
  }
  const wrong_uri = judgeRedirectUri(code, form.get("redirect_uri"));
  if (wrong_uri) return wrong_uri;
  code.used = true;
  const response = install(call.world, code);
  call.entry.version = 1;
  return response;
}

/** A wrong redirect_uri is refused before the code is consumed: the right one may still follow. */
function judgeRedirectUri(code: CodeRecord, redirect_uri: string | null): Refusal | null {
  if (redirect_uri === null || !URL.canParse(redirect_uri)) {
    const message = "Invalid request: `redirect_uri` is not a valid URI";
    return new Refusal("redirect_uri", "invalid_request", message);
  }
  if (redirect_uri === code.redirect_uri) return null;
  return new Refusal("redirect_uri", "invalid_request", "Invalid request: `redirect_uri` is invalid");
}

function refreshGrant(call: Call, form: URLSearchParams): TokenResponse | Refusal {
  const { world, entry } = call;
  const text = parameter(form, "refresh_token");
  if (text instanceof Refusal) return text;
  const presented = world.refresh_tokens.get(text);
  if (!presented || presented.grant.client_id !== world.registration.client_id) {
    return invalidGrant("unknown", "refresh token is invalid");
  }
  nameAccount(entry, presented.grant.account);
  entry.version = presented.version;
  if (presented.grant.refresh_token === null) return invalidGrant("revoked", "refresh token is invalid");
  if (presented.spent_at !== null) {
    const refused = judgeReuse(call, presented, presented.spent_at);
    if (refused) return refused;
  }
  if (nowOf(world) >= presented.grant.idle_until) {
    return invalidGrant("idle", "refresh token has expired");
  }
  return refresh(world, presented);
}

/** A spent token: refused, tolerated for a moment, or the end of the whole grant, as the switches say. */
function judgeReuse(call: Call, presented: RefreshRecord, spent_at: number): Refusal | null {
  const { world } = call;
  world.tallies.reused += 1;
  if (nowOf(world) - spent_at < world.switches.reuse_grace_ms) return null;
  if (world.switches.revoke_on_reuse) endGrant(world, presented.grant);
  return invalidGrant("spent", "refresh token is invalid");
}

function invalidGrant(outcome: string, what: string): Refusal {
  return new Refusal(outcome, "invalid_grant", `Invalid grant: ${what}`);
}

function parameter(form: URLSearchParams, name: string): string | Refusal {
  const values = form.getAll(name);
  if (!values[0]) return new Refusal("invalid_request", "invalid_request", `Missing parameter: \`${name}\``);
  if (values.length === 1 && /^[\x20-\x7e]+$/.test(values[0])) return values[0];
  return new Refusal("invalid_request", "invalid_request", `Invalid parameter: \`${name}\``);
}
