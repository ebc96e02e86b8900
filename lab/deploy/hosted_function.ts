import { join } from "node:path";
import { eachLine, guard, run, signalIfAlive, within } from "../../local/stack/process.ts";
import type { Upload } from "./management_api.ts";
import { HOSTED_DENO } from "../../tests/hosted_runtime.ts";
import { packageSizes } from "./package_sizes.ts";
import { write } from "./project_copy.ts";

const BOOT_TIMEOUT_MS = 120_000;
const LISTENING = /Listening on (http:\/\/127\.0\.0\.1:\d+)/;
/** What Deno needs to find its cache and the registry; the hosted runtime has no use for them. */
const DENO_VARIABLES = [
  ...["HOME", "PATH", "TMPDIR", "DENO_DIR", "XDG_CACHE_HOME", "DENO_CERT", "SSL_CERT_FILE", "SSL_CERT_DIR"],
  ...[
    "NPM_CONFIG_REGISTRY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
  ],
];

export interface HostedFunction {
  readonly origin: string;
  /** The npm packages it loaded, and their bytes as unpacked. */
  packages(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/**
 * Boots what was uploaded, and nothing else: the files alone in `folder`, entrypoint and import map as the upload
 * names them, on the Deno of the hosted runtime.
 *
 * @param env the whole environment, but for what Deno itself needs
 */
export async function bootUploaded(
  { slug, metadata, files }: Upload,
  folder: string,
  env: Record<string, string>,
): Promise<HostedFunction> {
  for (const [name, content] of files) await write(join(folder, name), content);
  const deno = await hostedDeno();
  const map = metadata.import_map_path ? [`--import-map=${metadata.import_map_path}`] : [];
  const own = { ...denoVariables(), DENO_TLS_CA_STORE: "mozilla,system", NO_COLOR: "1" };
  const place = { cwd: folder, clearEnv: true };
  const child = new Deno.Command(deno, {
    ...place,
    args: [
      ...["serve", "--no-lock", "--no-prompt", "--allow-env", "--allow-net", ...map],
      ...["--host=127.0.0.1", "--port=0", metadata.entrypoint_path],
    ],
    env: { ...own, ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const guarded = guard({ pid: child.pid });
  const listening = Promise.withResolvers<string | null>();
  const printed: string[] = [];
  const take = (line: string) => {
    printed.push(line);
    const origin = LISTENING.exec(line)?.[1];
    if (origin !== undefined) listening.resolve(origin);
  };
  const ended = Promise.all([child.status, eachLine(child.stdout, take), eachLine(child.stderr, take)])
    .then(() => listening.resolve(null));
  const stop = async () => {
    signalIfAlive(child, "SIGKILL");
    await ended;
    await guarded.release();
  };
  const origin = await within(listening.promise, BOOT_TIMEOUT_MS, () => "no answer").catch(() => null);
  if (origin !== null) {
    const graph = () =>
      run(deno, ["info", "--json", "--no-lock", ...map, metadata.entrypoint_path], {
        ...place,
        env: own,
      });
    const cache = () => run(deno, ["info", "--json"], { ...place, env: own });
    return { origin, stop, packages: async () => await packageSizes(await graph(), await cache()) };
  }
  await stop();
  throw new Error(
    `The uploaded function "${slug}" does not boot: ${printed.join("\n") || "it said nothing"}`,
  );
}

let found: Promise<string> | undefined;

/** The program itself: a signal to npx would not reach it. */
function hostedDeno(): Promise<string> {
  const script = "console.log(Deno.execPath())";
  return found ??= run("npx", ["-y", `deno@${HOSTED_DENO}`, "eval", script], { cwd: "/" })
    .then((output) => output.trim());
}

function denoVariables(): Record<string, string> {
  const all = Object.entries(Deno.env.toObject());
  return Object.fromEntries(all.filter(([name]) => DENO_VARIABLES.includes(name)));
}
