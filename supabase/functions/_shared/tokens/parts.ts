import type { Client } from "../oauth/client.ts";
import type { Memory } from "./memory.ts";
import type { Keyring } from "./seal.ts";
import type { Store } from "./store.ts";

/** What the token module works with. Nothing here is looked up: everything arrives from the wiring, or from a test. */
export interface Parts {
  readonly client: Client;
  readonly store: Store;
  readonly keyring: Keyring;
  /** One per isolate and provider: `new Memory()` once, not per request. */
  readonly memory: Memory;
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  /** In [0, 1); for jitter only, never for a secret. */
  readonly random: () => number;
  /** Keeps the isolate until the work has ended, whether or not the caller still listens. */
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** Takes what went wrong where no caller waits for it any more. */
  readonly report: (error: unknown) => void;
}

export interface Clock {
  /** Milliseconds, monotonic; only differences mean something. */
  now(): number;
  /** Rejects with the signal's reason when it fires. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}
