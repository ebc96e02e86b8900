import { bootstrap } from "./bootstrap.ts";
import { Folder } from "./folder.ts";
import { startFunctions } from "./functions.ts";
import { createGateway } from "./gateway.ts";
import { proveGrants } from "./grants.ts";
import { keepKeys, type Keys } from "./keys.ts";
import { applyMigrations } from "./migrations.ts";
import { createPage, type PageOptions } from "./page.ts";
import { createPageTools } from "./page_tools.ts";
import { Ports } from "./ports.ts";
import { type Postgres, startPostgres } from "./postgres.ts";
import { externalProvider, type Provider, startSandbox } from "./provider.ts";
import { openRest, type Rest } from "./rest.ts";
import type { SandboxControl } from "../sandbox/mod.ts";
import { serve, type Served } from "./serve.ts";
import { Undo } from "./undo.ts";
import { UserTokens } from "./user_tokens.ts";

export interface StackOptions {
  /** Keeps data and keys between runs. Without it the stack keeps nothing. */
  dir?: string;
  /** The gateway's port; the other servers take the next free ones. 0, and left out: any free ports. */
  port?: number;
  /** Drops what `dir` keeps, first. */
  fresh?: boolean;
  /** More settings for the functions; they win over the stack's own. */
  env?: Record<string, string>;
  /** How many processes serve each function in turn, for all or by name. 1. */
  instances?: number | Record<string, number>;
  /** "external": the authorization server that `env` names in PIPEDRIVE_OAUTH_ORIGIN. "sandbox" by default. */
  provider?: "sandbox" | "external";
  /** Told of each step as it begins. */
  onProgress?: (line: string) => void;
  /** Takes a copy of what goes to the log files. */
  onLog?: (line: string) => void;
}

/** What `stack.json` says, too. */
export interface StackAddresses {
  readonly api_url: string;
  readonly functions_url: string;
  readonly app_url: string;
  readonly provider_url: string;
  readonly database_url: string;
  readonly publishable_key: string;
  readonly secret_key: string;
}

export interface Stack extends StackAddresses {
  /** Moves the sandbox; null where the provider is another. */
  readonly control: SandboxControl | null;
  /** Replaces a function's processes, as a deployment does: requests under way are finished by the old ones. */
  restartFunction(name: string): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the whole project on this machine and resolves when it is ready to be used.
 *
 * When a part does not start, those that did are stopped before the error rises.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const undo = new Undo();
  try {
    return await new Builder(options, undo).build();
  } catch (error) {
    await undo.run();
    throw error;
  }
}

type Log = (line: string) => void;
type Handler = (request: Request) => Promise<Response> | Response;

class Builder {
  readonly #options: StackOptions;
  readonly #undo: Undo;
  readonly #ports: Ports;

  constructor(options: StackOptions, undo: Undo) {
    this.#options = options;
    this.#undo = undo;
    this.#ports = new Ports(options.port ?? 0);
  }

  async build(): Promise<Stack> {
    const folder = await Folder.open(this.#options.dir, this.#options.fresh ?? false, this.#undo);
    const keys = await keepKeys(folder.at("keys.json"));
    let gateway: Handler = () => Response.json({ message: "The stack is starting" }, { status: 503 });
    const api = this.#serve(await this.#ports.exact(), (request) => gateway(request));
    const functions_url = `${api.origin}/functions/v1`;
    const { publishable_key } = keys;
    const site: PageOptions = { config: { api_url: api.origin, publishable_key } };
    const page = this.#serve(await this.#ports.next(), createPage(site));
    const provider = await this.#startProvider(`${functions_url}/oauth-callback/pipedrive`);
    if (provider.control) site.config.sandbox_url = provider.origin;
    const env = { ...functionsEnv(keys, api.origin, page.origin), ...provider.env, ...this.#options.env };
    const [database, functions] = await all([
      this.#startDatabase(folder, keys),
      this.#startFunctions(folder, env),
    ]);
    gateway = createGateway({ keys, rest: database.rest, functions, origin: api.origin });
    site.tools = createPageTools({ functions_url, publishable_key, database_url: database.url });
    await proveGrants(database.url, () => askAsEveryone(gateway, api.origin, keys));

    const addresses: StackAddresses = {
      api_url: api.origin,
      functions_url,
      app_url: page.origin,
      provider_url: provider.origin,
      database_url: database.url,
      publishable_key: keys.publishable_key,
      secret_key: keys.secret_key,
    };
    await folder.announce(addresses);
    this.#undo.add(() => folder.retract());
    return {
      ...addresses,
      control: provider.control,
      restartFunction: (name) => functions.restart(name),
      stop: () => this.#undo.run(),
    };
  }

  #progress(line: string): void {
    this.#options.onProgress?.(line);
  }

  #log(folder: Folder, name: string): Log {
    const write = folder.log(`${name}.log`);
    return (line) => {
      write(line);
      this.#options.onLog?.(`${name}: ${line}`);
    };
  }

