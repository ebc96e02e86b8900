import { join } from "node:path";
import { ACCESS_TOKEN } from "./management_api.ts";

/** The version that everything here was tried with; the workflow that deploys names the same. */
export const CLI_VERSION = "3.1.0";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Cli {
  /** Runs `supabase …` to its end, in the project's folder. */
  run(...args: string[]): Promise<Ended>;
  /** As `run`, and throws with what was printed unless it ends with 0. */
  must(...args: string[]): Promise<Ended>;
}

/** What npm needs to find the package, and nothing that could lead the CLI to a real project. */
const PASSED_ON = [
  ...["PATH", "TMPDIR", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"],
];

/**
 * The real Supabase CLI on a project's folder, with a home of its own, telemetry off, and `api_origin` in place of
 * Supabase's management API.
 *
 * @param folder holds `supabase/config.toml`; the CLI writes its `supabase/.temp` there
 * @param home an empty folder: no login of this machine's user is in reach
 */
export async function supabaseCli(folder: string, home: string, api_origin: string): Promise<Cli> {
  const profile = join(home, "profile.yaml");
  await Deno.writeTextFile(
    profile,
    [
      "name: loopback",
      `api_url: ${api_origin}`,
      `dashboard_url: ${api_origin}/dashboard`,
      "project_host: supabase.invalid",
    ].join("\n") + "\n",
  );
  const run = async (...args: string[]): Promise<Ended> => {
    const { code, stdout, stderr } = await new Deno.Command("npx", {
      args: ["-y", `supabase@${CLI_VERSION}`, ...args],
      cwd: folder,
      clearEnv: true,
      env: { ...environment(), HOME: home, SUPABASE_PROFILE: profile },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).output();
    return { code, stdout: text(stdout), stderr: text(stderr) };
  };
  const must = async (...args: string[]): Promise<Ended> => {
    const ended = await run(...args);
    if (ended.code === 0) return ended;
    throw new Error(`supabase ${args[0]} ended with ${ended.code}: ${ended.stderr}${ended.stdout}`);
  };
  return { run, must };
}

/** The lines by which the CLI warns: of what it ignores, above all. */
export function warnings(stderr: string): string[] {
  return stderr.split("\n").filter((line) => /\bwarn(ing)?\b|deprecated|unknown|fallback/i.test(line));
}

function environment(): Record<string, string> {
  const home = Deno.env.get("HOME") ?? "/";
  const env: Record<string, string> = {
    // The package is 135 MB: it is kept where npm keeps the others.
    npm_config_cache: join(home, ".npm"),
    npm_config_userconfig: join(home, ".npmrc"),
    npm_config_loglevel: "error",
    NO_PROXY: ["127.0.0.1", "localhost", Deno.env.get("NO_PROXY") ?? Deno.env.get("no_proxy")].join(","),
    SUPABASE_ACCESS_TOKEN: ACCESS_TOKEN,
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
