/** What a process used, as Linux tells it. */
export interface Usage {
  /** Processor time since it began, milliseconds; in steps of ten. */
  readonly cpu_ms: number;
  /** Resident memory, megabytes. */
  readonly rss_mb: number;
}

/** A second has a hundred ticks on every Linux that there is (`getconf CLK_TCK`). */
const TICK_MS = 10;

export async function usageOf(pid: number): Promise<Usage> {
  const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  // The name, in brackets, may hold blanks; the times are the 14th and 15th field (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  const kilobytes = Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]);
  return { cpu_ms: ticks * TICK_MS, rss_mb: kilobytes / 1024 };
}
