import type { Count, Figure } from "./figures.ts";
import { GOALS, holds, reached } from "./goals.ts";
import type { Measured } from "./run.ts";
import type { Size } from "./subject.ts";

export interface About {
  readonly command: string;
  readonly size: Size;
  readonly date: string;
  readonly took_ms: number;
  readonly postgres: string;
  /** The Denos, first that on which everything was measured. */
  readonly runtimes: readonly string[];
  /** The packages that are measured, and those beside which they are, as `name version`. */
  readonly packages: readonly string[];
  /** What the processor calls itself. */
  readonly cpu: string;
}

const HEAD = [
  "Figure",
  "Against",
  "n",
  "p50",
  "p95",
  "p99",
  "Itself and control, p50",
  "Limited by",
] as const;
const COUNTED = ["Counted", "Of", "Count"] as const;
const TO_REACH = ["Figure", "0.1.0", "To reach", "Measured", "Control", "What limits it"] as const;

/** One table of figures and one of counts, as far as there are any. */
export function tables({ figures, counts = [] }: Pick<Measured, "figures" | "counts">): string {
  const found = [];
  if (figures.length > 0) found.push(table(HEAD, figures.map(cellsOf)));
  if (counts.length > 0) found.push(table(COUNTED, counts.map(countCells)));
  return found.join("\n\n");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

function cellsOf(
  { what, against, is, unit, n, p50, p95, p99, itself, control, limited_by }: Figure,
): string[] {
  const told = (value: number) => is === "difference" ? `${signed(value)} ${unit}` : `${digits(value)} ×`;
  const both = `${digits(itself)} and ${digits(control)} ${unit}`;
  return [what, against, String(n), told(p50), told(p95), told(p99), both, limited_by];
}

function countCells({ what, of, count }: Count): string[] {
  return [what, of, count.toLocaleString("en")];
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${digits(Math.abs(value))}`;
}

/** Three that count: more would say more than was measured. */
function digits(value: number): string {
  if (value === 0) return "0";
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en", { minimumFractionDigits: 0, maximumFractionDigits: Math.min(places, 3) });
}

const SIZES: Readonly<Record<Size, string>> = {
  tiny:
    "**These are the sizes of a test of the bench itself: they show its form, and no figure of them means anything.**",
  quick:
    "**This is a quick run (`--quick`): few rounds and the small sizes, while other work ran on the machine. It shows " +
    "what is measured and how; take no figure from it.**",
  full: "This is a full run, on a machine that did nothing else.",
};

/** The page. */
export function markdown(measured: readonly Measured[], about: About): string {
  return `# Performance

Written by \`${about.command}\`, which measures everything below again. ${SIZES[about.size]}

No figure is a time by itself, which would be the machine's. Each is a difference from a control, or a share or multiple
of it, that was measured in the same run and in turns with it (A, B, A, B). A difference is taken quantile by quantile. A
share is of the control's rate, and its p95 and p99 are the low ones: 95 and 99 of 100 turns reached as much. **n** is how
many measurements each of the two has; with few of them p95 and p99 are the worst. What they are themselves stands beside
it, and so does what limits the figure.

## The figures to reach

From the tables below. Round trips, statements, seals and the like do not depend on the machine: tests assert them
(\`tests/functions/counts_test.ts\`, \`lab/bench/plans_test.ts\`).

${goals(measured)}

${sections(measured)}

## What limits all of it

- Callers, function, REST, database and provider share the processors of one machine, and no network is between them: what a
  function waits for is nearer here than on the platform, what it computes weighs more.
- REST is the small stand-in of the chaos run (a pool of 20), not PostgREST. It answers as fast, and knows nothing else.
- The platform's runtime is its own program around Deno: start and memory are compared here, not promised there.
- The provider waits as long as it is told and computes nothing; the callers are plain sockets that are kept.
- PostgreSQL has 64 MB of shared buffers, and commits wait for the disk; the SQL by itself is measured without commits.

## The run

| | |
| --- | --- |
| Date | ${about.date} |
| Took | ${Math.round(about.took_ms / 1_000)} s |
| Versions | ${
    [...about.runtimes.map((version) => `Deno ${version}`), `PostgreSQL ${about.postgres}`].join(", ")
  } |
| Packages | ${about.packages.join(", ")} |
| Machine | ${navigator.hardwareConcurrency} CPUs (${about.cpu}), ${
    Math.round(Deno.systemMemoryInfo().total / 2 ** 30)
  } GiB, ${Deno.build.os} ${Deno.build.arch} |
`;
}

/** What was to be reached, beside what was measured. */
function goals(measured: readonly Measured[]): string {
  const rows = GOALS.flatMap((goal) => {
    const figure = reached(goal, measured);
    if (!figure) return [];
    const { what, before, limit: [side, value], unit, take, missed } = goal;
    const told = take !== "itself" && figure.is === "difference"
      ? signed(figure[take])
      : digits(figure[take]);
    const control = `${digits(figure.control)} ${figure.unit}`;
    return [[
      what,
      before,
      `${side} ${digits(value)} ${unit}`,
      `${told} ${unit}`,
      control,
      holds(goal, figure) ? "reached" : `missed: ${missed}`,
    ]];
  });
  return table(TO_REACH, rows);
}

/** A section for each subject, and in it a table for each runtime on which it was measured. */
function sections(measured: readonly Measured[]): string {
  const subjects = [...new Set(measured.map(({ subject }) => subject))];
  return subjects.map((subject) => {
    const own = measured.filter((one) => one.subject === subject);
    const parts = own.map((one) =>
      own.length > 1 ? `### ${subject.title}, Deno ${one.runtime.version}\n\n${tables(one)}` : tables(one)
    );
    return [`## ${subject.title}`, subject.method, ...parts].join("\n\n");
  }).join("\n\n");
}
