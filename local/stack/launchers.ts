/** `npx deno@… task dev` is a chain of programs, from this one upwards: `deno task`, a shell, npm. */
const LAUNCHERS = [/^\S*deno task /, /^\S*node \S*deno\S* task /, /^\S*sh -c '?"?deno/];
/** Above it is whoever typed the command; that one may go, as under nohup. */
const OUTERMOST = /^(npm|npx) |^\S*node \S*\/(npm|npx)/;

const LOOK_EVERY_MS = 1_000;

interface Process {
  readonly pid: number;
  readonly ppid: number;
  readonly command: string;
}

/**
 * Resolves when one of the programs that only launched this one has ended. A SIGTERM for npx ends npm and its shell
 * and reaches nobody else: without this, the stack would stay, and whoever started it could not tell where.
 */
export async function launchersEnded(): Promise<void> {
  const chain = await launchedBy();
  return await new Promise((resolve) => {
    const timer = setInterval(async () => {
      // One that lost its parent has another; so nobody needs to watch the last one's, who is no launcher.
      for (const { pid, ppid } of chain.slice(0, -1)) {
        if ((await lookUp(pid))?.ppid === ppid) continue;
        clearInterval(timer);
        return resolve();
      }
    }, LOOK_EVERY_MS);
    Deno.unrefTimer(timer);
  });
}

/** This program, and upwards those that launched it. */
async function launchedBy(): Promise<Process[]> {
  const chain: Process[] = [];
  for (let next = await lookUp(Deno.pid); next !== null; next = await lookUp(next.ppid)) {
    const { command, pid } = next;
    if (OUTERMOST.test(command)) return [...chain, next];
    if (pid !== Deno.pid && !LAUNCHERS.some((launcher) => launcher.test(command))) break;
    chain.push(next);
  }
  return chain;
}

/** Null when there is no such process, or the system does not tell. */
async function lookUp(pid: number): Promise<Process | null> {
  if (pid <= 1) return null;
  const ps = new Deno.Command("ps", { args: ["-o", "ppid=,command=", "-p", String(pid)], stderr: "null" });
  const text = Deno.build.os === "linux"
    ? await fromProc(pid)
    : new TextDecoder().decode((await ps.output()).stdout);
  const [, ppid, command] = /^\s*(\d+)\s+(.*)/s.exec(text) ?? [];
  return ppid === undefined || command === undefined ? null : { pid, ppid: Number(ppid), command };
}

/** As `ps` says it: the parent, a blank, the command line. */
async function fromProc(pid: number): Promise<string> {
  try {
    const status = await Deno.readTextFile(`/proc/${pid}/status`);
    const command = await Deno.readTextFile(`/proc/${pid}/cmdline`);
    return `${/^PPid:\s*(\d+)/m.exec(status)?.[1]} ${command.replaceAll("\0", " ")}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return "";
    // The process ended between opening its file and reading it.
    if ((error as { code?: string }).code === "ESRCH") return "";
    throw error;
  }
}
