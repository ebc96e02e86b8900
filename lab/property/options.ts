/**
 * How long and from where the runs are drawn. Without options they are the same every time; more of them, from a seed
 * of its own:
 *
 *     PROPERTY_RUNS=5000 PROPERTY_SEED=$RANDOM deno test -A lab/property
 *
 * A failure says its seed and its path; given back as PROPERTY_SEED and PROPERTY_PATH they repeat that one run.
 */
const { runs, seed, path } = {
  runs: Deno.env.get("PROPERTY_RUNS"),
  seed: Deno.env.get("PROPERTY_SEED"),
  path: Deno.env.get("PROPERTY_PATH"),
};

export const OPTIONS = {
  numRuns: Number(runs ?? 140),
  seed: Number(seed ?? 10),
  ...(path !== undefined && { path }),
};

/** Enough runs that each kind of trouble must have been met: the ones of every day are chosen so. */
export const ENOUGH = path === undefined && (seed === undefined || OPTIONS.numRuns >= 1_000);

export function again(
  { seed, counterexamplePath }: { seed: number; counterexamplePath: string | null },
): string {
  return `This one run again: PROPERTY_SEED=${seed} PROPERTY_PATH=${counterexamplePath} deno test -A lab/property`;
}
