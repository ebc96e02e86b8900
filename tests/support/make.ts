import type { Client, Transport } from "../../supabase/functions/_shared/oauth/client.ts";
import type { Provider } from "../../supabase/functions/_shared/oauth/provider.ts";
import { pipedrive } from "../../supabase/functions/_shared/providers/pipedrive.ts";
import type { Context } from "../../supabase/functions/_shared/context.ts";
import { Memory } from "../../supabase/functions/_shared/keep/memory.ts";
import { Keyring } from "../../supabase/functions/_shared/keep/seal.ts";
import { clientFingerprint } from "../../supabase/functions/_shared/keep/client_fingerprint.ts";
import { sealTokenSet } from "../../supabase/functions/_shared/keep/token_set.ts";
import { FakeClock } from "./clock.ts";
import { fakeFetch } from "./fake_fetch.ts";

/** Two keys of 32 equal bytes each: the first seals, both open. */
export const KEYS = `k2:${"Ag".padEnd(43, "ICAgIC")},k1:${"AQ".padEnd(43, "EBAQEB")}`;

export function makeKeyring(setting = KEYS): Promise<Keyring> {
  return Keyring.parse(setting);
}

export function makeClient({ provider = pipedrive, ...overrides }: Partial<Client> = {}): Client {
  return {
    provider,
    client_id: "3f1c5c8a9b2d4e6f",
    client_secret: "3cbb1f0c6a2e4d7790ab",
    redirect_uri: "https://project.supabase.co/functions/v1/oauth-callback/pipedrive",
    scopes: provider.scopes,
    values: {},
    hosts: [],
    api_origins: [],
    ...overrides,
  };
}

/** A transport without a deadline. */
export function makeTransport(fetch: Transport["fetch"]): Transport {
  return { fetch, signal: new AbortController().signal };
}

/** Context with what else a test needs of it. */
export type Made = Context & {
  /** What `report` was given. */
  readonly reports: unknown[];
  /** Resolves when all work given to `waitUntil` has ended, however it ended. */
  background(): Promise<void>;
};

export type ContextOptions = Partial<Context> & { readonly provider?: Provider };

/**
 * Context on a store that the test brings: time that passes by itself, no network, jitter in the middle. Give what
 * matters to the test; the rest is a default.
 */
export async function contextOn(
  store: Context["store"],
  { provider = pipedrive, ...options }: ContextOptions = {},
): Promise<Made> {
  const work: Promise<unknown>[] = [];
  const reports: unknown[] = [];
  return {
    client: makeClient({ provider }),
    keyring: options.keyring ?? await makeKeyring(),
    memory: new Memory(),
    fetch: fakeFetch(),
    clock: options.clock ?? new FakeClock({ auto: true }),
    random: () => 0.5,
    waitUntil: (promise) => void work.push(promise),
    report: (error) => void reports.push(error),
    ...options,
    store,
    reports,
    async background() {
      while (work.length > 0) await Promise.allSettled(work.splice(0));
    },
  };
}

export interface Connected {
  readonly id: string;
  readonly user_id: string;
  readonly version: number;
  readonly access_token: string;
  readonly refresh_token: string;
  readonly account_key: string;
}

export type ConnectedOptions = Partial<Omit<Connected, "version">> & {
  readonly api_origin?: string;
  readonly scope?: readonly string[];
  /** Null: until the API refuses it. */
  readonly expires_in_ms?: number | null;
  readonly authorization_expires_in_ms?: number | null;
};

/** Puts an active connection of a user who exists, with sealed tokens, into the context's store. */
export async function connect(
  { store, keyring, client }: Pick<Context, "store" | "keyring" | "client">,
  options: ConnectedOptions & Pick<Connected, "user_id">,
): Promise<Connected> {
  const made = {
    id: crypto.randomUUID(),
    access_token: `access-${crypto.randomUUID()}`,
    refresh_token: `refresh-${crypto.randomUUID()}`,
    account_key: `54235233:${crypto.getRandomValues(new Uint32Array(1))[0]}`,
    api_origin: "https://acme.pipedrive.com",
    scope: ["base", "contacts:read"],
    expires_in_ms: 3_600_000,
    authorization_expires_in_ms: 60 * 24 * 3_600_000,
    ...options,
  };
  const { id, user_id, access_token, refresh_token, account_key, api_origin, scope } = made;
  const { expires_in_ms, authorization_expires_in_ms } = made;
  const provider = client.provider.name;
  await store.connect({
    id,
    user_id,
    provider,
    account_key,
    account_name: "Acme",
    account_email: "jane@acme.example",
    scope: scope.join(" "),
    ...await sealTokenSet(keyring, { id, provider }, {
      access_token,
      refresh_token,
      values: { api_domain: api_origin },
    }),
    expires_in_ms,
    authorization_expires_in_ms,
    refresh_ahead_ms: null,
    elapsed_ms: 0,
    request_id: null,
    client_id: client.client_id,
    client_fingerprint: await clientFingerprint(keyring, client),
  });
  const version = (await store.peek({ id, user_id, seen_version: -1 }))[0]?.version ?? 0;
  return { id, user_id, version, access_token, refresh_token, account_key };
}
