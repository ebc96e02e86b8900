import type { Entry, Seat } from "./field/journal.ts";
import { seatName } from "./field/seat.ts";

/**
 * Who did what with a version, and when, in milliseconds from its first claim; with what was done to those processes
 * and to everybody meanwhile. What a violation is explained with.
 */
export function explain(entries: readonly Entry[], version: number): string {
  const mine = entries.filter((entry) => concerns(entry, version));
  const began = mine.find(({ what }) => what === "claimed");
  const last = mine.findLast(({ what }) => BOUNDS.has(what));
  if (began === undefined || last === undefined) return "";
  return tell(entries.filter(({ seq }) => seq >= began.seq && seq <= last.seq), mine, began.at);
}

/** The same of one connection, for as long as somebody waited for it. */
export function explainWait(entries: readonly Entry[], connection: string, from: number, to: number): string {
  const mine = entries.filter((entry) => "connection" in entry && entry.connection === connection);
  return tell(entries.filter(({ at }) => at >= from && at <= to), mine, from);
}

function tell(entries: readonly Entry[], mine: readonly Entry[], from: number): string {
  const own = new Set(mine);
  const seats = new Set(mine.flatMap((entry) => nameOf(entry) ?? []));
  const told = entries.filter((entry) =>
    own.has(entry) || entry.what === "fault" || (PROCESS.has(entry.what) && seats.has(nameOf(entry) ?? ""))
  );
  return told.map((entry) =>
    `\n      ${Math.round(entry.at - from)} ms ${
      [nameOf(entry), entry.what, wordsOf(entry)].filter(Boolean).join(" ")
    }`
  ).join("");
}

/** Entries with the version itself: what lies between the first and the last of them is told. */
const BOUNDS: ReadonlySet<Entry["what"]> = new Set([
  "presented",
  "judged",
  "delivered",
  "claimed",
  "commit_arrived",
  "committed",
]);
const PROCESS: ReadonlySet<Entry["what"]> = new Set(["killed", "paused", "resumed"]);

function concerns(entry: Entry, version: number): boolean {
  if ("version" in entry) return entry.version === version || entry.what === "connected";
  if ("base" in entry) return entry.base === version;
  return "connection" in entry;
}

function nameOf(entry: Entry): string | undefined {
  const seat: Seat | null | undefined = "seat" in entry ? entry.seat : undefined;
  return seat ? seatName(seat) : undefined;
}

function wordsOf(entry: Entry): string {
  switch (entry.what) {
    case "judged":
    case "delivered":
    case "fault":
      return entry.how;
    case "claimed":
      return `${entry.takeover ? "(a takeover) " : ""}sent ${
        Math.round(entry.at - entry.sent_at)
      } ms before, ${entry.lease.slice(0, 8)}`;
    case "commit_arrived":
      return entry.lease.slice(0, 8);
    case "committed":
    case "failed":
      return `${entry.outcome} ${entry.lease.slice(0, 8)}`;
    case "fail_arrived":
      return `${entry.class} ${entry.code} ${entry.lease.slice(0, 8)}`;
    default:
      return "";
  }
}
