import { judge, type Violation } from "../checker.ts";
import type { Connected } from "../field/connections.ts";
import type { Field } from "../field/field.ts";
import type { Entry } from "../field/journal.ts";
import type { Answer, Site } from "../field/site.ts";
import { type History, historyOf } from "../history.ts";
import type { Draw } from "../seeded.ts";

/** What a scenario is given. */
export interface Bench {
  readonly field: Field;
  readonly draw: Draw;
  /** The numbers that the targets name, instead of those that fit a few minutes. */
  readonly full: boolean;
  /** Of the mixed soak. */
  readonly minutes: number;
  /** Divides every number: for a run among other tests. 1. */
  readonly less: number;
  /** Ends orphaned leases and settle times by backdating rows instead of waiting: for a run among other tests. */
  readonly hurried: boolean;
  /** Says how far a long scenario has come. */
  readonly say: (progress: string) => void;
}

/** Of every provider but one that revokes on reuse, milliseconds (refresh-protocol, timings). */
export const LEASE_MS = 30_000;
/** How long after a takeover the earlier holder's success may still come, milliseconds. */
export const SETTLE_MS = 30_000;
/** The longest back-off, milliseconds. */
export const BACK_OFF_MS = 60_000;
/** The longest that one call keeps its caller, milliseconds. */
export const CALL_MS = 25_000;

/** One line of the report. */
export interface Row {
  readonly scenario: string;
  readonly load: string;
  readonly faults: string;
  readonly target: string;
  readonly measured: string;
  /** How many trials the figures stand on. */
  readonly n: number;
  /** Whether every promise and every count held, however fast. */
  readonly held: boolean;
  /** Whether every target in milliseconds was met: a figure of this machine, and of what else runs on it. Absent: there is none. */
  readonly in_time?: boolean;
  readonly violations: readonly Violation[];
}

export interface Scenario {
  readonly name: string;
  run(bench: Bench): Promise<Row[]>;
}

/** How many trials: what the target names in a full run, less in a quick one. */
export function size({ full, less }: Bench, quick: number, whole: number): number {
  return full ? whole : Math.max(1, Math.round(quick / less));
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/**
 * Nobody holds these connections' leases any more. A hurried run does not wait for them to end, nor for the settle
 * times after that; a lease that somebody does hold is never touched.
 *
 * @param alive the holders only stand still: the settle time is theirs, and is waited for
 * @returns ends the hurry
 */
export async function orphaned(
  { field, hurried }: Bench,
  connections: readonly Connected[],
  { alive = false } = {},
): Promise<() => Promise<void>> {
  if (!hurried) return () => Promise.resolve();
  const { sql } = field.database;
  const ids = connections.map(({ id }) => id);
  for (const connection of ids) field.journal.record({ what: "lease_ended", connection });
  await sql`
    update oauth.connections set lease_until = clock_timestamp() - interval '1 s'
    where id = any(${ids}) and lease_id is not null`;
  return alive ? () => Promise.resolve() : hurry(field, ids);
}

/** Ends back-offs and settle times as they begin, until it is told to stop. */
export function hurry({ database: { sql } }: Field, ids: readonly string[]): () => Promise<void> {
  let over = false;
  const hurrying = (async () => {
    while (!over) {
      await sql`
        update oauth.connections
        set unsettled_until = least(unsettled_until, clock_timestamp()),
            next_attempt_at = least(next_attempt_at, clock_timestamp())
        where id = any(${[...ids]}) and lease_id is null and next_attempt_at > clock_timestamp()`;
      await pause(100);
    }
  })();
  return () => {
    over = true;
    return hurrying;
  };
}

/** Resolves once `holds`, or after `ms`. */
export async function until(holds: () => boolean, ms: number): Promise<void> {
  const end = performance.now() + ms;
  while (!holds() && performance.now() < end) await pause(10);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function inMs(value: number): string {
  return Number.isNaN(value) ? "–" : `${Math.round(value)} ms`;
}

/** The history of these connections, judged. */
export async function verdict(
  field: Field,
  site: Site,
  connections: readonly Connected[],
  keys?: string,
): Promise<{ history: History; violations: Violation[] }> {
  const history = await historyOf(field, connections, site.answers, keys);
  return { history, violations: judge(history) };
}

/** "lost grant: 0 of 60, …": each kind with its number, those that were looked for even when there are none. */
export function countOf(
  violations: readonly Violation[],
  kinds: readonly Violation["kind"][],
  n: number,
): string {
  const others = new Set(violations.map(({ kind }) => kind).filter((kind) => !kinds.includes(kind)));
  return [...kinds, ...others]
    .map((kind) => `${kind}: ${violations.filter((one) => one.kind === kind).length} of ${n}`)
    .join(", ");
}

/** How many refresh tokens were presented, of these connections or of all. */
export function presentations(entries: readonly Entry[], of?: readonly Connected[]): number {
  const ids = of && new Set(of.map(({ id }) => id));
  return entries.filter((entry) => entry.what === "presented" && (ids?.has(entry.connection) ?? true)).length;
}

/** By what they were answered, the commonest first. */
export function codesOf(answers: readonly Answer[]): string {
  const counts = new Map<string, number>();
  for (const { status, code, hung_up } of answers) {
    const word = hung_up ? "hung up" : code ?? String(status ?? "no answer");
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([word, times]) => `${times} × ${word}`).join(", ");
}

export const FATAL = ["lost grant", "false reauthorization", "resurrection"] as const;
