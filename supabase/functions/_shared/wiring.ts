import { createAdminClient } from "@supabase/server/core";
import {
  fromEnvironment,
  isBegun,
  prefixOf,
  type ProviderSettings,
  readSettings,
  readTrusted,
  type Settings,
} from "./env.ts";
import type { Context } from "./context.ts";
import { PublicError } from "./errors.ts";
import { asPublicError } from "./http/errors.ts";
import { type LogFields, writeLine } from "./http/log.ts";
import type { Meter } from "./http/meter.ts";
import type { Edge } from "./http/serve.ts";
import { Memory } from "./keep/memory.ts";
import { type Store, supabaseStore } from "./keep/store.ts";
import type { Client } from "./oauth/client.ts";
import type { Provider } from "./oauth/provider.ts";
import { type Asked, asked } from "./providers/asked.ts";
import { load, providers } from "./providers/mod.ts";
import { systemClock } from "./time.ts";

/** What a handler is given to work with. */
export interface Wiring {
  /** @throws {PublicError} `UNKNOWN_PROVIDER`; `CONFIGURATION_INVALID` where it is set by half */
  context(provider_name: string): Context;
  readonly store: Store;
  /** The only origins a browser is sent to, see `isListed`; the first is the default. */
  readonly app_origins: readonly string[];
  /** Those whose settings are there. */
  readonly offered: readonly Asked[];
}

/** A test passes its own. */
export type Wire = (edge: Edge) => Promise<Wiring>;

/**
 * The real parts for one request.
 *
 * @throws {PublicError} `CONFIGURATION_INVALID`: on the request, where somebody reads it, and not as a crash at boot
 */
export const wire: Wire = async (edge) => {
  const deployment = await (reading ??= readAll(edge.log));
  const store = measuredStore(edge.meters.database, stored ??= storeOf());
  return {
    context: (provider_name) => contextOf(edge, deployment, store, provider_name),
    store,
    app_origins: deployment.app_origins,
    offered: [...deployment.definitions.values()].filter(({ name }) => deployment.providers.has(name)).map(
      asked,
    ),
  };
};

interface Deployment extends Settings {
  /** Of those whose settings are begun. */
  readonly definitions: ReadonlyMap<string, Provider>;
}

/** Says once an isolate who is offered, and what keeps the others. */
async function readAll({ request_id, function: name }: LogFields): Promise<Deployment> {
  const definitions = new Map<string, Provider>();
  const wrong = new Map<string, string>();
  for (const one of [...providers.keys()].filter((one) => isBegun(fromEnvironment, one))) {
    try {
      const provider = await load(one);
      if (provider) definitions.set(one, provider);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      wrong.set(one, error.message);
    }
  }
  const settings = await readSettings(fromEnvironment, definitions.values());
  const faults = new Map([...settings.faults, ...wrong]);
  const reason = [...faults].map(([name, fault]) => `${name}: ${fault}`).join("; ") || undefined;
  const offered = [...settings.providers.keys()].join(",");
  writeLine({ request_id, function: name, outcome: "ready", offered, reason });
  return { ...settings, faults, definitions };
}

/** Whose tokens `serve` lets in. */
export const trusted = readTrusted(fromEnvironment);

/** Per isolate, whose environment never changes. */
let reading: Promise<Deployment> | undefined;
let stored: Store | undefined;
const memories = new Map([...providers.keys()].map((name) => [name, new Memory()]));

/**
 * With a secret key of the platform's: it bypasses row level security, so every call names its owner.
 *
 * @throws {PublicError} `CONFIGURATION_INVALID`
 */
export function storeOf(makeClient = createAdminClient): Store {
  try {
    return supabaseStore(makeClient());
  } catch (error) {
    const message = error instanceof Error ? error.message : "no client of the database";
    throw new PublicError("CONFIGURATION_INVALID", message);
  }
}

function contextOf(
  { log, meters }: Edge,
  deployment: Deployment,
  store: Store,
  provider_name: string,
): Context {
  const provider = deployment.definitions.get(provider_name);
  const memory = memories.get(provider_name);
  const own = deployment.providers.get(provider_name);
  const fault = deployment.faults.get(provider_name);
  if (fault !== undefined) throw new PublicError("CONFIGURATION_INVALID", fault);
  if (!provider || !memory || !own) throw unknown(provider_name);
  log.provider = provider_name;
  return {
    client: clientOf(provider, own, deployment.callback_url),
    store,
    keyring: deployment.keyring,
    memory,
    fetch: measuredFetch(meters.provider),
    clock: systemClock,
    random: Math.random,
    waitUntil,
    report: reporter(log),
  };
}

function unknown(name: string): PublicError {
  if (!providers.has(name)) return new PublicError("UNKNOWN_PROVIDER", "there is no such provider");
  const message = `this deployment does not offer ${name}: ${prefixOf(name)}_CLIENT_ID is not set`;
  return new PublicError("UNKNOWN_PROVIDER", message);
}

/** The registration at a provider, or at the sandbox that stands in for it. */
export function clientOf(provider: Provider, settings: ProviderSettings, callback_url: string): Client {
  return {
    provider,
    ...settings,
    scopes: [...new Set([...provider.scopes, ...settings.scopes])],
    redirect_uri: `${callback_url}/${provider.name}`,
  };
}

/** `fetch` that is counted and timed. */
export function measuredFetch(meter: Meter, send: typeof fetch = sendOnce): typeof fetch {
  return (input, init) => meter.measure(() => send(input, init));
}

/** The store, each of whose methods is one call to the database: counted and timed. */
export function measuredStore(meter: Meter, store: Store): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return (...args: unknown[]) => meter.measure<unknown>(() => Reflect.apply(method, target, args));
    },
  });
}

/**
 * `fetch` that never sends a POST twice. Newer Denos repeat one by themselves when a kept-alive connection breaks
 * before the answer, and a refresh token that works once would be spent unseen; on a connection of its own it goes
 * out once. A runtime that offers no such connections does not repeat either (Deno 2.1).
 */
export const sendOnce: typeof fetch = (input, init) => {
  const repeatable = !init || !("method" in init) || init.method !== "POST";
  if (repeatable || !unpooled) return fetch(input, init);
  const own = { ...init, client: unpooled };
  return fetch(input, own);
};

const unpooled = typeof Deno.createHttpClient === "function"
  ? Deno.createHttpClient({ poolMaxIdlePerHost: 0 })
  : null;

/** One line for what went wrong where no caller waits any more. */
function reporter({ request_id, function: name, provider }: LogFields): (error: unknown) => void {
  return (error) => {
    const { code, reason, status } = asPublicError(error);
    const outcome = "failed_in_background";
    writeLine({ request_id, function: name, provider, outcome, code, reason, status });
  };
}

/** Of the hosted runtime (https://supabase.com/docs/guides/functions/background-tasks); absent elsewhere, where nothing ends an isolate. */
declare const EdgeRuntime: { waitUntil(work: Promise<unknown>): void } | undefined;

function waitUntil(work: Promise<unknown>): void {
  if (typeof EdgeRuntime !== "undefined") EdgeRuntime.waitUntil(work);
}
