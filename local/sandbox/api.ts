import { apiError, gatewayError, overLimit, Refusal, scopeMismatch, unauthorized } from "./answers.ts";
import { nameAccount } from "./journal.ts";
import type { Call } from "./router.ts";
import { answerSearch } from "./search.ts";
import type { Grant, World } from "./world.ts";

interface Route {
  /** Any one of them will do. */
  readonly scopes: readonly string[];
  readonly cost: number;
  answer(call: Call, grant: Grant): Response;
}

const ROUTES: Readonly<Record<string, Route>> = {
  "users/me": { scopes: ["base"], cost: 2, answer: answerMe },
  search: { scopes: ["contacts:read", "contacts:full", "search:read"], cost: 20, answer: answerSearch },
};

/** The API: token, scope, limits, then the request itself. An unknown path or a wrong method is 401, as at the gateway. */
export function answerApi(call: Call): Response {
  const { world, entry, url, request } = call;
  const { token, access, grant } = authenticate(call);
  const route = ROUTES[entry.kind];
  if (route === undefined || request.method !== "GET") throw new Refusal("unknown_route", unauthorized());
  const generic = url.origin === "https://api.pipedrive.com";
  if (!generic && url.origin !== world.apiOriginOf(grant.account)) {
    throw new Refusal("other_company", unauthorized());
  }
  if (!route.scopes.some((scope) => access.scopes.includes(scope))) {
    throw new Refusal("scope", scopeMismatch());
  }
  const { refused, headers } = meter(call, token, grant, route.cost);
  const response = refused === null ? route.answer(call, grant) : overLimit();
  entry.outcome = refused ?? entry.outcome;
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, String(value));
  return response;
}

function authenticate({ world, entry, request }: Call) {
  const authorization = request.headers.get("authorization");
  if (authorization === null) throw new Refusal("no_token", unauthorized());
  const token = /^Bearer (\S+)$/.exec(authorization)?.[1];
  if (token === undefined) {
    const error = "Invalid request: malformed authorization header";
    throw new Refusal("malformed_header", apiError(400, error));
  }
  const access = world.access_tokens.get(token);
  if (access === undefined) throw new Refusal("unknown_token", unauthorized());
  const grant = world.grants.get(access.grant_id);
  if (grant === undefined || access.ended === "revoked") throw new Refusal("revoked", unauthorized());
  nameAccount(entry, grant.account);
  if (access.ended === null && world.now() < access.expires_at) return { token, access, grant };
  const gateway = world.switches.expired_body === "gateway";
  const documented = "Invalid token: access token is invalid";
  throw new Refusal("expired", gateway ? unauthorized() : gatewayError(401, documented));
}

const WINDOW_MS = 2_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** Requests other than searches, per window and access token. */
const API_BURST = 80;

/** Counts a request in the rolling window of its access token and in the day of its company. Refused ones are free. */
function meter({ world, entry }: Call, token: string, { account }: Grant, cost: number) {
  const { search_burst, daily_budget } = world.switches;
  const now = world.now();
  const limit = entry.kind === "search" ? search_burst : API_BURST;
  const window = `${entry.kind} ${token}`;
  const times = (world.windows.get(window) ?? []).filter((time) => time > now - WINDOW_MS);
  // The budget begins anew at the server's midnight.
  const day = `${account.company_id} ${Math.floor(now / DAY_MS)}`;
  const used = (world.daily.get(day) ?? 0) + cost;
  const over = limit !== null && times.length >= limit;
  const refused = over ? "rate_limited" : used > (daily_budget ?? Infinity) ? "budget_spent" : null;
  if (refused === null) {
    times.push(now);
    world.daily.set(day, used);
  }
  world.windows.set(window, times);
  return { refused, headers: { ...rateHeaders(limit, times, now), ...dailyHeaders(world, day) } };
}

/** `x-ratelimit-reset` is the rest of the window in seconds, not a time. */
function rateHeaders(limit: number | null, times: readonly number[], now: number) {
  return limit === null ? {} : {
    "x-ratelimit-limit": limit,
    "x-ratelimit-remaining": Math.max(limit - times.length, 0),
    "x-ratelimit-reset": Math.ceil(((times[0] ?? now) + WINDOW_MS - now) / 1000),
  };
}

function dailyHeaders({ switches: { daily_budget }, daily }: World, day: string) {
  return daily_budget === null ? {} : {
    "x-daily-ratelimit-token-limit": daily_budget,
    "x-daily-ratelimit-token-remaining": Math.max(daily_budget - (daily.get(day) ?? 0), 0),
  };
}

/** Whom the token speaks for. Of Pipedrive's keys those are here that say it, and a few of the others. */
function answerMe(_call: Call, { account }: Grant): Response {
  const { user_id: id, ...more } = account;
  const others = { locale: "en_US", activated: true, timezone_name: "Europe/Tallinn", company_country: "EE" };
  return Response.json({ success: true, data: { id, phone: null, is_you: true, ...others, ...more } });
}
