/** A figure: never a time by itself, always against a control that was measured in turns with it. */
export interface Figure {
  readonly what: string;
  readonly against: string;
  /** A difference is what it costs more; a share is how much of the control's rate is left, a multiple how many times as much it takes. */
  readonly is: "difference" | "share" | "multiple";
  readonly unit: string;
  /** Measurements of each of the two. */
  readonly n: number;
  readonly p50: number;
  /** Towards the worse side: as bad or better in 95 of 100. */
  readonly p95: number;
  readonly p99: number;
  /** The medians of the two themselves. */
  readonly itself: number;
  readonly control: number;
  readonly limited_by: string;
}

/** What was counted, which no machine changes. */
export interface Count {
  readonly what: string;
  readonly of: string;
  readonly count: number;
}

/** What a figure is called, and what it stands on. */
export type Named = Pick<Figure, "what" | "against" | "unit" | "limited_by"> & {
  readonly itself: readonly number[];
  readonly control: readonly number[];
};

/** How much more of it there is than of the control, quantile by quantile. */
export function difference({ itself, control, ...named }: Named): Figure {
  const at = (share: number) => quantile(itself, share) - quantile(control, share);
  return {
    ...named,
    is: "difference",
    ...medians(itself, control),
    p50: at(0.5),
    p95: at(0.95),
    p99: at(0.99),
  };
}

/** How much of the control's rate is reached, turn by turn: the fewer the worse. */
export function share(named: Named): Figure {
  const shares = ratios(named);
  const at = (worse: number) => quantile(shares, 1 - worse);
  return { ...figureOf(named), is: "share", p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** How many times the control, turn by turn: the more the worse. */
export function multiple(named: Named): Figure {
  const all = ratios(named);
  const at = (worse: number) => quantile(all, worse);
  return { ...figureOf(named), is: "multiple", p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

function figureOf({ itself, control, ...named }: Named) {
  return { ...named, ...medians(itself, control) };
}

function medians(itself: readonly number[], control: readonly number[]) {
  const n = Math.min(itself.length, control.length);
  return { n, itself: quantile(itself, 0.5), control: quantile(control, 0.5) };
}

function ratios({ itself, control }: Named): number[] {
  return itself.map((value, turn) => value / (control[turn] ?? NaN));
}

/** The nearest rank: a value that was measured. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(share * sorted.length) - 1))] ?? NaN;
}
