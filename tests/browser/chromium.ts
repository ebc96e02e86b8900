import { tmpdir } from "node:os";
import { join } from "node:path";
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

/** What `get_chromium.ts` unpacks, and the libraries beside it. */
const UNPACKED = { path: join(tmpdir(), "chromium"), libraries: join(tmpdir(), "al2023", "lib") };

const MISSING = `No Chromium was found, and the page is tested in a real one. Any of these helps:

  as root, on Debian or Ubuntu   apt-get update && apt-get install -y chromium
  without being root, Linux x64  npx -y deno@${Deno.version.deno} run -A --node-modules-dir=none --no-lock tests/browser/get_chromium.ts
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
  const env = executablePath === UNPACKED.path
    ? { ...Deno.env.toObject(), LD_LIBRARY_PATH: UNPACKED.libraries }
    : undefined;
  return await chromium.launch({ executablePath, args: FLAGS, ...(env && { env }) });
}

async function findChromium(): Promise<string> {
  const named = Deno.env.get("CHROMIUM");
  for (const path of named ? [named] : [...PLACES, UNPACKED.path]) if (await isFile(path)) return path;
  throw new Error(named ? `CHROMIUM names "${named}", and no file is there\n\n${MISSING}` : MISSING);
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
