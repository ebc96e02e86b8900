import { run } from "../../../local/stack/process.ts";
import { HOSTED_DENO } from "../../../tests/hosted_runtime.ts";

/** A Deno to run functions on. */
export interface Runtime {
  readonly version: string;
  readonly path: string;
}

export const CURRENT: Runtime = { version: Deno.version.deno, path: Deno.execPath() };

/** What the platform runs: the program itself, because npx would have a process id of its own. */
export async function hosted(): Promise<Runtime> {
  const script = "console.log(Deno.execPath())";
  const path = await run("npx", ["-y", `deno@${HOSTED_DENO}`, "eval", script], { cwd: "/" });
  return { version: HOSTED_DENO, path: path.trim() };
}
