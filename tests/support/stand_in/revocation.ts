import { invalidRequest, judgeClient, parameter, parametersOf } from "./client_request.ts";
import type { Answer, RevocationFacts } from "./types.ts";
import type { World } from "./world.ts";

/**
 * Answers a revocation in the way that this provider has it (most: RFC 7009 §2).
 *
 * @throws {Refusal}
 */
export async function answerRevocation(
  { grants }: World,
  facts: RevocationFacts,
  request: Request,
): Promise<Answer> {
  const token = await tokenOf(facts, request);
  const kind = grants.kindOf(token);
  const what = kind === null ? undefined : facts.ends[kind];
  if (what === undefined) return facts.unknown;
  grants.revoke(token, what);
  return facts.success;
}

async function tokenOf(
  { auth, formats, parameter: name }: RevocationFacts,
  request: Request,
): Promise<string> {
  if (auth === "bearer") {
    const token = /^Bearer (.+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
    if (token === undefined) throw invalidRequest("there is no bearer token");
    return token;
  }
  const parameters = await parametersOf(request, formats);
  judgeClient(auth, request.headers, parameters);
  return parameter(parameters, name);
}
