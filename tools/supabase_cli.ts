import { join } from "node:path";

/** What everything here was tried with; the README and the workflow that deploys name the same. */
const PACKAGE = "supabase@3.1.0";

/** Runs a program to its end; throws with what it printed unless that is 0. */
export type Cli = (...args: string[]) => Promise<Printed>;

/** `supabase …`. */
export type SupabaseCli = Cli;

export interface Printed {
  readonly stdout: string;
  readonly stderr: string;
}

/** What npm needs to find the package, and nothing that could lead the CLI to a real project. */
const PASSED_ON = [
  ...["PATH", "TMPDIR", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"],
];

/**
 * The real Supabase CLI in a folder, with a home of its own and telemetry off.
 *
 * @param folder the project's; the CLI writes its `supabase/.temp` there
 * @param home an empty folder: no login of this machine's user is in reach
 * @param env what it is to see beside that
 */
export function supabaseCli(folder: string, home: string, env: Record<string, string> = {}): SupabaseCli {
  return npx(PACKAGE, folder, home, env);
}

/** The same for another package that is a program. */
export function npx(name: string, folder: string, home: string, env: Record<string, string> = {}): Cli {
  return async (...args) => {
    const { code, ...printed } = await new Deno.Command("npx", {
      args: ["-y", name, ...args],
      cwd: folder,
      clearEnv: true,
      env: { ...environment(), HOME: home, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    const [stdout, stderr] = [text(printed.stdout), text(printed.stderr)];
    if (code !== 0) throw new Error(`${name} ${args[0]} ended with ${code}: ${stderr}${stdout}`);
    return { stdout, stderr };
  };
}

function environment(): Record<string, string> {
  const home = Deno.env.get("HOME") ?? "/";
  const env: Record<string, string> = {
    // The package is 135 MB: it is kept where npm keeps the others.
    npm_config_cache: join(home, ".npm"),
    npm_config_userconfig: join(home, ".npmrc"),
    npm_config_loglevel: "error",
    NO_PROXY: ["127.0.0.1", "localhost", Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy")].join(","),
    SUPABASE_TELEMETRY_DISABLED: "1",
    DO_NOT_TRACK: "1",
    SUPABASE_NO_UPDATE_NOTIFIER: "1",
    NO_COLOR: "1",
  };
  for (const [name, value] of Object.entries(Deno.env.toObject())) {
    if (PASSED_ON.includes(name) || /^npm_config_(cache|userconfig|registry)$/i.test(name)) env[name] = value;
  }
  return env;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
