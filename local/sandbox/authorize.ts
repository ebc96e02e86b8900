import { findAccount } from "./accounts.ts";
import { unauthorized } from "./bodies.ts";
import { type Call, refuse } from "./call.ts";
import { consentPage } from "./consent.ts";
import { nameAccount } from "./journal.ts";
import { mintCode } from "./mint.ts";
import { nowOf, type World } from "./world.ts";
import type { Account } from "./types.ts";

/** An authorization code lives five minutes. */
const CODE_LIFETIME_MS = 300_000;

/** The consent dialog: GET shows it, POST is the user's decision. Checks the client first, then the callback URL. */
export function answerAuthorize(call: Call): Response {
  const { world, url, entry } = call;
  const { client_id, redirect_uri } = world.registration;
  if (url.searchParams.get("client_id") !== client_id) return refuse(call, "unknown_client", unauthorized());
  if (redirect_uri === null || url.searchParams.get("redirect_uri") !== redirect_uri) {
    return refuse(call, "redirect_uri", Response.json({ error: "Invalid redirect URL" }, { status: 400 }));
  }
  if (call.request.method !== "POST") {
    entry.outcome = "consent_shown";
    return consentPage(world);
  }
  return decide(call, call.form ?? new URLSearchParams());
}

function decide(call: Call, form: URLSearchParams): Response {
  const { world, url, entry } = call;
  const state = url.searchParams.get("state");
  const decision = form.get("decision");
  if (decision === "cancel") {
    entry.outcome = "denied";
    return sendBack(world, { error: world.switches.deny_error }, state);
  }
  const account = findAccount(form.get("user") ?? undefined);
  if (decision !== "allow" || account === null) {
    const error = decision === "allow" ? "Unknown user" : "decision must be allow or cancel";
    return refuse(call, "invalid_request", Response.json({ error }, { status: 400 }));
  }
  nameAccount(entry, account);
  if (world.switches.blocked_companies.includes(account.company_id)) {
    const error = "App cannot be installed for requested company";
    return refuse(call, "blocked_company", Response.json({ error }, { status: 400 }));
  }
  entry.outcome = "ok";
  return sendBack(world, { code: issueCode(world, account) }, state);
}

/** A code for this account, good once. */
export function issueCode(world: World, account: Account): string {
  const { client_id, redirect_uri } = world.registration;
  const code = mintCode(account);
  world.codes.set(code, {
    account,
    client_id,
    redirect_uri: redirect_uri ?? "",
    scopes: [...world.switches.scopes],
    expires_at: nowOf(world) + CODE_LIFETIME_MS,
    used: false,
  });
  return code;
}

/** The callback URL with the result; `state` as it came, or without it when the installation began in Pipedrive. */
function sendBack(world: World, result: Record<string, string>, state: string | null): Response {
  const location = callbackUrl(world, result, world.switches.marketplace_install ? null : state);
  return new Response(null, { status: 302, headers: { location, "cache-control": "no-store" } });
}

export function callbackUrl(world: World, result: Record<string, string>, state: string | null): string {
  const location = new URL(world.registration.redirect_uri ?? "");
  for (const [name, value] of Object.entries(result)) location.searchParams.set(name, value);
  if (state !== null) location.searchParams.set("state", state);
  return location.href;
}
