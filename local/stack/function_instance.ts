import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { eachLine, guard, removeQuietly, signalIfAlive, within } from "./process.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Types are checked by `deno task ok`, not at every start. */
const SERVE = ["serve", "--allow-env", "--allow-net", "--no-check", "--host", "127.0.0.1", "--port", "0"];
const BOOT_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 3_000;
/** Gives the process what the hosted runtime gives it. */
const RUNTIME = fileURLToPath(new URL("./edge_runtime.ts", import.meta.url));
const LAST_LINES = 15;
const LISTENING = /Listening on (http:\/\/127\.0\.0\.1:\d+)/;

/** What Deno needs to find its cache and the registry; the hosted runtime has no use for them. */
const DENO_VARIABLES = [
  ...["HOME", "PATH", "TMPDIR", "DENO_DIR", "XDG_CACHE_HOME", "DENO_CERT", "DENO_TLS_CA_STORE"],
  ...["SSL_CERT_FILE", "SSL_CERT_DIR", "NPM_CONFIG_REGISTRY", "NPM_CONFIG_USERCONFIG"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"],
];

/** One process that serves one function. */
export interface Instance {
  readonly pid: number;
  /** Settles when the process has ended: true unless it was ended from here. */
  readonly ended: Promise<boolean>;
  /** Passes a request on. Rejects if the process dies. */
  fetch(path: string, init: RequestInit): Promise<Response>;
  /** At SIGTERM what it does behind its answers is done first, as far as the patience goes. */
  kill(signal: "SIGTERM" | "SIGKILL", patience_ms?: number): Promise<void>;
}

export interface InstanceOptions {
  name: string;
  entrypoint: string;
  env: Record<string, string>;
  log: (line: string) => void;
  /** Modules that run before the function's own. */
  preload?: readonly string[];
}

/** Starts it, and waits until it listens. Throws with its last words if it does not come that far. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { name, entrypoint, env, log, preload = [] } = options;
  const main = await mainModule([RUNTIME, ...preload], entrypoint);
  const child = new Deno.Command(Deno.execPath(), {
    args: [...SERVE, "--config", join(ROOT, "deno.json"), main],
    cwd: ROOT,
    clearEnv: true,
    env: { ...ownVariables(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const guarded = guard({ pid: child.pid, signal: "KILL", remove: main });
  const listening = Promise.withResolvers<string | null>();
  const last: string[] = [];
  const take = (line: string) => {
    const origin = LISTENING.exec(line)?.[1];
    if (origin !== undefined) listening.resolve(origin);
    log(`${name}: ${line}`);
    last.push(line);
    if (last.length > LAST_LINES) last.shift();
  };
  let killed = false;
  const output = [eachLine(child.stdout, take), eachLine(child.stderr, take)];
  const ended = Promise.all([child.status, ...output]).then(async () => {
    listening.resolve(null);
    await removeQuietly(main);
    await guarded.release();
    return !killed;
  });
  const kill = async (signal: "SIGTERM" | "SIGKILL", patience_ms = STOP_TIMEOUT_MS) => {
    killed = true;
    signalIfAlive(child, signal);
    await within(ended, patience_ms, () => "still there").catch(() => signalIfAlive(child, "SIGKILL"));
    await ended;
  };
  const origin = await within(listening.promise, BOOT_TIMEOUT_MS, () => "no answer in time").catch(() =>
    null
  );
  if (origin !== null) {
    return { pid: child.pid, ended, fetch: (path, init) => fetch(origin + path, init), kill };
  }
  await kill("SIGKILL");
  throw new Error(`The function "${name}" did not start: ${last.join("\n") || "it said nothing"}`);
}

/** A file that loads one module after the other and serves the last. `deno serve` (2.9) takes `--preload` and ignores it. */
async function mainModule(before: readonly string[], entrypoint: string): Promise<string> {
  const file = await Deno.makeTempFile({ prefix: "function-", suffix: ".ts" });
  const address = (path: string) => JSON.stringify(pathToFileURL(path).href);
  const lines = [
    ...before.map((path) => `import ${address(path)};`),
    `import { served } from ${address(RUNTIME)};`,
    `import * as entrypoint from ${address(entrypoint)};`,
    "export default served(entrypoint);",
  ];
  await Deno.writeTextFile(file, lines.join("\n"));
  return file;
}

function ownVariables(): Record<string, string> {
  const env: Record<string, string> = { NO_COLOR: "1" };
  for (const name of DENO_VARIABLES) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
