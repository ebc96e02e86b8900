import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** With its sandbox, unless `env` names another authorization server. */
export function dev(
  args: readonly string[],
  env: Record<string, string> = { PIPEDRIVE_OAUTH_ORIGIN: "" },
): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    // Types are checked by `deno task ok`, not at every start.
    args: ["run", "--allow-all", "--no-check", "local/dev.ts", ...args],
    cwd: ROOT,
    env,
    stdout: "piped",
    stderr: "piped",
  });
}

/** A running one that has printed its board. */
export async function startDev(
  args: readonly string[],
  env?: Record<string, string>,
): Promise<{ child: Deno.ChildProcess; printed(): Promise<string> }> {
  const child = dev(args, env).spawn();
  const errors = new Response(child.stderr).text();
  const [watched, kept] = child.stdout.tee();
  const everything = new Response(kept).text();
  let seen = "";
  for await (const text of watched.pipeThrough(new TextDecoderStream())) {
    seen += text;
    if (seen.includes("To begin:")) break;
  }
  if (!seen.includes("To begin:")) throw new Error(`It ended before it was ready: ${seen}${await errors}`);
  return { child, printed: async () => await everything + await errors };
}

export async function withFolder(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
