import { join } from "node:path";
import { exists, readIfThere, removeQuietly, run } from "./process.ts";

/** PostgreSQL refuses to run as root; then it runs as "nobody", whom every system knows. */
const NOBODY = 65534;

/** Where a server's files are while it runs, and whose they are. */
export interface Home {
  /** Holds `data`, and whatever must lie beside it. */
  readonly folder: string;
  /** The user the server runs as: null is this program's own. */
  readonly uid: number | null;
  /** True when nothing of it is to be kept. */
  readonly temporary: boolean;
  /** Brings the data back to where they are kept, or removes them. The server must have ended. */
  leave(): Promise<void>;
}

/** Where the files of the server kept in `dir` are to be while it runs; without `dir` they are kept nowhere. */
export function openHome(dir: string | undefined): Promise<Home> {
  return Deno.uid() === 0 ? openAway(dir) : openOwn(dir);
}

async function openOwn(dir: string | undefined): Promise<Home> {
  if (dir !== undefined) return { folder: dir, uid: null, temporary: false, leave: () => Promise.resolve() };
  const folder = await Deno.makeTempDir({ prefix: "postgres-" });
  return { folder, uid: null, temporary: true, leave: () => removeQuietly(folder) };
}

/**
 * Root's server works in an open folder, because the other user may be unable to reach `dir`: a home or a temporary
 * folder is often closed. The data return to `dir` when the server has ended. `dir/away` names the open folder
 * meanwhile, so that the data of a killed run are found again.
 */
async function openAway(dir: string | undefined): Promise<Home> {
  const folder = (dir === undefined ? null : await awayFolder(dir)) ?? await makeAway(dir);
  await run("chown", ["-R", `${NOBODY}:${NOBODY}`, join(folder, "data")]);
  if (dir === undefined) return { folder, uid: NOBODY, temporary: true, leave: () => removeQuietly(folder) };
  return { folder, uid: NOBODY, temporary: false, leave: () => bringBack(folder, dir) };
}

/** Where the data of `dir` are while they are not there; null when they are at home. */
export async function awayFolder(dir: string): Promise<string | null> {
  const folder = await readIfThere(join(dir, "away"));
  return folder !== null && await exists(join(folder, "data", "PG_VERSION")) ? folder : null;
}

async function makeAway(dir: string | undefined): Promise<string> {
  const parent = await exists("/var/tmp") ? "/var/tmp" : "/tmp";
  const folder = await Deno.makeTempDir({ dir: parent, prefix: "postgres-" });
  await Deno.chmod(folder, 0o755);
  // First the name, then the data: killed in between, the next run finds the data where they were.
  if (dir !== undefined) await Deno.writeTextFile(join(dir, "away"), folder);
  if (dir !== undefined && await exists(join(dir, "data"))) {
    await move(join(dir, "data"), join(folder, "data"));
  } else await Deno.mkdir(join(folder, "data"), { mode: 0o700 });
  return folder;
}

async function bringBack(folder: string, dir: string): Promise<void> {
  const owner = await Deno.stat(dir);
  await run("chown", ["-R", `${owner.uid}:${owner.gid}`, join(folder, "data")]);
  await move(join(folder, "data"), join(dir, "data"));
  await removeQuietly(join(dir, "away"));
  await removeQuietly(folder);
}

/** Also from one file system to another; a half copied folder never bears the name. */
async function move(from: string, to: string): Promise<void> {
  try {
    await Deno.rename(from, to);
  } catch (error) {
    if ((error as { code?: string }).code !== "EXDEV") throw error;
    await removeQuietly(`${to}.arriving`);
    await run("cp", ["-R", "-p", from, `${to}.arriving`]);
    await Deno.rename(`${to}.arriving`, to);
    await removeQuietly(from);
  }
}
