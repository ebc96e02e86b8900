import { dirname, join } from "node:path";
import { walk } from "../../tests/support/walk.ts";

const ROOT = new URL("../../", import.meta.url);
const FILES = ["import_map.json", "deno.json", ".tool-versions", ".env.example", "README.md"];
const FOLDERS = ["supabase", "tests/support", "lab/support", "local"];
/** What the CLI and its user leave behind; a fresh clone has none of it. */
const LEFT_BEHIND = /(^|\/)(\.temp|\.branches|\.env)(\/|$)/;

/** The project as cloned, in `into`: the CLI may write there, and a test may add what it likes. */
export async function copyProject(into: string): Promise<void> {
  const paths = [...FILES];
  for (const folder of FOLDERS) for await (const path of walk(ROOT, folder)) paths.push(path);
  for (const path of paths.filter((path) => !LEFT_BEHIND.test(path))) {
    await write(join(into, path), await Deno.readFile(new URL(path, ROOT)));
  }
}

/** Writes a file, and the folders that lead to it. */
export async function write(path: string, content: string | Uint8Array): Promise<void> {
  await Deno.mkdir(dirname(path), { recursive: true });
  await Deno.writeFile(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
}
