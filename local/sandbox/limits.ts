import { gatewayError } from "./bodies.ts";
import { nowOf, type World } from "./world.ts";

const WINDOW_MS = 2_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** What a company on the smallest plan with one seat has in a day; said where no budget is set. */
const DAILY_TOKENS = 30_000;

/** A request's account with the two limits: refused, or let pass; either way with the headers that tell. */
export interface Metered {
  refused: "rate_limited" | "budget_spent" | null;
  headers: Record<string, string>;
}

/** Counts one request against the rolling window of its access token and the day of its company. Refused ones are free. */
export function meter(
  world: World,
  request: { access_token: string; company_id: number; window: "search" | "api"; cost: number },
): Metered {
  const now = nowOf(world);
  const limit = request.window === "search" ? world.switches.search_burst : world.switches.api_burst;
  const key = `${request.window} ${request.access_token}`;
  const times = (world.windows.get(key) ?? []).filter((time) => time > now - WINDOW_MS);
  const daily = dayOf(world, request.company_id, now);
  const budget = world.switches.daily_budget;
  let refused: Metered["refused"] = null;
  if (limit !== null && times.length >= limit) refused = "rate_limited";
  else if (budget !== null && daily.used + request.cost > budget) refused = "budget_spent";
  if (refused === null) {
    times.push(now);
    daily.used += request.cost;
  }
  world.windows.set(key, times);
  return {
    refused,
    headers: { ...rateHeaders(world, limit, times, now), ...dailyHeaders(world, daily.used) },
  };
}

export function overLimit(): Response {
  return gatewayError(429, "request over limit");
}

/** `x-ratelimit-reset` is the rest of the window in seconds, not a time. */
function rateHeaders(
  world: World,
  limit: number | null,
  times: number[],
  now: number,
): Record<string, string> {
  if (!world.switches.rate_headers || limit === null) return {};
  const rest_ms = (times[0] ?? now) + WINDOW_MS - now;
  return {
    "x-ratelimit-limit": String(limit),
    "x-ratelimit-remaining": String(Math.max(limit - times.length, 0)),
    "x-ratelimit-reset": String(Math.ceil(rest_ms / 1000)),
  };
}

function dailyHeaders(world: World, used: number): Record<string, string> {
  if (!world.switches.daily_headers) return {};
  const budget = world.switches.daily_budget ?? DAILY_TOKENS;
  return {
    "x-daily-ratelimit-token-limit": String(budget),
    "x-daily-ratelimit-token-remaining": String(Math.max(budget - used, 0)),
  };
}

/** The budget begins anew at the server's midnight. */
function dayOf(world: World, company_id: number, now: number) {
  const day = Math.floor(now / DAY_MS);
  let daily = world.daily.get(company_id);
  if (daily === undefined || daily.day !== day) {
    daily = { day, used: 0 };
    world.daily.set(company_id, daily);
  }
  return daily;
}
