import type { Keys } from "../../../local/stack/keys.ts";
import { Undo } from "../../../local/stack/undo.ts";
import { UserTokens } from "../../../local/stack/user_tokens.ts";
import { startChild } from "../../chaos/field/child.ts";
import type { Database } from "../../chaos/field/database.ts";
import { layGround } from "../../chaos/field/ground.ts";
import { type Connection, makeConnections } from "./connections.ts";
import { type FunctionProcess, layFunctions, startFunction } from "./function_process.ts";
import type { Answered, Load, Target } from "./load_process.ts";
import type { Counts, Delays, Granted } from "./provider_process.ts";
import type { Runtime } from "./runtimes.ts";

interface Place {
  readonly origin: string;
}

/** Longer than any run. */
const JWT_S = 12 * 60 * 60;
export const CLIENT = { client_id: "bench", client_secret: "known-on-this-machine-only" };

/**
 * Everything that is measured with, on this machine, each in a process of its own: PostgreSQL with its real settings,
 * the stand-in for REST, the provider, the callers. Functions are started as subjects ask for them.
 */
export class Field {
  readonly #undo: Undo;
  readonly #tokens: UserTokens;

  private constructor(
    undo: Undo,
    readonly folder: string,
    readonly keys: Keys,
    readonly database: Database,
    readonly rest_origin: string,
    readonly provider_origin: string,
    private readonly load_origin: string,
  ) {
    this.#undo = undo;
    this.#tokens = new UserTokens(keys);
  }

  static async start(): Promise<Field> {
    return await Undo.around((undo) => Field.#start(undo));
  }

  static async #start(undo: Undo): Promise<Field> {
    const { folder, keys, database } = await layGround(undo, "bench");
    const started = async (module: string, args: object = {}) => {
      const child = await startChild<Place>(new URL(module, import.meta.url), args);
      undo.add(() => child.stop());
      return child.ready.origin;
    };
    const database_url = database.url;
    const rest = await started("../../chaos/field/rest_process.ts", { database_url, keys });
    const provider = await started("./provider_process.ts");
    const load = await started("./load_process.ts");
    await layFunctions(folder);
    return new Field(undo, folder, keys, database, rest, provider, load);
  }

  /** Sets how long the provider waits. Its counts begin anew; those until now come back. */
  provider(delays: Partial<Delays> = {}): Promise<Counts> {
    return this.#control(delays).then(({ counts }) => counts);
  }

  grants(count: number): Promise<readonly Granted[]> {
    return this.#control({ grants: count }).then(({ granted }) => granted);
  }

  async #control(set: object): Promise<{ counts: Counts; granted: Granted[] }> {
    const body = JSON.stringify(set);
    return await (await fetch(`${this.provider_origin}/control`, { method: "POST", body })).json();
  }

  /** Has it asked by the callers, and throws unless every answer has this status. */
  async ask(load: Load, status = 200): Promise<Answered> {
    const answered = await this.askAny(load);
    const wrong = Object.keys(answered.statuses).filter((seen) => Number(seen) !== status);
    if (wrong.length > 0) throw new Error(`answered ${JSON.stringify(answered.statuses)}, not ${status}`);
    return answered;
  }

  async askAny(load: Load): Promise<Answered> {
    const response = await fetch(this.load_origin, { method: "POST", body: JSON.stringify(load) });
    if (!response.ok) throw new Error(`the callers broke off: ${await response.text()}`);
    return await response.json();
  }

  connections(count: number): Promise<Connection[]> {
    return makeConnections(this, count);
  }

  /** Starts a function, or a control. Whoever starts it stops it. */
  async function(name: string, runtime: Runtime): Promise<FunctionProcess> {
    return await startFunction(name, { runtime, folder: this.folder, env: await this.#env() });
  }

  /** As the platform issues it. */
  jwt(user_id: string): Promise<string> {
    const iat = Math.floor(Date.now() / 1_000);
    const who = { sub: user_id, role: "authenticated", aud: "authenticated" };
    return this.#tokens.sign({ ...who, iss: `${this.rest_origin}/auth/v1`, iat, exp: iat + JWT_S });
  }

  async #env(): Promise<Record<string, string>> {
    const { keys, provider_origin } = this;
    return {
      SUPABASE_URL: this.rest_origin,
      SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: keys.publishable_key }),
      SUPABASE_SECRET_KEYS: JSON.stringify({ default: keys.secret_key }),
      SUPABASE_JWKS: JSON.stringify(this.#tokens.jwks),
      TOKEN_ENCRYPTION_KEYS: keys.token_encryption_keys,
      APP_URL: "http://127.0.0.1",
      OAUTH_CALLBACK_URL: "http://127.0.0.1/functions/v1/oauth-callback",
      PIPEDRIVE_CLIENT_ID: CLIENT.client_id,
      PIPEDRIVE_CLIENT_SECRET: CLIENT.client_secret,
      PIPEDRIVE_OAUTH_ORIGIN: provider_origin,
      PIPEDRIVE_API_ORIGINS: provider_origin,
      CONTROL_ACCESS_TOKEN: (await this.grants(1))[0]?.access_token ?? "",
    };
  }

  /** A search by the caller to whom the headers belong. */
  search(origin: string, { id, headers }: Pick<Connection, "headers"> & { id?: string }, limit = 10): Target {
    const query = new URLSearchParams({
      term: "jane",
      limit: String(limit),
      ...(id && { connection_id: id }),
    });
    return { url: `${origin}/search-persons?${query}`, headers };
  }

  stop(): Promise<void> {
    return this.#undo.run();
  }
}
