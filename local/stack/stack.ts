import { bootstrap } from "./bootstrap.ts";
import { Folder } from "./folder.ts";
import { type Functions, startFunctions } from "./functions.ts";
import { createGateway } from "./gateway.ts";
import { keepKeys, type Keys } from "./keys.ts";
import { applyMigrations } from "./migrations.ts";
import { createPage, type PageOptions } from "./page.ts";
import { createPageTools, expireAccessTokens } from "./page_tools.ts";
import { Ports } from "./ports.ts";
import { startPostgres } from "./postgres.ts";
import { externalProvider, type Provider, startSandbox } from "./provider.ts";
import { openRest, type Rest } from "./rest.ts";
import type { SandboxControl } from "../sandbox/mod.ts";
import { serve, type Served } from "./serve.ts";
import { Undo } from "./undo.ts";
import { UserTokens } from "./user_tokens.ts";

export interface StackOptions {
  /** Keeps data, keys and the sandbox's grants between runs. Without it the stack keeps nothing. */
  dir?: string;
  /** The gateway's port; the other servers take the next free ones. 0, and left out: any free ports. */
  port?: number;
  /** Drops what `dir` keeps, first. */
  fresh?: boolean;
  /** The origin of an application of one's own, which may connect beside the page served here. */
  app_url?: string;
  /** More settings for the functions; they win over the stack's own. PIPEDRIVE_OAUTH_ORIGIN replaces the sandbox. */
  env?: Record<string, string>;
  /** How many processes serve a function in turn; 1 unless told otherwise. */
  instances?: Record<string, number>;
  /** The folder of the functions; the project's own unless told otherwise. */
  functions?: URL;
  /** Told of each step as it begins. */
  onProgress?: (line: string) => void;
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
  /** Our client at Pipedrive, or at the sandbox. */
  readonly client: { readonly id: string; readonly secret: string };
  /** Moves the sandbox; null where the provider is another. */
  readonly control: SandboxControl | null;
  stop(): Promise<void>;
}

/**
 * Starts the whole project on this machine and resolves when it is ready to be used.
 *
 * When a part does not start, those that did are stopped before the error rises.
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  return await Undo.around((undo) => new Builder(options, undo).build());
}

type Handler = (request: Request) => Promise<Response> | Response;

class Builder {
  readonly #ports: Ports;

  constructor(private readonly options: StackOptions, private readonly undo: Undo) {
    this.#ports = new Ports(options.port ?? 0);
  }

  async build(): Promise<Stack> {
    const { dir, fresh = false } = this.options;
    const folder = await Folder.open(dir, fresh, this.undo);
    const keys = await keepKeys(folder.at("keys.json"));
    const { publishable_key, secret_key } = keys;
    let gateway: Handler = () => Response.json({ message: "The stack is starting" }, { status: 503 });
    const api = this.#serve(await this.#ports.exact(), (request) => gateway(request));
    const functions_url = `${api.origin}/functions/v1`;
    const site: PageOptions = { config: { api_url: api.origin, publishable_key } };
    const page = this.#serve(await this.#ports.next(), createPage(site));
    const provider = await this.#startProvider(`${functions_url}/oauth-callback/pipedrive`, folder);
    if (provider.control) site.config.sandbox_url = provider.origin;
    await provider.control?.register({ installation_url: `${page.origin}/connect/pipedrive` });
    const app_urls = [this.options.app_url, page.origin].filter(Boolean).join(",");
    const env = { ...functionsEnv(keys, api.origin, app_urls), ...provider.env, ...this.options.env };
    folder.keep("functions.env", ownSettings(env));
    const [database, functions] = await all([
      this.#startDatabase(folder, keys),
      this.#startFunctions(folder, env),
    ]);
    // Whichever of the two was ready first: what functions do behind their answers ends before the database does.
    this.undo.add(() => functions.stop());
    // To the address that is stored no token may go any more; a refresh brings the new one.
    if (provider.moved) await expireAccessTokens(database.url, null);
    gateway = createGateway({ keys, rest: database.rest, functions, origin: api.origin });
    site.tools = createPageTools({ functions_url, publishable_key, database_url: database.url });

    const addresses: StackAddresses = {
      api_url: api.origin,
      functions_url,
      app_url: page.origin,
      provider_url: provider.origin,
      database_url: database.url,
      publishable_key,
      secret_key,
    };
    folder.announce(addresses);
    const client = { id: env.PIPEDRIVE_CLIENT_ID ?? "", secret: env.PIPEDRIVE_CLIENT_SECRET ?? "" };
    return { ...addresses, client, control: provider.control, stop: () => this.undo.run() };
  }

  #serve(port: number, handler: Handler): Served {
    const served = serve(port, handler);
    this.undo.add(() => served.stop());
    return served;
  }

  async #startProvider(redirect_uri: string, folder: Folder): Promise<Provider> {
    const { dir, env = {} } = this.options;
    if (env.PIPEDRIVE_OAUTH_ORIGIN) return externalProvider(env.PIPEDRIVE_OAUTH_ORIGIN);
    this.options.onProgress?.("Starting the Pipedrive sandbox");
    const file = dir === undefined ? undefined : folder.at("sandbox.json");
    const provider = await startSandbox(await this.#ports.next(), redirect_uri, file);
    this.undo.add(() => provider.stop());
    return provider;
  }

  async #startDatabase(folder: Folder, keys: Keys): Promise<{ url: string; rest: Rest }> {
    this.options.onProgress?.("Starting PostgreSQL");
    const dir = this.options.dir === undefined ? undefined : folder.at("postgres");
    const server = await startPostgres({ dir, port: await this.#ports.next(), log: folder.log("postgres") });
    this.undo.add(() => server.stop());
    await bootstrap(server.url);
    this.options.onProgress?.("Starting REST and Auth");
    const rest = await openRest({ ...keys, database_url: server.url, log: folder.log("rest") });
    this.undo.add(() => rest.close());
    const applied = await applyMigrations(server.url, {
      onApply: (file) => this.options.onProgress?.(`Applying the migration ${file}`),
    });
    if (applied.length > 0) rest.forgetSchema();
    return { url: server.url, rest };
  }

  async #startFunctions(folder: Folder, env: Record<string, string>): Promise<Functions> {
    this.options.onProgress?.("Starting the functions");
    const { functions: own, instances } = this.options;
    const functions = await startFunctions({ env, instances, folder: own, log: folder.log("functions") });
    this.undo.add(() => functions.stop());
    return functions;
  }
}

/** What `secrets set` would be given, as a file. */
function ownSettings(env: Record<string, string>): string {
  const own = Object.entries(env).filter(([name]) => !name.startsWith("SUPABASE_"));
  return own.map(([name, value]) => `${name}=${value}\n`).join("");
}

/** What the platform gives a function, and our settings but for the provider's. */
function functionsEnv(keys: Keys, api_url: string, app_urls: string): Record<string, string> {
  return {
    SUPABASE_URL: api_url,
    SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable_key }),
    SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret_key, cron: keys.cron_key }),
    SUPABASE_JWKS: JSON.stringify(new UserTokens(keys).jwks),
    TOKEN_ENCRYPTION_KEYS: keys.token_encryption_keys,
    APP_URL: app_urls,
    OAUTH_CALLBACK_URL: `${api_url}/functions/v1/oauth-callback`,
  };
}

/** Waits for all even when one fails, so that nothing is still starting when the rest is stopped. */
async function all<A, B>(parts: [Promise<A>, Promise<B>]): Promise<[A, B]> {
  await Promise.allSettled(parts);
  return await Promise.all(parts);
}
