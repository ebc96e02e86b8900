/** Numbers drawn from a seed: the same seed draws the same plan again. */
export interface Draw {
  /** In [0, 1). */
  (): number;
  /** In [least, most). */
  between(least: number, most: number): number;
  one<T>(of: readonly T[]): T;
}

/** mulberry32: small, fast, and good enough for a plan. */
export function seeded(seed: number): Draw {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Object.assign(next, {
    between: (least: number, most: number) => least + next() * (most - least),
    one: <T>(of: readonly T[]) => {
      const chosen = of[Math.floor(next() * of.length)];
      if (chosen === undefined) throw new Error("there is nothing to choose from");
      return chosen;
    },
  });
}
