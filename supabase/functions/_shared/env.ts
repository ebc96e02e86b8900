import { wildcardProblems } from "./app_origins.ts";
import { isLoopback } from "./oauth/http.ts";
import { PublicError } from "./errors.ts";
import { type Trusted, UUID } from "./http/caller.ts";
import { Keyring } from "./keep/seal.ts";
import type { Provider } from "./oauth/provider.ts";
import { judge } from "./oauth/values.ts";

/** Everything an operator sets, checked. */
export interface Settings {
  readonly keyring: Keyring;
  /** The only origins a browser is sent to, see `isListed`; the first is the default. */
  readonly app_origins: readonly string[];
  /** Without a slash at its end; `/{provider}` makes it a redirect URI. */
  readonly callback_url: string;
  /** Those that are offered, by name: what is set of the others is nothing at all, or wrong. */
  readonly providers: ReadonlyMap<string, ProviderSettings>;
  /** Of providers whose settings are begun: what is wrong with them. */
  readonly faults: ReadonlyMap<string, string>;
}

export interface ProviderSettings {
  readonly client_id: string;
  /** Empty for a public client. */
  readonly client_secret: string;
  /** The application's own. */
  readonly scopes: readonly string[];
  /** Of the deployment, by name. */
  readonly values: Readonly<Record<string, string>>;
  /** Allowed beside the definition's. */
  readonly hosts: readonly string[];
  /** For a sandbox: takes the place of the origin of the provider's endpoints. */
  readonly oauth_origin?: string;
  /** For a sandbox: allowed beside the provider's own. */
  readonly api_origins: readonly string[];
}

/** Reads one variable. */
export type Get = (name: string) => string | undefined;

export const fromEnvironment: Get = (name) => Deno.env.get(name);

/** What the names of a provider's settings begin with. */
export function prefixOf(provider_name: string): string {
  return provider_name.toUpperCase().replaceAll("-", "_");
}

/** Whether somebody has begun to set a provider up. */
export function isBegun(get: Get, provider_name: string): boolean {
  const prefix = prefixOf(provider_name);
  return ["CLIENT_ID", "CLIENT_SECRET"].some((name) => get(`${prefix}_${name}`)?.trim());
}

/**
 * Reads and checks every setting. A provider's own begin with its name in capitals; one without any is not offered, and
 * one that is set by half stops nobody else.
 *
 * @throws {PublicError} `CONFIGURATION_INVALID` naming all that is missing or malformed at once, and never a value
 */
export async function readSettings(get: Get, providers: Iterable<Provider>): Promise<Settings> {
  const form = new Form(get);
  const settings = {
    keyring: await form.keyring("TOKEN_ENCRYPTION_KEYS"),
    app_origins: form.origins("APP_URL", { required: true, wildcards: true }),
    callback_url: form.url("OAUTH_CALLBACK_URL"),
  };
  form.ids(OAUTH_CLIENT_IDS);
  form.problems.push(
    ...(await wildcardProblems(settings.app_origins)).map((problem) => `APP_URL ${problem}`),
  );
  const { keyring } = settings;
  if (keyring === undefined || form.problems.length > 0) throw invalid(form.problems);
  return { ...settings, keyring, ...readProviders(get, providers) };
}

function readProviders(get: Get, providers: Iterable<Provider>): Pick<Settings, "providers" | "faults"> {
  const [offered, faults] = [new Map<string, ProviderSettings>(), new Map<string, string>()];
  for (const provider of providers) {
    const form = new Form(get);
    const settings = form.provider(provider);
    if (settings && form.problems.length === 0) offered.set(provider.name, settings);
    else if (settings) faults.set(provider.name, form.problems.join("; "));
  }
  return { providers: offered, faults };
}

function invalid(problems: readonly string[]): PublicError {
  return new PublicError("CONFIGURATION_INVALID", problems.join("; "));
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

  /** Undefined: nothing of it is set. */
  provider({ name, token_endpoint_auth_method, values }: Provider): ProviderSettings | undefined {
    const prefix = prefixOf(name);
    const deployed = Object.entries(values).filter(([, { from }]) => from === "deployment");
    const variable = (value: string) => `${prefix}_${value.toUpperCase()}`;
    if (!isBegun(this.#get, name)) return undefined;
    const given = deployed.flatMap(([value, { default: fallback }]) => {
      const read = fallback === undefined ? this.#required(variable(value)) : this.#optional(variable(value));
      return read === undefined ? [] : [[value, read] as const];
    });
    const api_origins = this.origins(`${prefix}_API_ORIGINS`);
    const whole = deployed.filter(([, { kind }]) => kind === "host" || kind === "origin").map(([value]) =>
      value
    );
    const chosen = given.filter(([value]) => whole.includes(value)).map(([, read]) => hostOf(read));
    const hosts = [...this.hosts(`${prefix}_HOSTS`), ...chosen];
    for (const [value, read] of given) {
      const { [value]: kind } = values;
      if (kind && judge({ api_origins, hosts }, kind, read) === null) {
        this.problems.push(`${variable(value)} is not allowed as ${kind.kind}`);
      }
    }
    return {
      client_id: this.#word(`${prefix}_CLIENT_ID`),
      client_secret: token_endpoint_auth_method === "none" ? "" : this.#word(`${prefix}_CLIENT_SECRET`),
      scopes: this.#optional(`${prefix}_SCOPES`)?.split(/[\s,]+/).filter((scope) => scope !== "") ?? [],
      values: Object.fromEntries(given),
      hosts,
      oauth_origin: this.origins(`${prefix}_OAUTH_ORIGIN`, { most: 1 })[0],
      api_origins,
    };
  }

  /** A comma list of hosts. */
  hosts(name: string): string[] {
    const hosts = this.#optional(name)?.split(",").map((host) => host.trim()) ?? [];
    const kind = { kind: "host", from: "deployment" } as const;
    const wrong = hosts.some((host) => judge({ api_origins: [], hosts }, kind, host) !== host);
    if (wrong) this.problems.push(`${name} is not a comma list of hosts`);
    return wrong ? [] : hosts;
  }

  /** A comma list of origins. */
  origins(name: string, { required = false, most = Infinity, wildcards = false } = {}): string[] {
    const value = required ? this.#required(name) : this.#optional(name);
    if (value === undefined) return [];
    const urls = value.split(",").map((entry) => safeUrl(entry.trim()));
    const whole = (url: URL | null) => url?.pathname === "/" && (wildcards || !url.hostname.includes("*"));
    if (urls.length > most || !urls.every(whole)) {
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

/** Of a host or an origin; whatever else it is, its kind refuses. */
function hostOf(value: string): string {
  return value.replace(/^https:\/\//, "");
}

function safeUrl(value: string): URL | null {
  const url = URL.canParse(value) ? new URL(value) : null;
  const safe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url));
  if (!url || !safe) return null;
  const bare = url.username === "" && url.password === "" && !/[?#]/.test(value);
  return bare ? url : null;
}
