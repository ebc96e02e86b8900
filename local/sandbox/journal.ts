import type { AccountIds } from "./accounts.ts";

const KINDS = [
  "marketplace",
  "authorize",
  "token:refresh",
  "token:exchange",
  "token:other",
  "revoke",
  "users/me",
  "search",
  "api:other",
  "notice",
  "other",
] as const;
export type JournalKind = typeof KINDS[number];

/** One request that the sandbox received, or a notice that it sent. Holds no token, code, state or secret. */
export interface JournalEntry {
  readonly kind: JournalKind;
  /** The sandbox's clock on arrival, epoch milliseconds. */
  readonly at: number;
  /** null: not answered yet, or never. 499: the caller hung up first. */
  status: number | null;
  /** "ok", the fault that was met, or what was refused and why: "spent", "unknown", "expired", "scope", … */
  outcome: string;
  company_id?: number;
  user_id?: number;
  /** Which refresh token of its installation was presented: the first is 1, each rotation adds one. */
  version?: number;
  /** The parameters of a search as they arrived. */
  query?: Record<string, string>;
}

export function nameAccount(entry: JournalEntry, { company_id, user_id }: AccountIds): void {
  Object.assign(entry, { company_id, user_id });
}

/** What a spent refresh token meets where it still brings its successor. */
export const TOLERATED = "tolerated";

export function countUp(journal: readonly JournalEntry[]) {
  const requests = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<JournalKind, number>;
  for (const { kind } of journal) requests[kind] += 1;
  const refreshes = (...outcomes: string[]) =>
    journal.filter(({ kind, outcome }) => kind === "token:refresh" && outcomes.includes(outcome)).length;
  return {
    /** Requests received, by kind, and notices sent. */
    requests,
    /** Refreshes that really took place, whether or not the answer arrived. */
    refreshed: refreshes("ok", TOLERATED),
    /** Spent refresh tokens that were presented again. */
    reused: refreshes("spent", TOLERATED),
  };
}
