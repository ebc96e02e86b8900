import { access, constants } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

/** Where a Chromium is usually found; the variable CHROMIUM names another. */
const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome-stable",
  "/usr/bin/google-chrome",
  "/snap/bin/chromium",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];

/** What `get_chromium.ts` unpacks, and where, beside it, the libraries are that it brings along. */
const UNPACKED = join(tmpdir(), "chromium");
const LIBRARIES = join("al2023", "lib");

const MISSING = `No Chromium was found, and the page is tested in a real one. Any of these helps:

  as root, on Debian or Ubuntu   apt-get update && apt-get install -y chromium
  without being root, Linux x64  npx -y deno@${Deno.version.deno} run -A --node-modules-dir=none --no-lock lab/browser/get_chromium.ts
  one that is somewhere else     export CHROMIUM=/path/to/chromium
`;

/** Asks nobody on the network for anything, and needs no user namespace (root has none to give). */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** @throws with the sentence that says how to install a browser, where there is none */
export async function launch(): Promise<Browser> {
  const executablePath = await findChromium();
  const libraries = join(dirname(executablePath), LIBRARIES);
  const env = await may(constants.R_OK, libraries)
    ? { ...Deno.env.toObject(), LD_LIBRARY_PATH: libraries }
    : undefined;
  return await chromium.launch({ executablePath, args: FLAGS, ...(env && { env }) });
}

async function findChromium(): Promise<string> {
  const named = Deno.env.get("CHROMIUM");
  for (const path of named ? [named] : [...PLACES, UNPACKED]) {
    if (await may(constants.X_OK, path)) return path;
  }
  throw new Error(named ? `CHROMIUM names "${named}", and nothing there can be run\n\n${MISSING}` : MISSING);
}

/** Whether it is there and this user may read or run it: in a temporary folder it may be somebody else's. */
async function may(mode: number, path: string): Promise<boolean> {
  try {
    await access(path, mode);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && ["ENOENT", "EACCES"].includes(String(error.code))) {
      return false;
    }
    throw error;
  }
}
