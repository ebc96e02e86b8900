/**
 * Applications as they are begun today, in a folder of their own: made and installed by npm, and from then on offline.
 * The client and the blocks of docs/front-end.md are copied in as the page says.
 */
import { join } from "node:path";
import { freePort, within } from "../../local/stack/process.ts";
import { codeBlocks, ROOT } from "../support/pages.ts";

/** What the templates leave open is what it was by then. */
const AS_OF = "2026-11-26";
/** Strips types, and is what supabase-js wants; the one on this machine may be older. */
const NODE = "node@22.23.3";
export const SUPABASE_JS = "@supabase/supabase-js@2.119.1";

/** Nobody is asked any more: not by npm, not by a proxy, not with figures. */
const OFFLINE = {
  npm_config_offline: "true",
  HTTPS_PROXY: "http://127.0.0.1:9",
  HTTP_PROXY: "http://127.0.0.1:9",
  NO_PROXY: "127.0.0.1,localhost",
  NODE_USE_ENV_PROXY: "1",
  NODE_NO_WARNINGS: "1",
  NEXT_TELEMETRY_DISABLED: "1",
};
const START_MS = 60_000;

export class FreshApp {
  readonly origin: string;
  #env: Record<string, string> = { NO_COLOR: "1", CI: "true", npm_config_update_notifier: "false" };

  private constructor(private readonly root: string, private readonly port: number) {
    this.origin = `http://127.0.0.1:${port}`;
  }

  /** @param begin the command that makes it in the folder `app`, of a package with its version */
  static async within(
    begin: string[],
    packages: string[],
    work: (app: FreshApp) => Promise<void>,
  ): Promise<void> {
    const app = new FreshApp(await Deno.makeTempDir({ prefix: "fresh-app-" }), await freePort() ?? 0);
    try {
      const install = ["install", "--no-audit", "--no-fund", `--before=${AS_OF}`];
      await app.run("npm", [...install, "--prefix", join(app.root, "node"), NODE], app.root);
      app.#env.PATH = `${join(app.root, "node/node_modules/node/bin")}:${Deno.env.get("PATH")}`;
      await app.run("npx", ["--yes", ...begin], app.root);
      await app.run("npm", [...install, ...packages]);
      Object.assign(app.#env, OFFLINE);
      await work(app);
    } finally {
      await Deno.remove(app.root, { recursive: true });
    }
  }

  /** The client, the hook, the card, and the blocks of the page that name a file. */
  async copyClient(folder: string): Promise<void> {
    for (const path of ["typescript/pipedrive.ts", "react/usePipedrive.ts", "react/PipedriveCard.tsx"]) {
      const text = await Deno.readTextFile(new URL(`examples/${path}`, ROOT));
      await this.write(join(folder, path.split("/")[1] ?? ""), text);
    }
    const [component = ""] = await codeBlocks("front-end.md", "tsx");
    await this.write(join(folder, "Pipedrive.tsx"), component);
  }

  /** What the page shows under `// {path}`. */
  async copyBlock(path: string): Promise<void> {
    const block = (await codeBlocks("front-end.md", "tsx")).find((text) => text.startsWith(`// ${path}\n`));
    if (block === undefined) throw new Error(`front-end.md shows no ${path}`);
    await this.write(path, block);
  }

  async write(path: string, text: string): Promise<void> {
    const place = join(this.root, "app", path);
    await Deno.mkdir(join(place, ".."), { recursive: true });
    await Deno.writeTextFile(place, text);
  }

  set env(more: Record<string, string>) {
    Object.assign(this.#env, more);
  }

  /** @throws with everything it said, where it fails */
  async run(command: string, args: string[], cwd = join(this.root, "app")): Promise<string> {
    const child = new Deno.Command(command, { args, cwd, env: this.#env, stdin: "null" });
    const { success, stdout, stderr } = await child.output();
    const [said, besides] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    if (!success) throw new Error(`${command} ${args.join(" ")}\n${said}${besides}`);
    return said ?? "";
  }

  /** Serves it at `origin` while `work` goes on: `entry` is the script that node runs. */
  async serve(entry: string, args: string[], work: () => Promise<void>): Promise<void> {
    const given = [join("node_modules", entry), ...args, "--port", String(this.port)];
    const child = new Deno.Command("node", {
      args: given,
      cwd: join(this.root, "app"),
      env: this.#env,
      stdin: "null",
      stdout: "null",
      stderr: "inherit",
    }).spawn();
    try {
      await within(this.#answers(), START_MS, () => `${entry} does not answer at ${this.origin}`);
      await work();
    } finally {
      child.kill("SIGTERM");
      await child.status;
    }
  }

  async #answers(): Promise<void> {
    const asked = () =>
      fetch(this.origin).then((answer) => answer.body?.cancel().then(() => true), () => false);
    while (!await asked()) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A sign-in of the application's own, which the page leaves to it. */
export const SIGN_IN = `import type { SupabaseClient } from "@supabase/supabase-js";

export function SignIn({ supabase, onDone }: { supabase: SupabaseClient; onDone?: () => void }) {
  const signUp = async (form: FormData) => {
    const { error } = await supabase.auth.signUp({ email: String(form.get("email")), password: "a-long-password" });
    if (error) throw error;
    onDone?.();
  };
  return (
    <main>
      <h1>Sign up</h1>
      <form action={signUp}>
        <input name="email" type="email" aria-label="E-mail" required />
        <button>Sign up</button>
      </form>
    </main>
  );
}
`;
