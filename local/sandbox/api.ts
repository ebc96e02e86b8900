import { apiError, invalidToken, scopeMismatch, unauthorized } from "./bodies.ts";
import { type Call, refuse } from "./call.ts";
import { nameAccount } from "./journal.ts";
import { meter, overLimit } from "./limits.ts";
import { answerSearch } from "./search.ts";
import { answerMe } from "./users_me.ts";
import { type AccessRecord, apiOriginOf, nowOf } from "./world.ts";

interface Route {
  path: RegExp;
  /** Any one of them will do. */
  scopes: string[];
  cost: number;
  window: "search" | "api";
  answer(call: Call, access: AccessRecord): Response;
}

const CONTACT_SCOPES = ["contacts:read", "contacts:full", "search:read"];
const ROUTES: readonly Route[] = [
  { path: /^(\/api)?\/v1\/users\/me$/, scopes: ["base"], cost: 2, window: "api", answer: answerMe },
  {
    path: /^\/api\/v2\/persons\/search$/,
    scopes: CONTACT_SCOPES,
    cost: 20,
    window: "search",
    answer: answerSearch,
  },
  {
    path: /^(\/api)?\/v1\/persons\/search$/,
    scopes: CONTACT_SCOPES,
    cost: 40,
    window: "search",
    answer: (call) => refuse(call, "gone", apiError(410, "This endpoint is no longer supported")),
  },
];

/** The API: token, scope, limits, then the request itself. An unknown path or a wrong method is 401, as at the gateway. */
export function answerApi(call: Call): Response {
  const { world, entry } = call;
  const authorization = call.request.headers.get("authorization");
  if (authorization === null) return refuse(call, "no_token", unauthorized());
  const token = /^Bearer (\S+)$/.exec(authorization)?.[1];
  if (token === undefined) {
    return refuse(call, "malformed_header", apiError(400, "Invalid request: malformed authorization header"));
  }
  const access = world.access_tokens.get(token);
  if (access === undefined) return refuse(call, "unknown_token", unauthorized());
  const { account } = access.grant;
  nameAccount(entry, account);
  if (access.ended === "revoked") return refuse(call, "revoked", unauthorized());
  if (access.ended === "expired" || nowOf(world) >= access.expires_at) {
    return refuse(
      call,
      "expired",
      world.switches.expired_body === "gateway" ? unauthorized() : invalidToken(),
    );
  }
  if (!rightHost(call, access)) return refuse(call, "other_company", unauthorized());
  const route = ROUTES.find((one) => one.path.test(call.url.pathname));
  if (route === undefined || call.request.method !== "GET") {
    return refuse(call, "unknown_route", unauthorized());
  }
  if (!route.scopes.some((scope) => access.scopes.includes(scope))) {
    return refuse(call, "scope", scopeMismatch());
  }
  return metered(call, token, access, route);
}

function metered(call: Call, token: string, access: AccessRecord, route: Route): Response {
  const { company_id } = access.grant.account;
  const request = { access_token: token, company_id, window: route.window, cost: route.cost };
  const { refused, headers } = meter(call.world, request);
  call.entry.outcome = "ok";
  const response = refused === null ? route.answer(call, access) : refuse(call, refused, overLimit());
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** Where the sandbox plays Pipedrive's hosts, a token works at its company's host and at the generic one. */
function rightHost(call: Call, access: AccessRecord): boolean {
  if (!call.world.own_hosts || call.url.hostname === "api.pipedrive.com") return true;
  return call.url.origin === apiOriginOf(call.world, access.grant.account);
}
