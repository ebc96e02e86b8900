import { CLIENT } from "./client.ts";
import type { Asked, AuthorizationFacts } from "./types.ts";

/** What the authorization server keeps with a code. */
export interface Allowed {
  readonly asked: Asked;
  /** Null: the request had none, so the exchange may have none. */
  readonly redirect_uri: string | null;
  readonly code_challenge: string | null;
}

/** RFC 6749 §3.3. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/;
/** An S256 challenge (RFC 7636 §4.2). */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/**
 * Judges an authorization request as the provider does before it shows its dialog.
 *
 * @param again the same user has allowed it before
 * @throws {Error} naming what is wrong
 */
export function judgeAuthorization(
  facts: AuthorizationFacts,
  url: URL,
  { redirect_uri, again }: { readonly redirect_uri: string; readonly again: boolean },
): Allowed {
  const { searchParams: parameters } = url;
  const address = url.origin + url.pathname;
  const known = address === facts.endpoint || facts.also.includes(address);
  if (!known || url.username !== "" || url.hash !== "") {
    throw new Error(`"${address}" is not the authorization endpoint`);
  }
  for (const name of parameters.keys()) {
    if (parameters.getAll(name).length > 1) throw new Error(`"${name}" is there more than once`);
  }
  if (parameters.get("client_id") !== CLIENT.client_id) throw new Error('"client_id" is unknown');
  const given = parameters.get("redirect_uri");
  const missing = given === null && facts.redirect_uri === "optional";
  if (given !== redirect_uri && !missing) throw new Error('"redirect_uri" is not the registered one');
  judgeParameters(facts, parameters);
  const code_challenge = judgeChallenge(facts, parameters);
  const scope = judgeScope(facts, parameters);
  return { asked: { parameters, scope, again }, redirect_uri: given, code_challenge };
}

function judgeParameters({ required }: AuthorizationFacts, parameters: URLSearchParams): void {
  for (const [name, value] of Object.entries(required)) {
    const given = parameters.get(name);
    if (given === null || given === "") throw new Error(`"${name}" is missing`);
    if (value !== null && given !== value) throw new Error(`"${name}" is not "${value}"`);
  }
  if ((parameters.get("response_type") ?? "code") !== "code") {
    throw new Error('"response_type" is not "code"');
  }
  if ((parameters.get("response_mode") ?? "query") !== "query") {
    throw new Error('"response_mode" is not "query"');
  }
}

function judgeChallenge(facts: AuthorizationFacts, parameters: URLSearchParams): string | null {
  const challenge = parameters.get("code_challenge");
  const method = parameters.get("code_challenge_method");
  if (challenge === null && method === null) {
    if (facts.code_challenge === "required") throw new Error('"code_challenge" is missing');
    return null;
  }
  if (facts.code_challenge === "refused") throw new Error('"code_challenge" is not taken');
  if (method !== "S256") throw new Error('"code_challenge_method" is not "S256"');
  if (challenge === null || !CHALLENGE.test(challenge)) throw new Error('"code_challenge" is malformed');
  return challenge;
}

function judgeScope(facts: AuthorizationFacts, parameters: URLSearchParams): readonly string[] {
  const { scope_parameters, scope_separators, scope_required } = facts;
  const [name, another] = scope_parameters.filter((own) => parameters.has(own));
  if (another !== undefined) throw new Error(`"${another}" is not played beside "${name}"`);
  if (name === undefined) {
    if (scope_required) throw new Error('"scope" is missing');
    return [];
  }
  if (scope_separators.length === 0) throw new Error(`"${name}" is not taken`);
  const text = parameters.get(name) ?? "";
  const used = [" ", ","].filter((separator) => text.includes(separator));
  const [separator = scope_separators[0] ?? " ", mixed] = used;
  const allowed = scope_separators.some((own) => own === separator) && mixed === undefined;
  const scope = text.split(separator);
  if (!allowed || !scope.every((one) => SCOPE.test(one))) throw new Error(`"${name}" is malformed`);
  return scope;
}
