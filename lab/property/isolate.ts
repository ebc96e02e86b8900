import type fc from "fast-check";
import type { Context } from "../../supabase/functions/_shared/context.ts";
import type { Clock } from "../../supabase/functions/_shared/time.ts";

/** Takes turns with everyone else, as the scheduler draws them. */
export class Turns {
  readonly #working = new Set<Promise<unknown>>();
  #begun = 0;
  released = 0;

  constructor(private readonly scheduler: fc.Scheduler) {}

  /** Resolves when it is this one's turn. */
  async take(label: string): Promise<void> {
    await this.scheduler.schedule(Promise.resolve(), label);
  }

  /** Work that nothing may overtake: a call of the database that has begun. */
  async uninterrupted<T>(work: () => Promise<T>): Promise<T> {
    if (this.#working.size > 0) throw new Error("two work at once, and neither is uninterrupted");
    this.#begun += 1;
    const working = work();
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  /** Everybody goes as far as possible without a turn. */
  async rest(settle: () => Promise<unknown>): Promise<void> {
    let begun;
    do {
      begun = this.#begun;
      await Promise.allSettled(this.#working);
      await settle();
    } while (this.#working.size > 0 || this.#begun !== begun);
  }

  /** Lets one that waits have its turn. False: nobody waits. */
  async next(): Promise<boolean> {
    if (this.scheduler.count() === 0) return false;
    this.released += 1;
    await this.scheduler.waitNext(1);
    return true;
  }
}

/** What an isolate meets at its steps. */
export interface Blows {
  /** For how many milliseconds it is stopped there; 0: it goes on. */
  stops(step: number): number;
  dies(step: number): boolean;
}

/** A process of its own, with its own memory, that may be stopped for a while and may die. */
export class Isolate {
  dead = false;
  #steps = 0;
  #stopped_until = 0;

  constructor(
    readonly index: number,
    private readonly turns: Turns,
    private readonly time: Clock,
    private readonly blows: Blows,
  ) {}

  /** Set once: the context need the isolate first. */
  context!: Context;

  /** The same time as everyone's, but whoever is stopped wakes late. */
  readonly clock: Clock = {
    now: () => this.time.now(),
    sleep: async (ms, signal) => {
      await this.time.sleep(ms, signal);
      await this.#awake(signal);
    },
  };

  /** Never resolves once the isolate is dead: what it was about to do does not happen. */
  async step(label: string): Promise<void> {
    if (!this.dead) {
      await this.turns.take(`isolate ${this.index}: ${label}`);
      this.#steps += 1;
      this.#stopped_until = Math.max(this.#stopped_until, this.time.now() + this.blows.stops(this.#steps));
      await this.goOn(label);
    }
    if (!this.dead && this.blows.dies(this.#steps)) this.dead = true;
    if (this.dead) await new Promise(() => {});
  }

  /** Resolves at once; or if it is stopped, with its next turn after that. */
  async goOn(label: string): Promise<void> {
    while (this.#stopped_until > this.time.now()) {
      await this.#awake();
      await this.turns.take(`isolate ${this.index}, after it was stopped: ${label}`);
    }
  }

  async #awake(signal?: AbortSignal): Promise<void> {
    while (this.#stopped_until > this.time.now()) {
      await this.time.sleep(this.#stopped_until - this.time.now(), signal);
    }
  }
}
