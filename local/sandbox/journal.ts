import { nowOf, type World } from "./world.ts";
import type { Account, Counts, JournalEntry, JournalKind } from "./types.ts";

/** Begins an entry on arrival, so that the order is that of arrival. The answer completes it. */
export function record(
  world: World,
  what: { method: string; path: string; kind: JournalKind; credentials: JournalEntry["credentials"] },
): JournalEntry {
  const entry: JournalEntry = {
    seq: world.journal.length + 1,
    at: nowOf(world),
    method: what.method,
    path: what.path,
    status: null,
    kind: what.kind,
    credentials: what.credentials,
    outcome: "pending",
  };
  world.journal.push(entry);
  return entry;
}

export function nameAccount(entry: JournalEntry, account: Account): void {
  entry.company_id = account.company_id;
  entry.user_id = account.user_id;
}

/** How the caller identified itself, never with what. */
export function credentialsOf(headers: Headers, form: URLSearchParams | null): JournalEntry["credentials"] {
  const authorization = headers.get("authorization");
  if (authorization === null) return form?.has("client_secret") ? "body" : "none";
  if (/^basic /i.test(authorization)) return "basic";
  return /^bearer /i.test(authorization) ? "bearer" : "other";
}

const KINDS: readonly JournalKind[] = [
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
];

export function countUp(world: World): Counts {
  const requests = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Record<JournalKind, number>;
  for (const entry of world.journal) requests[entry.kind] += 1;
  const { refreshed, exchanged, reused, peak } = world.tallies;
  return { requests, refreshed, exchanged, reused, peak_token_requests: peak };
}
