/** What was written to the console while `work` ran, as text and as the objects that the lines hold. */
export async function logging<T>(
  work: (written: readonly string[]) => Promise<T>,
): Promise<{ result: T; text: string; lines: Record<string, unknown>[] }> {
  const written: string[] = [];
  const { log, error } = console;
  console.log = console.error = (...values: unknown[]) => void written.push(values.map(String).join(" "));
  try {
    const result = await work(written);
    return { result, text: written.join("\n"), lines: written.map((line) => JSON.parse(line)) };
  } finally {
    Object.assign(console, { log, error });
  }
}
