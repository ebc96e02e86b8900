import { dirname, join } from "node:path";
import { projectFiles } from "../../tests/support/project.ts";

const ROOT = new URL("../../", import.meta.url);

/** The project as cloned, in `into`, without what lies in `left_out`: a test may do with it what it likes. */
export async function copyProject(into: string, left_out = "none/"): Promise<void> {
  for (const path of await projectFiles()) {
    if (!path.startsWith(left_out)) await write(join(into, path), await Deno.readFile(new URL(path, ROOT)));
  }
}

/** Writes a file, and the folders that lead to it. */
export async function write(path: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
}
