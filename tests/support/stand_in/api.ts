import { judgeClient, parameter, parametersOf } from "./client_request.ts";
import type { AccountFacts, Answer, ApiFacts } from "./types.ts";
import type { Entry, World } from "./world.ts";

/** The account request that this is, if it is one. */
export function accountRequest({ accounts }: ApiFacts, { method, url }: Request): AccountFacts | undefined {
  const { origin, pathname, searchParams } = new URL(url);
  return accounts.find((own) =>
    own.method === method && own.url === origin + pathname &&
    Object.entries(own.query ?? {}).every(([name, value]) => searchParams.get(name) === value)
  );
}

/**
 * Answers whom a token speaks for.
 *
 * @throws {Refusal} of an introspection, whose client is wrong
 */
export async function answerAccount(
  world: World,
  account: AccountFacts,
  request: Request,
  entry: Entry,
): Promise<Answer> {
  if (account.introspects) return await introspect(world, account, request);
  const token = judgeToken(world, request.headers, entry);
  if ("dead" in token) return token.dead;
  const lacking = account.scope?.find((name) => !token.scope.includes(name));
  if (lacking === undefined) return { status: 200, body: account.answer(token.scope) };
  entry.refused = `the scope "${lacking}" was not allowed`;
  return world.facts.api.insufficient_scope;
}

/** RFC 7662 §2: of a token that is dead nothing is said but that. */
async function introspect(
  { facts, grants }: World,
  account: AccountFacts,
  request: Request,
): Promise<Answer> {
  const form = await parametersOf(request, ["form"]);
  // What stands in the header is the token, and proves no client.
  judgeClient(facts.token.client_authentication, new Headers(), form);
  const found = grants.bearer(parameter(form, "token"));
  const body = "grant" in found ? account.answer(found.grant.asked.scope) : { active: false };
  return { status: 200, body };
}

/** Answers a request for a resource. */
export function answerResource(world: World, { headers, method, url }: Request, entry: Entry): Answer {
  const { name: provider, api } = world.facts;
  const token = judgeToken(world, headers, entry);
  if ("dead" in token) return token.dead;
  const lacking = api.headers.find(({ name, matches }) => !matches.test(headers.get(name) ?? ""));
  if (lacking) {
    entry.refused = `the header "${lacking.name}" is missing or wrong`;
    return lacking.otherwise;
  }
  if (isResource(api, new URL(url))) {
    return { status: 200, body: { ...api.envelope, ok: true, provider, method } };
  }
  entry.refused = "there is no such resource";
  return { status: 404, body: { error: "not found" } };
}

/** Anything below the base whose last segment is that of the thing. */
function isResource({ base, thing }: ApiFacts, { origin, pathname }: URL): boolean {
  const last = thing.slice(thing.lastIndexOf("/"));
  return `${origin}${pathname}`.startsWith(`${base}/`) && pathname.endsWith(last);
}

/** What a token may do that lives, in the form that this API reads; else how the API says that it is dead. */
function judgeToken(
  { facts: { api }, grants }: World,
  headers: Headers,
  entry: Entry,
): { readonly scope: readonly string[] } | { readonly dead: Answer } {
  const value = headers.get("authorization") ?? "";
  const found = grants.bearer(value.startsWith(`${api.scheme} `) ? value.slice(api.scheme.length + 1) : "");
  if ("grant" in found) return { scope: found.grant.asked.scope };
  entry.refused = "the access token is dead";
  return { dead: signal(api.dead, found.signal) };
}

/** @throws {RangeError} where the provider has no such signal */
export function signal<T>(signals: readonly T[], at: number): T {
  const found = signals[at];
  if (found === undefined) throw new RangeError(`there is no signal ${at}`);
  return found;
}
