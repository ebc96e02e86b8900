import type { Client, Provider, Transport } from "../../supabase/functions/_shared/oauth/client.ts";
import { pipedrive } from "../../supabase/functions/_shared/providers/pipedrive.ts";
import type { Context } from "../../supabase/functions/_shared/context.ts";
import type { Clock } from "../../supabase/functions/_shared/time.ts";
import { Memory } from "../../supabase/functions/_shared/keep/memory.ts";
import { Keyring } from "../../supabase/functions/_shared/keep/seal.ts";
import type { Store } from "../../supabase/functions/_shared/keep/store.ts";
import { FakeClock } from "./clock.ts";
import { fakeFetch } from "./fake_fetch.ts";
import { FakeStore } from "./fake_store.ts";

/** Two keys of 32 equal bytes each: the first seals, both open. */
export const KEYS = `k2:${"Ag".padEnd(43, "ICAgIC")},k1:${"AQ".padEnd(43, "EBAQEB")}`;

export function makeKeyring(setting = KEYS): Promise<Keyring> {
  return Keyring.parse(setting);
}

export function makeClient(overrides: Partial<Client> = {}): Client {
  return {
    provider: pipedrive,
    client_id: "3f1c5c8a9b2d4e6f",
    client_secret: "3cbb1f0c6a2e4d7790ab",
    redirect_uri: "https://project.supabase.co/functions/v1/oauth-callback/pipedrive",
    api_origins: [],
    ...overrides,
  };
}

/** A transport without a deadline. */
export function makeTransport(fetch: Transport["fetch"]): Transport {
  return { fetch, signal: new AbortController().signal };
}

export type TestContext<S extends Store = FakeStore, C extends Clock = FakeClock> = Context & {
  readonly store: S;
  readonly clock: C;
  /** What `report` was given. */
  readonly reports: unknown[];
  /** Resolves when all work given to `waitUntil` has ended, however it ended. */
  background(): Promise<void>;
};

type ContextOptions<S extends Store, C extends Clock> = Partial<Omit<Context, "store" | "clock">> & {
  readonly store?: S;
  readonly clock?: C;
  readonly provider?: Provider;
};

/**
 * Context for a test: a fake store, time that passes by itself, no network, jitter in the middle. Give what matters to
 * the test; the rest is a default.
 */
export async function makeContext<S extends Store = FakeStore, C extends Clock = FakeClock>(
  { provider = pipedrive, ...options }: ContextOptions<S, C> = {},
): Promise<TestContext<S, C>> {
  const clock = options.clock ?? new FakeClock({ auto: true }) as Clock as C;
  const random = options.random ?? (() => 0.5);
  const work: Promise<unknown>[] = [];
  const reports: unknown[] = [];
  return {
    client: options.client ?? makeClient({ provider }),
    store: options.store ?? new FakeStore(clock, random) as Store as S,
    keyring: options.keyring ?? await makeKeyring(),
    memory: options.memory ?? new Memory(),
    fetch: options.fetch ?? fakeFetch(),
    clock,
    random,
    waitUntil: options.waitUntil ?? ((promise) => void work.push(promise)),
    report: options.report ?? ((error) => void reports.push(error)),
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

export interface ConnectedOptions {
  readonly id?: string;
  readonly user_id?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
  readonly api_origin?: string;
  readonly account_key?: string;
  readonly scope?: readonly string[];
  readonly expires_in_ms?: number;
}

/** Puts an active connection with sealed tokens into the context' store. */
export async function connected(
  context: Pick<Context, "store" | "keyring" | "client">,
  options: ConnectedOptions = {},
): Promise<Connected> {
  const { name: provider } = context.client.provider;
  const made = {
    id: options.id ?? crypto.randomUUID(),
    user_id: options.user_id ?? crypto.randomUUID(),
    access_token: options.access_token ?? `access-${crypto.randomUUID()}`,
    refresh_token: options.refresh_token ?? `refresh-${crypto.randomUUID()}`,
    account_key: options.account_key ?? `54235233:${crypto.getRandomValues(new Uint32Array(1))[0]}`,
  };
  const api_origin = options.api_origin ?? "https://acme.pipedrive.com";
  const token = JSON.stringify({ access_token: made.access_token, token_type: "bearer", api_origin });
  await context.store.connect({
    id: made.id,
    user_id: made.user_id,
    provider,
    account_key: made.account_key,
    account_name: "Acme",
    account_email: "jane@acme.example",
    scope: options.scope ?? ["base", "contacts:read"],
    access_token_sealed: await context.keyring.seal(token, { id: made.id, provider, field: "access_token" }),
    refresh_token_sealed: await context.keyring.seal(made.refresh_token, {
      id: made.id,
      provider,
      field: "refresh_token",
    }),
    key_id: context.keyring.key_id,
    expires_in_ms: options.expires_in_ms ?? 3_600_000,
    elapsed_ms: 0,
    request_id: null,
  });
  const peek = await context.store.peek(made.id, null, -1);
  return { ...made, version: peek?.version ?? 0 };
}
