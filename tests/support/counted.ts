export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Runs Deno and counts the tests by the last line that does: `deno test`'s, or one of ours. What it prints is shown
 * as it comes. A run that ended badly without saying so counts as one failure.
 */
export async function counted(
  args: readonly string[],
  screen: WritableStream<Uint8Array> = Deno.stdout.writable,
): Promise<Counts> {
  const child = new Deno.Command(Deno.execPath(), { args: [...args], stdout: "piped" }).spawn();
  const [shown, read] = child.stdout.tee();
  const [text, { code }] = await Promise.all([
    new Response(read).text(),
    child.status,
    shown.pipeTo(screen, { preventClose: true }),
  ]);
  const [, passed, failed] = [...text.matchAll(/(\d+) passed.*?(\d+) failed/g)].at(-1) ?? [];
  return { passed: Number(passed ?? 0), failed: Math.max(Number(failed ?? 0), code === 0 ? 0 : 1) };
}

export function plus(one: Counts, other: Counts): Counts {
  return { passed: one.passed + other.passed, failed: one.failed + other.failed };
}

/** The closing line, and the exit code that goes with it. */
export function close({ passed, failed }: Counts): void {
  console.log(`\n${passed} passed, ${failed} failed`);
  Deno.exitCode = failed > 0 ? 1 : 0;
}
