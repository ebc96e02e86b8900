import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { eachLine, guard, signalIfAlive, within } from "./process.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const SERVE = ["serve", "--allow-env", "--allow-net", "--no-check", "--host", "127.0.0.1", "--port", "0"];
const BOOT_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 3_000;
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
  readonly origin: string;
  readonly pid: number;
  /** Settles when the process has ended: true unless it was killed from here. */
  readonly ended: Promise<boolean>;
  kill(signal: "SIGTERM" | "SIGKILL"): Promise<void>;
}

export interface InstanceOptions {
  name: string;
  entrypoint: string;
  env: Record<string, string>;
  log: (line: string) => void;
  /** A module that runs before the function's own. */
  preload?: string;
}

/** Starts it, and waits until it listens. Throws with its last words if it does not come that far. */
export async function startInstance(options: InstanceOptions): Promise<Instance> {
  const { name, entrypoint, env, log, preload } = options;
  const first = preload === undefined ? [] : ["--preload", preload];
  const child = new Deno.Command(Deno.execPath(), {
    args: [...SERVE, ...first, "--config", join(ROOT, "deno.json"), entrypoint],
    cwd: ROOT,
    clearEnv: true,
    env: { ...ownVariables(), ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    detached: true,
  }).spawn();
  const guarded = guard({ pid: child.pid, signal: "KILL" });
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
    await guarded.release();
    return !killed;
  });
  const kill = async (signal: "SIGTERM" | "SIGKILL") => {
    killed = true;
    signalIfAlive(child, signal);
    await within(ended, STOP_TIMEOUT_MS, () => "still there").catch(() => signalIfAlive(child, "SIGKILL"));
    await ended;
  };
  const origin = await within(listening.promise, BOOT_TIMEOUT_MS, () => "no answer in time").catch(() =>
    null
  );
  if (origin !== null) return { origin, pid: child.pid, ended, kill };
  await kill("SIGKILL");
  throw new Error(`The function "${name}" did not start: ${last.join("\n") || "it said nothing"}`);
}

function ownVariables(): Record<string, string> {
  const env: Record<string, string> = { NO_COLOR: "1" };
  for (const name of DENO_VARIABLES) {
    const value = Deno.env.get(name);
    if (value !== undefined) env[name] = value;
  }
  return env;
}
