import { dirname, join } from "node:path";
import { projectFiles } from "../../tests/support/project.ts";

const ROOT = new URL("../../", import.meta.url);

/** The project as cloned, or the files of it to `keep`, in `into`: the CLI and a test may write there. */
export async function copyProject(into: string, keep = (_path: string) => true): Promise<void> {
  for (const path of (await projectFiles()).filter(keep)) {
    await write(join(into, path), await Deno.readFile(new URL(path, ROOT)));
  }
}

/** Writes a file, and the folders that lead to it. */
export async function write(path: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
}
