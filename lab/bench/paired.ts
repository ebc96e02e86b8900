/**
 * Measures the arms in turns, A, B, A, B, so that whatever else the machine does meets them alike. The first round
 * warms up and is not counted.
 */
export async function paired<Arm extends string, Measured>(
  rounds: number,
  arms: Readonly<Record<Arm, () => Promise<Measured>>>,
): Promise<Record<Arm, Measured[]>> {
  const all = Object.entries(arms) as [Arm, () => Promise<Measured>][];
  const measured = Object.fromEntries(all.map(([arm]) => [arm, []])) as unknown as Record<Arm, Measured[]>;
  for (let round = 0; round <= rounds; round++) {
    for (const [arm, measure] of all) {
      const found = await measure();
      if (round > 0) measured[arm].push(found);
    }
  }
  return measured;
}
