import type { Memory } from "./keep/memory.ts";
import type { Keyring } from "./keep/seal.ts";
import type { Store } from "./keep/store.ts";
import type { Client } from "./oauth/client.ts";
import type { Clock } from "./time.ts";

/** What connecting, using and refreshing work with. Nothing here is looked up: all of it arrives from the wiring, or from a test. */
export interface Context {
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
