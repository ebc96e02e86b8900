import { parseRetryAfter } from "./http.ts";
import type { Provider, Reset } from "./provider.ts";

type RateLimit = Provider["api"]["rate_limit"];

/** Seconds to pause after a 429 that says nothing. */
const SILENT_RETRY_AFTER = 2;

/** Seconds to wait after a rate limit, and whether a budget is spent, so that asking on only looks bad. */
export interface Wait {
  readonly retry_after: number;
  readonly spent: boolean;
}

/** A limit of the burst is over soon; a spent budget is not. */
export function waitAfter({ longest_reset, reset, spent }: RateLimit, headers: Headers): Wait {
  const wait = retryAfter(headers);
  if (spent && headers.get(spent.header)?.trim() === "0") {
    return { retry_after: Math.max(spent.retry_after, wait ?? 0), spent: true };
  }
  const resets = Object.entries(reset).flatMap(([name, how]) => untilReset(headers, name, how) ?? []);
  const hints = [wait ?? [], resets.map((seconds) => Math.min(longest_reset, seconds))].flat();
  return { retry_after: hints.length === 0 ? SILENT_RETRY_AFTER : Math.max(...hints), spent: false };
}

/** Seconds. A date is measured against the provider's own `Date` of the same answer, so that no two clocks are compared. */
export function retryAfter(headers: Headers): number | undefined {
  const ms = parseRetryAfter(headers.get("retry-after"), dateOf(headers));
  return ms === undefined ? undefined : ms / 1000;
}

/** Seconds. */
function untilReset(headers: Headers, name: string, how: Reset): number | undefined {
  const value = headers.get(name)?.trim() ?? "";
  if (how !== "date" && !/^\d+(\.\d+)?$/.test(value)) return undefined;
  if (how === "delta") return Number(value);
  const ms = how === "date" ? Date.parse(value) : Number(value) * (how === "epoch_seconds" ? 1_000 : 1);
  return Number.isNaN(ms) ? undefined : Math.max(0, (ms - dateOf(headers)) / 1000);
}

function dateOf(headers: Headers): number {
  return Date.parse(headers.get("date") ?? "") || Date.now();
}
