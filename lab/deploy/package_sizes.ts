import { join } from "node:path";
import { exists } from "../../local/stack/process.ts";
import { walk } from "../../tests/support/walk.ts";

/**
 * What the packages of one function's graph weigh, in bytes as unpacked, by `name@version`. A bundle holds packages
 * whole.
 *
 * @param graph what `deno info --json` says of the entrypoint
 * @param cache what `deno info --json` says without one
 */
export async function packageSizes(graph: string, cache: string): Promise<ReadonlyMap<string, number>> {
  const { npmPackages = {} }: { npmPackages?: Record<string, NpmPackage> } = JSON.parse(graph);
  const { npmCache }: { npmCache: string } = JSON.parse(cache);
  const sizes = new Map<string, number>();
  for (const { name, version } of Object.values(npmPackages)) {
    sizes.set(`${name}@${version}`, await sizeOf(await unpacked(npmCache, name, version)));
  }
  return sizes;
}

interface NpmPackage {
  readonly name: string;
  readonly version: string;
}

/** The cache has a folder for each registry. */
async function unpacked(cache: string, name: string, version: string): Promise<string> {
  for await (const registry of Deno.readDir(cache)) {
    const path = join(cache, registry.name, name, version);
    if (await exists(path)) return path;
  }
  throw new Error(`${name}@${version} was loaded and is not in Deno's cache`);
}

async function sizeOf(folder: string): Promise<number> {
  const root = new URL(`file://${folder}/`);
  let bytes = 0;
  for await (const path of walk(root, ".")) bytes += (await Deno.stat(new URL(path, root))).size;
  return bytes;
}
