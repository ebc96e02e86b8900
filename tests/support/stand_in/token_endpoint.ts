import { invalidRequest, judgeClient, parameter, parametersOf } from "./client_request.ts";
import type { Given, Grant } from "./grants.ts";
import { Refusal } from "./refusal.ts";
import type { Answer, Issued } from "./types.ts";
import type { Entry, World } from "./world.ts";

/** RFC 7636 §4.1. */
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/;

/**
 * Answers a token request: judges its form, the client, and then the code or the refresh token.
 *
 * @throws {Refusal}
 */
export async function answerToken(world: World, request: Request, entry: Entry): Promise<Answer> {
  const { facts, calendar } = world;
  if (request.method !== "POST") throw invalidRequest(`the method is ${request.method}`);
  const form = await parametersOf(request, [facts.token.format]);
  entry.grant_type = form.get("grant_type") ?? undefined;
  judgeClient(facts.token.client_authentication, request.headers, form);
  judgeAddress(world, request.url);
  const { grant, given, grant_type } = await grantTokens(world, form);
  const { asked } = grant;
  const issued: Issued = { grant_type, asked, scope: asked.scope, ...given, issued_at: calendar() };
  return { status: 200, body: facts.token.answer(issued), headers: { "cache-control": "no-store" } };
}

/** An address may have moved, or belong to a data centre that knows nothing of this user. */
function judgeAddress({ facts, calendar }: World, url: string): void {
  if (facts.token.strangers.includes(url)) throw new Refusal("invalid_code", "another data centre has it");
  const endpoint = facts.token.endpoints.find((own) => own.url === url);
  if (calendar() >= (endpoint?.until ?? Infinity)) throw invalidRequest("the address has moved");
}

interface Granted {
  readonly grant: Grant;
  readonly given: Given;
  readonly grant_type: Issued["grant_type"];
}

async function grantTokens(world: World, form: URLSearchParams): Promise<Granted> {
  const grant_type = parameter(form, "grant_type");
  world.grants.admit();
  switch (grant_type) {
    case "authorization_code": {
      const grant = await exchange(world, form);
      return { grant, given: world.grants.issue(grant, form, null), grant_type };
    }
    case "refresh_token": {
      const presented = world.grants.spendable(parameter(form, "refresh_token"));
      const { grant } = presented;
      judgeScope(form, grant);
      return { grant, given: world.grants.issue(grant, form, presented), grant_type };
    }
  }
  throw new Refusal("unsupported_grant_type", `"grant_type" is "${grant_type}"`);
}

/** RFC 6749 §4.1.3. A code is spent by whatever presents it. */
async function exchange({ facts, codes, grants }: World, form: URLSearchParams): Promise<Grant> {
  const code = codes.spend(parameter(form, "code"));
  if (form.get("redirect_uri") !== code.redirect_uri) {
    throw new Refusal("invalid_code", '"redirect_uri" is not that of the authorization request');
  }
  await judgeVerifier(code.code_challenge, form.get("code_verifier"));
  code.grant = grants.open(code.asked, facts.authorization.offline(code.asked));
  return code.grant;
}

/** RFC 7636 §4.6; a verifier without a challenge is a request that was tampered with (RFC 9700 §2.1.1). */
async function judgeVerifier(challenge: string | null, verifier: string | null): Promise<void> {
  if (challenge === null && verifier === null) return;
  if (challenge === null) throw new Refusal("invalid_code", '"code_verifier" answers no challenge');
  if (verifier === null || !VERIFIER.test(verifier)) {
    throw new Refusal("invalid_code", '"code_verifier" is missing or malformed');
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const text = btoa(String.fromCharCode(...new Uint8Array(digest)));
  const expected = text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  if (expected !== challenge) throw new Refusal("invalid_code", '"code_verifier" is wrong');
}

/** RFC 6749 §6: nothing that was not allowed. */
function judgeScope(form: URLSearchParams, { asked }: Grant): void {
  const wanted = form.get("scope")?.split(/[ ,]/) ?? [];
  const beyond = wanted.find((scope) => !asked.scope.includes(scope));
  if (beyond !== undefined) throw new Refusal("invalid_scope", `"${beyond}" was not allowed`);
}
