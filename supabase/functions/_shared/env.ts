import { isLoopback } from "./oauth/http.ts";
import { PublicError } from "./errors.ts";
import { type Trusted, UUID } from "./http/caller.ts";
import { Keyring } from "./keep/seal.ts";

/** Everything an operator sets, checked. */
export interface Settings {
  readonly keyring: Keyring;
  /** The only origins a browser is sent to; the first is the default. */
  readonly app_origins: readonly string[];
  /** Without a slash at its end; `/{provider}` makes it a redirect URI. */
  readonly callback_url: string;
  /** By provider name. */
  readonly providers: ReadonlyMap<string, ProviderSettings>;
}

export interface ProviderSettings {
  readonly client_id: string;
  readonly client_secret: string;
  /** For a sandbox: takes the place of the origin of the provider's endpoints. */
  readonly oauth_origin?: string;
  /** For a sandbox: allowed beside the provider's own. */
  readonly api_origins: readonly string[];
}

/** Reads one variable. */
export type Get = (name: string) => string | undefined;

export const fromEnvironment: Get = (name) => Deno.env.get(name);

/**
 * Reads and checks every setting. A provider's own begin with its name in capitals.
 *
 * @throws {PublicError} `CONFIGURATION_INVALID` naming all that is missing or malformed at once, and never a value
 */
export async function readSettings(get: Get, provider_names: Iterable<string>): Promise<Settings> {
  const form = new Form(get);
  const settings = {
    keyring: await form.keyring("TOKEN_ENCRYPTION_KEYS"),
    app_origins: form.origins("APP_URL", { required: true }),
    callback_url: form.url("OAUTH_CALLBACK_URL"),
    providers: new Map(
      Array.from(provider_names, (name) => [name, form.provider(name)] as const),
    ),
  };
  form.ids(OAUTH_CLIENT_IDS);
  const { keyring } = settings;
  if (keyring === undefined || form.problems.length > 0) {
    throw new PublicError("CONFIGURATION_INVALID", form.problems.join("; "));
  }
  return { ...settings, keyring };
}

const OAUTH_CLIENT_IDS = "ALLOWED_OAUTH_CLIENT_IDS";

/**
 * Whose tokens are let in, which is asked before there need be other settings. A malformed list lets nobody
 * in, and `readSettings` says so.
 */
export function readTrusted(get: Get): Trusted {
  return { issuers: ownIssuers(get), oauth_client_ids: new Form(get).ids(OAUTH_CLIENT_IDS) };
}

/**
 * Auth names itself by the project's address, and behind a domain of the operator's own perhaps by that one, which the
 * callback then has. Elsewhere than on the platform `SUPABASE_URL` may be an address that no token names, such as
 * `http://kong:8000`.
 */
function ownIssuers(get: Get): readonly string[] | undefined {
  const [project, callback] = ["SUPABASE_URL", "OAUTH_CALLBACK_URL"].map((name) => safeUrl(get(name) ?? ""));
  if (!project?.hostname.endsWith(".supabase.co")) return undefined;
  return [project, callback ?? project].map(({ origin }) => `${origin}/auth/v1`);
}

/** Goes through the variables and collects what is wrong, so that nobody has to mend one after the other. */
class Form {
  readonly problems: string[] = [];
  readonly #get: Get;

  constructor(get: Get) {
    this.#get = get;
  }

  async keyring(name: string): Promise<Keyring | undefined> {
    const value = this.#required(name);
    if (value === undefined) return undefined;
    try {
      return await Keyring.parse(value);
    } catch (error) {
      if (!(error instanceof PublicError)) throw error;
      this.problems.push(error.message);
    }
  }

  provider(name: string): ProviderSettings {
    const prefix = name.toUpperCase().replaceAll("-", "_");
    return {
      client_id: this.#word(`${prefix}_CLIENT_ID`),
      client_secret: this.#word(`${prefix}_CLIENT_SECRET`),
      oauth_origin: this.origins(`${prefix}_OAUTH_ORIGIN`, { most: 1 })[0],
      api_origins: this.origins(`${prefix}_API_ORIGINS`),
    };
  }

  /** A comma list of origins. */
  origins(name: string, { required = false, most = Infinity } = {}): string[] {
    const value = required ? this.#required(name) : this.#optional(name);
    if (value === undefined) return [];
    const urls = value.split(",").map((entry) => safeUrl(entry.trim()));
    if (urls.length > most || urls.some((url) => url === null || url.pathname !== "/")) {
      this.problems.push(`${name} is not ${most === 1 ? "an origin" : "a comma list of origins"} ${ALLOWED}`);
    }
    return urls.flatMap((url) => url ? [url.origin] : []);
  }

  /** A comma list of UUIDs. */
  ids(name: string): string[] {
    const ids = this.#optional(name)?.toLowerCase().split(",").map((id) => id.trim()) ?? [];
    if (ids.every((id) => UUID.test(id))) return ids;
    this.problems.push(`${name} is not a comma list of UUIDs`);
    return [];
  }

  url(name: string): string {
    const value = this.#required(name);
    const url = value === undefined ? undefined : safeUrl(value);
    if (url === null) this.problems.push(`${name} is not a URL ${ALLOWED}`);
    return url ? url.origin + url.pathname.replace(/\/+$/, "") : "";
  }

  /** A client identifier or secret is printable ASCII (RFC 6749, appendices A.1 and A.2). */
  #word(name: string): string {
    const value = this.#required(name) ?? "";
    if (!/^[\x20-\x7e]*$/.test(value)) this.problems.push(`${name} is not printable ASCII`);
    return value;
  }

  #required(name: string): string | undefined {
    const value = this.#optional(name);
    if (value === undefined) this.problems.push(`${name} is not set`);
    return value;
  }

  #optional(name: string): string | undefined {
    return this.#get(name)?.trim() || undefined;
  }
}

const ALLOWED = "with https, or http for this machine, and without user, query or fragment";

function safeUrl(value: string): URL | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  const safe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url));
  if (!url || !safe) return null;
  const bare = url.username === "" && url.password === "" && !/[?#]/.test(value);
  return bare ? url : null;
}