  #serve(port: number, handler: Handler): Served {
    const served = serve(port, handler);
    this.#undo.add(() => served.stop());
    return served;
  }

  async #startProvider(redirect_uri: string): Promise<Provider> {
    const { provider: kind = "sandbox", env = {} } = this.#options;
    if (kind === "external") return externalProvider(env);
    this.#progress("Starting the Pipedrive sandbox");
    const provider = await startSandbox(await this.#ports.next(), redirect_uri);
    this.#undo.add(() => provider.stop());
    return provider;
  }

  async #startDatabase(folder: Folder, keys: Keys): Promise<{ url: string; rest: Rest }> {
    this.#progress("Starting PostgreSQL");
    const { url } = await this.#startPostgres(folder);
    await bootstrap(url);
    this.#progress("Starting REST and Auth");
    const { publishable_key, secret_key, jwt_secret } = keys;
    const log = this.#log(folder, "rest");
    const rest = await openRest({ database_url: url, jwt_secret, publishable_key, secret_key, log });
    this.#undo.add(() => rest.close());
    const applied = await applyMigrations(url, {
      onApply: (file) => this.#progress(`Applying the migration ${file}`),
    });
    if (applied.length > 0) rest.forgetSchema();
    return { url, rest };
  }

  async #startPostgres(folder: Folder): Promise<Postgres> {
    const dir = this.#options.dir === undefined ? undefined : folder.at("postgres");
    const server = await startPostgres({
      dir,
      port: await this.#ports.next(),
      log: this.#log(folder, "postgres"),
    });
    this.#undo.add(() => server.stop());
    return server;
  }

  async #startFunctions(folder: Folder, env: Record<string, string>) {
    this.#progress("Starting the functions");
    const log = this.#log(folder, "functions");
    const functions = await startFunctions({ env, instances: this.#options.instances, log });
    this.#undo.add(() => functions.stop());
    return functions;
  }
}

/** What the platform gives a function, and our settings but for the provider's. */
function functionsEnv(keys: Keys, api_url: string, app_url: string): Record<string, string> {
  return {
    SUPABASE_URL: api_url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable_key }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret_key, cron: keys.cron_key }),
    SUPABASE_JWKS: JSON.stringify(new UserTokens(keys).jwks),
    TOKEN_ENCRYPTION_KEYS: keys.token_encryption_keys,
    APP_URL: app_url,
    OAUTH_CALLBACK_URL: `${api_url}/functions/v1/oauth-callback`,
  };
}

/** One request as each role, so that whatever happens at a first request has happened. */
async function askAsEveryone(gateway: Handler, api_url: string, keys: Keys): Promise<void> {
  const user = { sub: crypto.randomUUID(), role: "authenticated", aud: "authenticated" };
  const exp = Math.floor(Date.now() / 1000) + 60;
  const authorization = `Bearer ${await new UserTokens(keys).sign({ ...user, exp })}`;
  const callers: Record<string, string>[] = [
    { apikey: keys.publishable_key },
    { apikey: keys.publishable_key, authorization },
    { apikey: keys.secret_key },
  ];
  for (const headers of callers) {
    const request = new Request(`${api_url}/rest/v1/oauth_connections?select=id&limit=1`, { headers });
    await (await gateway(request)).body?.cancel();
  }
}

/** Waits for all even when one fails, so that nothing is still starting when the rest is stopped. */
async function all<A, B>(parts: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(parts);
  return await Promise.all(parts);
}
