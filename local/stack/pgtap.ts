import { fileURLToPath } from "node:url";
import { dirname, join } from "node:path";
import { nativeFolder } from "./binaries.ts";
import { exists } from "./process.ts";

const BLOCK = 512;
const WANTED = /^share\/postgresql\/extension\/(pgtap\.control|pgtap--[\d.]+\.sql)$/;

/**
 * Makes `create extension pgtap` work on servers started from the npm package, and does nothing the second time.
 *
 * pgTAP is plain SQL, and another npm package carries it; its control file goes in last, because that is the file
 * by which PostgreSQL, and this function, know the extension.
 */
export async function installPgtap(): Promise<void> {
  const folder = join(await nativeFolder(), "share", "postgresql", "extension");
  if (await exists(join(folder, "pgtap.control"))) return;
  const files = [...await extensionFiles()].sort(([a], [b]) => b.localeCompare(a));
  for (const [name, content] of files) {
    const partial = join(folder, `.${name}.${crypto.randomUUID()}`);
    await Deno.writeFile(partial, content, { mode: 0o644 });
    await Deno.chmod(partial, 0o644);
    await Deno.rename(partial, join(folder, name));
  }
}

async function extensionFiles(): Promise<Map<string, Uint8Array>> {
  const bundle = join(
    dirname(fileURLToPath(import.meta.resolve("@electric-sql/pglite-pgtap"))),
    "pgtap.tar.gz",
  );
  const file = await Deno.open(bundle);
  const stream = file.readable.pipeThrough(new DecompressionStream("gzip"));
  const archive = new Uint8Array(await new Response(stream).arrayBuffer());
  const files = new Map<string, Uint8Array>();
  for (const [path, content] of tarEntries(archive)) {
    const name = WANTED.exec(path)?.[1];
    if (name !== undefined) files.set(name, content);
  }
  if (!files.has("pgtap.control")) throw new Error(`"${bundle}" holds no pgtap.control`);
  return files;
}

/** The files of a ustar archive: blocks of 512 bytes, name at 0, size in octal at 124 (POSIX.1-2001, pax). */
function* tarEntries(archive: Uint8Array): Generator<[path: string, content: Uint8Array]> {
  const text = (from: number, length: number) =>
    new TextDecoder().decode(archive.subarray(from, from + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + BLOCK <= archive.length && archive[at] !== 0;) {
    const size = parseInt(text(at + 124, 12), 8);
    yield [text(at, 100), archive.subarray(at + BLOCK, at + BLOCK + size)];
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
}
