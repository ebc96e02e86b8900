import { fileURLToPath } from "node:url";
import { eachLine, guard, signalIfAlive, within } from "../../../local/stack/process.ts";

const START_MS = 120_000;

export interface Child<Ready> {
  /** What it said first: one line of JSON. */
  readonly ready: Ready;
  /** Ends it, and gives the last line that it printed. */
  stop(): Promise<string>;
}

/** Starts a module of ours in a process of its own; ready when it has printed its first line. Its types are checked by `deno task ok`. */
export async function startChild<Ready>(module: URL, args: object): Promise<Child<Ready>> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", fileURLToPath(module), JSON.stringify(args)],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
    detached: true,
  }).spawn();
  const guarded = guard({ pid: child.pid, signal: "KILL" });
  const first = Promise.withResolvers<string>();
  let last = "";
  const reading = eachLine(child.stdout, (line) => {
    first.resolve(line);
    last = line;
  });
  const ended = Promise.all([child.status, reading]).then(() => first.reject(new Error(`${module} ended`)));
  first.promise.catch(() => {});
  const stop = async () => {
    signalIfAlive(child, "SIGTERM");
    await ended;
    await guarded.release();
    return last;
  };
  try {
    return { ready: JSON.parse(await within(first.promise, START_MS, () => "no word in time")), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
