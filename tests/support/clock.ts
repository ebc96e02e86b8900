import { setImmediate } from "node:timers";
import type { Clock } from "../../supabase/functions/_shared/time.ts";

/** Turns of the event loop without any work after which nothing else can run. */
const QUIET_TURNS = 8;

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

/**
 * Time that passes only when a test says so, or, with `auto`, by itself as soon as nothing else can run. Either way no
 * test waits for real time, and what is due fires in the order in which it is due.
 */
export class FakeClock implements Clock {
  #now = 0;
  #sleepers: Sleeper[] = [];
  #registered = 0;
  #driving = false;

  constructor(readonly options: { readonly auto?: boolean } = {}) {
    countCrypto();
  }

  now(): number {
    return this.#now;
  }

  /** How many are asleep. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const sleeper = {
        at: this.#now + Math.max(0, ms),
        wake: () => {
          signal?.removeEventListener("abort", abort);
          resolve();
        },
      };
      const abort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#registered += 1;
      this.#sleepers.push(sleeper);
      if (this.options.auto) void this.#drive();
    });
  }

  /** Lets `ms` pass: what is due wakes in order, and each runs as far as it can before time goes on. */
  async advance(ms: number): Promise<void> {
    const until = this.#now + ms;
    await this.settle();
    while (this.#wakeNext(until)) await this.settle();
    this.#now = until;
    await this.settle();
  }

  /** The process stands still for `ms`, as after SIGSTOP: time passes and nothing wakes. */
  pause(ms: number): void {
    this.#now += ms;
  }

  /** Runs everything that can run without time passing, while it is wanted. Returns whether that ended by itself. */
  async settle(wanted = () => true): Promise<boolean> {
    for (let quiet = 0; quiet < QUIET_TURNS; quiet += 1) {
      if (!wanted()) return false;
      const before = this.#registered + finished;
      await Promise.allSettled(working);
      await turn();
      if (working.size > 0 || this.#registered + finished !== before) quiet = -1;
    }
    return true;
  }

  /** Time stays put while real work (a WebCrypto call, a call of the database, a chain of promises) is under way. */
  async #drive(): Promise<void> {
    if (this.#driving) return;
    this.#driving = true;
    const asleep = () => this.#sleepers.length > 0;
    while (asleep()) if (await this.settle(asleep)) this.#wakeNext(Infinity);
    this.#driving = false;
  }

  #wakeNext(until: number): boolean {
    const at = Math.min(...this.#sleepers.map((sleeper) => sleeper.at));
    if (!(at <= until) || at === Infinity) return false;
    const next = this.#sleepers.find((sleeper) => sleeper.at === at);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper !== next);
    this.#now = Math.max(this.#now, at);
    next?.wake();
    return true;
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

const working = new Set<Promise<unknown>>();
let finished = 0;

/** Work beside the event loop, such as the database's: counted, so that no clock runs ahead of it. */
export async function underWay<T>(work: Promise<T>): Promise<T> {
  working.add(work);
  try {
    return await work;
  } finally {
    working.delete(work);
    finished += 1;
  }
}

let counting = false;

/** WebCrypto works beside the event loop too: time does not run ahead of a seal. */
function countCrypto(): void {
  if (counting) return;
  counting = true;
  const subtle = SubtleCrypto.prototype as unknown as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >;
  for (
    const name of ["encrypt", "decrypt", "digest", "deriveKey", "deriveBits", "importKey", "sign", "verify"]
  ) {
    const original = subtle[name];
    if (!original) throw new Error(`SubtleCrypto has no ${name}`);
    subtle[name] = function (this: SubtleCrypto, ...args: unknown[]) {
      return underWay(original.apply(this, args));
    };
  }
}
