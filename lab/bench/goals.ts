import type { Figure } from "./figures.ts";
import type { Measured } from "./run.ts";

/** A figure that is to be reached. */
export interface Goal {
  readonly what: string;
  readonly subject: string;
  readonly figure: string;
  readonly against: string;
  readonly is?: Figure["is"];
  readonly take: "p50" | "p99" | "itself";
  /** At most, or at least. */
  readonly limit: readonly ["≤" | "≥", number];
  readonly unit: string;
  /** Of version 0.1.0, measured in the same way. */
  readonly before: string;
  /** On the runtime that measures everything, or on the hosted one. */
  readonly hosted?: boolean;
  /** What it takes that the goal is missed, should it be. */
  readonly missed: string;
}

const DIRECT = "the direct call";
const EMPTY = "empty `withSupabase`, one `fetch`";
const WARM = "with `connection_id`, provider 40 ms";
const TWO_MESSAGES = "two messages a search, where the empty function sends one";
const OWN_CODE = "reading and compiling our own files, which an empty function has not";

export const GOALS: readonly Goal[] = [
  {
    what: "a warm search over the direct call, 40 ms",
    subject: "search",
    figure: WARM,
    against: DIRECT,
    take: "p50",
    limit: ["≤", 2.5],
    unit: "ms",
    before: "+6.35 ms",
    missed: "verifying the caller and the door's answer, which comes beside the provider's",
  },
  {
    what: "the same, at its slowest",
    subject: "search",
    figure: WARM,
    against: DIRECT,
    take: "p99",
    limit: ["≤", 8],
    unit: "ms",
    before: "+11.6 ms",
    missed: "what else the machine does: the direct call's own p99 moves as much from run to run",
  },
  {
    what: "without `connection_id` over with it",
    subject: "search",
    take: "p50",
    limit: ["≤", 0.25],
    figure: "without `connection_id`, provider 40 ms",
    against: "with `connection_id`",
    unit: "ms",
    before: "+0.85 ms, one round trip more",
    missed: "one statement more within the one call",
  },
  {
    what: "share of an empty `withSupabase`, 20 callers",
    subject: "throughput",
    before: "0.27 ×",
    figure: "searches a second, 20 callers",
    against: EMPTY,
    take: "p50",
    limit: ["≥", 0.7],
    unit: "×",
    missed: TWO_MESSAGES,
  },
  {
    what: "the same, 200 callers",
    subject: "throughput",
    before: "0.33 ×",
    figure: "searches a second, 200 callers",
    against: EMPTY,
    take: "p50",
    limit: ["≥", 0.7],
    unit: "×",
    missed: TWO_MESSAGES,
  },
  {
    what: "on the hosted Deno, 20 callers",
    subject: "throughput",
    before: "0.16 ×",
    hosted: true,
    figure: "searches a second, 20 callers",
    against: EMPTY,
    take: "p50",
    limit: ["≥", 0.55],
    unit: "×",
    missed: "`fetch` of that Deno costs more, and a search sends two",
  },
  {
    what: "processor time of a warm search",
    subject: "cpu",
    before: "1,756 µs",
    is: "difference",
    figure: "a warm search with `connection_id`",
    against: EMPTY,
    take: "itself",
    limit: ["≤", 800],
    unit: "µs",
    missed: "two messages of the runtime, each about 200 µs",
  },
  {
    what: "a herd's p99 over the same crowd, token endpoint 150 ms",
    subject: "herd",
    before: "+153 ms",
    figure: "an expired token, 500 callers, 4 processes",
    against: "the same crowd, a living token",
    take: "p99",
    limit: ["≤", 200],
    unit: "ms",
    missed: "500 callers who poll on two processors",
  },
  {
    what: "first answer over an empty `withSupabase`",
    subject: "start",
    before: "1.29 ×",
    figure: "first answer, `search-persons`",
    against: EMPTY,
    take: "p50",
    limit: ["≤", 1.15],
    unit: "×",
    missed: OWN_CODE,
  },
  {
    what: "the sweep, 10,000 due, provider 10 ms",
    subject: "sweep",
    before: "273 /s",
    figure: "refreshes a second, 10,000 due",
    against: "token requests alone, 40 at once",
    take: "itself",
    limit: ["≥", 400],
    unit: "/s",
    missed: "two commits each",
  },
  {
    what: "a page of 158 kB, 20 callers",
    subject: "page",
    before: "707 /s",
    figure: "pages a second",
    against: EMPTY,
    take: "itself",
    limit: ["≥", 2000],
    unit: "/s",
    missed: "the empty function, which only passes it on, gets no further on this machine",
  },
];

/** What was measured of it; null where it was not, as in a small run. */
export function reached(goal: Goal, measured: readonly Measured[]): Figure | null {
  const own = measured.filter(({ subject }) => subject.name === goal.subject);
  const one = goal.hosted ? own.at(-1) : own[0];
  return one?.figures.find(({ what, against, is }) =>
    what === goal.figure && against === goal.against && (goal.is ?? is) === is
  ) ?? null;
}

/** Whether it keeps its limit. */
export function holds({ take, limit: [side, value] }: Goal, figure: Figure): boolean {
  return side === "≤" ? figure[take] <= value : figure[take] >= value;
}
