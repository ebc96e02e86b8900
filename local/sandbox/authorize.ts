import { type Account, findAccount } from "./accounts.ts";
import { Refusal, unauthorized } from "./answers.ts";
import { consentPage } from "./consent.ts";
import { mintCode } from "./grants.ts";
import { nameAccount } from "./journal.ts";
import type { Call } from "./router.ts";
import type { World } from "./world.ts";

/** An authorization code lives five minutes. */
const CODE_LIFETIME_MS = 300_000;

/** The consent dialog: GET shows it, POST is the user's decision. Checks the client first, then the callback URL. */
export function answerAuthorize(call: Call): Response {
  const { world, url, entry } = call;
  const { client_id, redirect_uri } = world.registration;
  if (url.searchParams.get("client_id") !== client_id) throw new Refusal("unknown_client", unauthorized());
  if (redirect_uri === null || url.searchParams.get("redirect_uri") !== redirect_uri) {
    throw new Refusal("redirect_uri", Response.json({ error: "Invalid redirect URL" }, { status: 400 }));
  }
  if (call.request.method === "POST") return decide(call, call.form ?? new URLSearchParams());
  entry.outcome = "consent_shown";
  return consentPage(world);
}

function decide({ world, url, entry }: Call, form: URLSearchParams): Response {
  const state = url.searchParams.get("state");
  const decision = form.get("decision");
  if (decision === "cancel") {
    entry.outcome = "denied";
    return sendBack(world, { error: "user_denied" }, state);
  }
  const account = findAccount(form.get("user") ?? undefined);
  if (decision !== "allow" || account === null) {
    const error = decision === "allow" ? "Unknown user" : "decision must be allow or cancel";
    throw new Refusal("invalid_request", Response.json({ error }, { status: 400 }));
  }
  nameAccount(entry, account);
  return sendBack(world, { code: issueCode(world, account) }, state);
}

/** A code for this account, good once. */
export function issueCode(world: World, account: Account): string {
  const { client_id, redirect_uri } = world.registration;
  const code = mintCode(account);
  const expires_at = world.now() + CODE_LIFETIME_MS;
  const scopes = [...world.switches.scopes];
  world.codes.set(code, { account, client_id, redirect_uri, scopes, expires_at, used: false });
  return code;
}

function sendBack(world: World, result: Record<string, string>, state: string | null): Response {
  const location = callbackUrl(world, state === null ? result : { ...result, state });
  return new Response(null, { status: 302, headers: { location, "cache-control": "no-store" } });
}

/** Where the browser is sent with a result. An installation begun in Pipedrive has no state. */
export function callbackUrl({ registration }: World, result: Record<string, string>): string {
  if (registration.redirect_uri === null) throw new Error("No redirect_uri is registered");
  const location = new URL(registration.redirect_uri);
  for (const [name, value] of Object.entries(result)) location.searchParams.set(name, value);
  return location.href;
}
