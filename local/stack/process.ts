import { createServer } from "node:net";
import { join } from "node:path";

export interface Guarded {
  /** A process to end; null when there is only something to remove. */
  pid: number | null;
  signal?: "INT" | "KILL";
  /** A file or folder to remove, once the process has ended. */
  remove?: string;
}

/**
 * Ends and removes what a killed program leaves behind. Whatever ends this program, SIGKILL included, its end of
 * the pipe closes, and a shell that waits there does the rest.
 */
export function guard({ pid, signal = "KILL", remove = "" }: Guarded): { release(): Promise<void> } {
  const shell = new Deno.Command("/bin/sh", {
    args: ["-c", GUARD, "sh", pid === null ? "" : String(pid), signal, remove],
    stdin: "piped",
    stdout: "null",
    stderr: "null",
    detached: true,
  }).spawn();
  return {
    /** To be called once the process has ended: its id may soon be another's. */
    async release() {
      const stdin = shell.stdin.getWriter();
      await stdin.write(new TextEncoder().encode("released\n"));
      await stdin.close();
      await shell.status;
    },
  };
}

const GUARD = `
  if read -r word; then exit 0; fi
  if [ -n "$1" ]; then
    kill -s "$2" "$1" 2>/dev/null
    # Not for ever: in a container that nobody tidies, an ended process keeps its number.
    for look in 1 2 3 4 5 6 7 8 9 10; do kill -0 "$1" 2>/dev/null && sleep 0.3; done
  fi
  if [ -n "$3" ]; then rm -rf "$3"; fi`;

/** Sends a signal; a child that has ended already is what was wanted. */
export function signalIfAlive(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/**
 * The right to a folder, until released or until this program ends, however it ends; null if another program has it.
 * Makes the folder, closed to others.
 */
export async function lockFolder(dir: string): Promise<(() => void) | null> {
  await Deno.mkdir(dir, { recursive: true, mode: 0o700 });
  const file = await Deno.open(join(dir, "lock"), { create: true, write: true, mode: 0o600 });
  if (await file.tryLock(true)) return () => file.close();
  file.close();
  return null;
}

/** A process's parent and command line; null when there is none, or the system does not tell. */
export async function lookUp(pid: number): Promise<{ ppid: number; command: string } | null> {
  const ps = new Deno.Command("ps", { args: ["-o", "ppid=,command=", "-p", String(pid)], stderr: "null" });
  const text = Deno.build.os === "linux"
    ? await fromProc(pid)
    : new TextDecoder().decode((await ps.output()).stdout);
  const [, ppid, command] = /^\s*(\d+)\s+(.*)/s.exec(text) ?? [];
  return ppid === undefined || command === undefined ? null : { ppid: Number(ppid), command };
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

/** Runs a program to its end. Throws with what it printed unless it ended with 0. */
export async function run(
  program: string,
  args: string[],
  options: Deno.CommandOptions = {},
): Promise<string> {
  const output = await new Deno.Command(program, { ...options, args, stdout: "piped", stderr: "piped" })
    .output();
  const stdout = new TextDecoder().decode(output.stdout);
  if (!output.success) {
    const stderr = new TextDecoder().decode(output.stderr);
    throw new Error(`${program} ended with ${output.code}: ${(stderr + stdout).trim()}`);
  }
  return stdout;
}

/** Passes each line of a child's output to `take`, until the child closes it. */
export async function eachLine(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of stream) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  }
  if (rest !== "") take(rest);
}

/** A TCP port that was free on 127.0.0.1 a moment ago; `port` itself if it is free. */
export async function freePort(port = 0): Promise<number | null> {
  const server = createServer();
  try {
    return await new Promise<number | null>((resolve, reject) => {
      server.once("error", (error: Error & { code?: string }) => {
        if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve(null);
        else reject(error);
      });
      server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
        const address = server.address();
        resolve(address !== null && typeof address === "object" ? address.port : null);
      });
    });
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** The first of `promise` and a timeout's error. The timer never outlives the answer. */
export async function within<T>(promise: Promise<T>, ms: number, message: () => string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message())), ms);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Null when there is no such file. */
export async function readIfThere(path: string): Promise<string | null> {
  return await exists(path) ? await Deno.readTextFile(path) : null;
}

/** Writes a file for its owner alone, which is there whole, or as it was before, whatever ends this program meanwhile. */
export function writeWhole(path: string, text: string): void {
  const partial = `${path}.partial`;
  Deno.writeTextFileSync(partial, text, { mode: 0o600 });
  using file = Deno.openSync(partial, { write: true });
  file.syncDataSync();
  Deno.renameSync(partial, path);
}

export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Removes a file or folder, and is content when it is not there. */
export async function removeQuietly(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
