import type { Count, Figure } from "./figures.ts";
import type { Field } from "./field/field.ts";
import type { FunctionProcess } from "./field/function_process.ts";
import type { Runtime } from "./field/runtimes.ts";

/** How much is measured: for a test of the bench itself, while working, or for the page. */
export type Size = "tiny" | "quick" | "full";

export interface Bench {
  readonly field: Field;
  readonly runtime: Runtime;
  /** Picks what this size has. */
  readonly pick: <Value>(of: Readonly<Record<Size, Value>>) => Value;
}

export interface Found {
  readonly figures: readonly Figure[];
  readonly counts?: readonly Count[];
}

/** One table of the page. */
export interface Subject {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  /** How it is measured, for whoever reads the table. */
  readonly method: string;
  /** Whether it is about the runtime, and so is measured on each. */
  readonly on_each_runtime: boolean;
  measure(bench: Bench): Promise<Found>;
}

/** Starts functions, and stops them after the work. */
export async function withFunctions<Result>(
  { field, runtime }: Bench,
  names: readonly string[],
  work: (processes: readonly FunctionProcess[]) => Promise<Result>,
): Promise<Result> {
  const started: FunctionProcess[] = [];
  try {
    for (const name of names) started.push(await field.function(name, runtime));
    return await work(started);
  } finally {
    await Promise.all(started.map((one) => one.stop()));
  }
}

/** One of a list that must be there. */
export function only<Value>(values: readonly Value[], at = 0): Value {
  const value = values[at];
  if (value === undefined) throw new Error(`there is no number ${at}`);
  return value;
}
