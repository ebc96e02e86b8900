import { lookUp } from "./process.ts";

/** `npx deno@… task dev` is a chain of programs, from this one upwards: `deno task`, a shell, npm. */
const LAUNCHERS = [/^\S*deno task /, /^\S*node \S*deno\S* task /, /^\S*sh -c '?"?deno/];
/** Above it is whoever typed the command; that one may go, as under nohup. */
const OUTERMOST = /^(npm|npx) |^\S*node \S*\/(npm|npx)/;

const LOOK_EVERY_MS = 1_000;

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
async function launchedBy(): Promise<{ pid: number; ppid: number }[]> {
  const chain: { pid: number; ppid: number }[] = [];
  for (let pid = Deno.pid; pid > 1;) {
    const found = await lookUp(pid);
    if (found === null) break;
    const { ppid, command } = found;
    const outermost = OUTERMOST.test(command);
    const launcher = pid === Deno.pid || LAUNCHERS.some((one) => one.test(command));
    if (outermost || launcher) chain.push({ pid, ppid });
    if (outermost || !launcher) break;
    pid = ppid;
  }
  return chain;
}
