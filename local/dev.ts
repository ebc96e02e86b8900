import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { providers } from "../supabase/functions/_shared/providers/mod.ts";
import { launchersEnded } from "./stack/launchers.ts";
import { MigrationError } from "./stack/migrations.ts";
import { type Stack, type StackOptions, startStack } from "./stack/stack.ts";

const DEFAULT_PORT = 54321;
const DEFAULT_DIR = fileURLToPath(new URL("../.local/", import.meta.url)).replace(/\/$/, "");

const USAGE = `deno task dev [--app-url ORIGIN] [--port N] [--dir FOLDER] [--fresh]

  --app-url ORIGIN  where your own application runs, http://localhost:5173 for one: it may connect, too
  --port N          the API's port, ${DEFAULT_PORT} unless given; the others take the next free ones; 0: any free ports
  --dir FOLDER      where data, keys, grants and logs are kept, .local unless given
  --fresh           begins with an empty database, new keys, and a sandbox where nobody has installed anything

A provider's settings in the environment, ZENDESK_CLIENT_ID and the like, go to the functions. Pipedrive is a
sandbox, and its settings count for nothing, unless PIPEDRIVE_OAUTH_ORIGIN names an authorization server.`;

/** What the settings of a provider begin with. */
const PREFIXES = [...providers.keys()].map((name) => `${name.toUpperCase().replaceAll("-", "_")}_`);

/** What was asked for, or the sentence that says what is wrong with it. */
function readArguments(args: string[]): StackOptions | { wrong: string } | "help" {
  try {
    const { values } = parseArgs({
      args,
      options: {
        "app-url": { type: "string" },
        port: { type: "string" },
        dir: { type: "string" },
        fresh: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    });
    if (values.help) return "help";
    const port = values.port ?? String(DEFAULT_PORT);
    if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
      return { wrong: `--port is a number from 0 to 65535, not "${port}"` };
    }
    const app_url = values["app-url"]?.replace(/\/$/, "");
    if (app_url !== undefined && !isOrigin(app_url)) {
      return { wrong: `--app-url is an origin like http://localhost:5173, not "${app_url}"` };
    }
    if (values.dir === "") return { wrong: "--dir names a folder, and is empty" };
    return {
      app_url,
      port: Number(port),
      dir: values.dir === undefined ? DEFAULT_DIR : resolve(values.dir),
      fresh: values.fresh,
    };
  } catch (error) {
    return { wrong: error instanceof Error ? error.message : String(error) };
  }
}

function isOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}

/** From this program's environment. The sandbox knows its own client alone. */
function settingsTakenOver(): Record<string, string> {
  const sandbox = !Deno.env.get("PIPEDRIVE_OAUTH_ORIGIN");
  const prefixes = PREFIXES.filter((prefix) => prefix !== "PIPEDRIVE_" || !sandbox);
  const isTaken = (name: string) =>
    name === "ALLOWED_OAUTH_CLIENT_IDS" || prefixes.some((prefix) => name.startsWith(prefix));
  const settings = Object.entries(Deno.env.toObject());
  return Object.fromEntries(settings.filter(([name, value]) => isTaken(name) && value !== ""));
}

function board(stack: Stack, { dir = "", app_url }: StackOptions, seconds: string): string {
  const provider = stack.control ? "Pipedrive sandbox" : "Pipedrive (yours)";
  const lines: [string, string][] = [
    ...(app_url ? [["Your application", app_url] satisfies [string, string]] : []),
    ["Page", stack.app_url],
    ["API", stack.api_url],
    ["Functions", stack.functions_url],
    [provider, stack.provider_url],
    ["Client id", stack.client.id],
    ...(stack.control ? [["Client secret", stack.client.secret] satisfies [string, string]] : []),
    ["Database", stack.database_url],
    ["Publishable key", stack.publishable_key],
    ["Secret key", stack.secret_key],
    ["Data and logs", dir],
  ];
  return [
    `\nReady after ${seconds} s.\n`,
    ...lines.map(([name, value]) => `  ${name.padEnd(18)}  ${value}`),
    `\nTo begin: open ${stack.app_url}, sign up with any e-mail address (demo@example.com) and a password,`,
    "connect Pipedrive, and search for persons. Ctrl-C stops everything; the data stay.\n",
  ].join("\n");
}

/** Ctrl-C reaches this program from the terminal and once more from `deno task`: that is one wish, not two. */
const SAME_WISH_MS = 1_000;

/** Resolves at the first signal to stop. A later one ends this program at once; nothing is left running then either. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked_at: number | undefined;
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      Deno.addSignalListener(signal, () => {
        asked_at ??= performance.now();
        if (performance.now() - asked_at > SAME_WISH_MS) Deno.exit(130);
        resolve();
      });
    }
  });
}

async function main(): Promise<number> {
  const options = readArguments(Deno.args);
  if (options === "help" || "wrong" in options) {
    if (options === "help") console.log(USAGE);
    else console.error(`${options.wrong}\n\n${USAGE}`);
    return options === "help" ? 0 : 2;
  }
  const stopping = stopSignal();
  const began = performance.now();
  const onProgress = (line: string) => console.log(`${line} …`);
  try {
    const stack = await startStack({ ...options, env: settingsTakenOver(), onProgress });
    console.log(board(stack, options, ((performance.now() - began) / 1000).toFixed(1)));
    await Promise.race([stopping, launchersEnded()]);
    console.log("Stopping …");
    await stack.stop();
    return 0;
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    if (error instanceof MigrationError) {
      console.error("If migrations were rewritten since these data were made, --fresh begins without them.");
    }
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main());
