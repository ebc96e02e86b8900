import { fileURLToPath } from "node:url";
import { exists, within } from "./process.ts";
import { type Instance, startInstance } from "./function_instance.ts";

const FOLDER = new URL("../../supabase/functions/", import.meta.url);

/** How soon the end of a process is noticed, after it broke off an answer. */
const NOTICE_MS = 500;

export interface FunctionsOptions {
  /** The whole environment of the functions, but for what Deno itself needs. */
  env: Record<string, string>;
  /** How many processes serve a function in turn; 1 unless told otherwise. */
  instances?: Record<string, number>;
  folder?: URL;
  /** Takes what the functions print. */
  log?: (line: string) => void;
}

export interface Functions {
  readonly names: readonly string[];
  /** Passes the request to the next instance, which sees `path` (with its query) in place of the URL's own. */
  fetch(name: string, path: string, request: Request): Promise<Response>;
  stop(): Promise<void>;
}

/** Runs every function as the hosted runtime would: processes that share nothing, and know only their environment. */
export async function startFunctions(options: FunctionsOptions): Promise<Functions> {
  const folder = options.folder ?? FOLDER;
  const names = await functionNames(folder);
  const log = options.log ?? (() => {});
  const pools = new Map(names.map((name) => {
    const entrypoint = fileURLToPath(new URL(`${name}/index.ts`, folder));
    const start = () => startInstance({ name, entrypoint, env: options.env, log });
    return [name, new Pool(start, options.instances?.[name] ?? 1)];
  }));
  const all = (act: (pool: Pool) => Promise<void>) => Promise.all([...pools.values()].map(act));
  try {
    await all((one) => one.start());
  } catch (error) {
    await all((one) => one.stop());
    throw error;
  }
  return {
    names,
    fetch: (name, path, request) => {
      const pool = pools.get(name);
      if (pool === undefined) throw new Error(`There is no function "${name}"`);
      return forward(pool, path, request, log);
    },
    stop: async () => void await all((one) => one.stop()),
  };
}

/** Folders with an `index.ts`; a leading underscore is never deployed. */
async function functionNames(folder: URL): Promise<string[]> {
  const names: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    const entrypoint = new URL(`${entry.name}/index.ts`, folder);
    if (entry.isDirectory && !entry.name.startsWith("_") && await exists(fileURLToPath(entrypoint))) {
      names.push(entry.name);
    }
  }
  return names.sort();
}

/** The processes of one function. */
class Pool {
  #instances: Promise<Instance>[] = [];
  #turn = 0;
  #stopped = false;

  constructor(private readonly spawn: () => Promise<Instance>, private readonly size: number) {}

  async start(): Promise<void> {
    this.#instances = Array.from({ length: this.size }, (_, place) => this.#started(place));
    await Promise.all(this.#instances);
  }

  /** Waits for one that is just starting, as a cold start would. */
  async next(): Promise<Instance | null> {
    const started = this.#instances[this.#turn++ % this.size];
    return await started?.catch(() => null) ?? null;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#instances.map((one) => one.then(({ kill }) => kill("SIGTERM"), () => {})));
  }

  /** A process that ends by itself is replaced when it had been serving; one that never did would only do it again. */
  async #started(place: number): Promise<Instance> {
    const instance = await this.spawn();
    instance.ended.then((byItself) => {
      if (byItself && !this.#stopped) this.#instances[place] = this.#started(place);
      this.#instances[place]?.catch(() => {});
    });
    return instance;
  }
}

/** One of the platform's own errors (https://supabase.com/docs/guides/functions/error-codes). */
export function failure(status: number, code: string, message: string): Response {
  return Response.json({ code, message }, { status, headers: { "sb-error-code": code } });
}

/** Nobody reads it: the caller hung up first. */
const HUNG_UP = 499;

/** Hangs up on the function when the caller does, as the platform does; what runs behind its answer goes on. */
async function forward(
  pool: Pool,
  path: string,
  request: Request,
  log: (line: string) => void,
): Promise<Response> {
  const instance = await pool.next();
  if (instance === null) return failure(503, "BOOT_ERROR", "Function failed to start (please check logs)");
  const { method, body, signal } = request;
  const headers = new Headers(request.headers);
  headers.set("accept-encoding", "identity");
  try {
    return await instance.fetch(path, { method, headers, body, redirect: "manual", signal });
  } catch (error) {
    if (signal.aborted) return new Response(null, { status: HUNG_UP });
    log(`${path.split("?")[0]}: ${error instanceof Error ? error.message : error}`);
    // If the process died, its successor is in place before the caller can ask again.
    await within(instance.ended, NOTICE_MS, () => "it lives").catch(() => {});
    return failure(500, "WORKER_ERROR", "Function exited due to an error (please check logs)");
  }
}
