import { join } from "node:path";
import { kill } from "node:process";
import { lookUp, readIfThere, removeQuietly } from "./process.ts";

const PATIENCE_MS = 15_000;
const LOOK_EVERY_MS = 50;

/**
 * Ends a server that a killed program left running on these data. The caller holds the folder's lock, so nobody
 * else is using that server.
 */
export async function stopStaleServer(data: string): Promise<void> {
  const pidFile = join(data, "postmaster.pid");
  const content = await readIfThere(pidFile);
  if (content === null) return;
  const pid = Number(content.split("\n")[0]);
  if (await isPostgres(pid)) {
    kill(pid, "SIGINT");
    const deadline = Date.now() + PATIENCE_MS;
    while (isAlive(pid) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
    if (isAlive(pid)) throw new Error(`A server left running in "${data}" (process ${pid}) does not stop`);
  }
  // The number may be another program's by now, and PostgreSQL would then refuse to start.
  await removeQuietly(pidFile);
}

function isAlive(pid: number): boolean {
  try {
    kill(pid, 0);
    return true;
  } catch (error) {
    if ((error as { code?: string }).code === "ESRCH") return false;
    throw error;
  }
}

async function isPostgres(pid: number): Promise<boolean> {
  if (!Number.isInteger(pid) || pid <= 1) return false;
  return (await lookUp(pid))?.command.includes("postgres") ?? false;
}
