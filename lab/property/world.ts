import type fc from "fast-check";
import { pipedrive } from "../../supabase/functions/_shared/providers/pipedrive.ts";
import type { Keyring } from "../../supabase/functions/_shared/keep/seal.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { contextOn } from "../../tests/support/make.ts";
import type { SqlRpc } from "../../tests/support/sql_rpc.ts";
import { Authority, GRACE_MS, type Kind } from "./authority.ts";
import type { Caller, Effect, Happening, History, TokenRequest } from "./history.ts";
import { type Blows, Isolate, Turns } from "./isolate.ts";
import { openLine } from "./network.ts";
import type { AtStep, Plan } from "./plan.ts";
import { openWire, Witness } from "./storage.ts";
import { WorldClock } from "./time.ts";

/** Turns after which a run that goes on and on is a finding of its own. */
const TURNS_LIMIT = 4_000;

/** Whose connection a run is about, and what it runs on. */
export interface Setting {
  readonly rpc: SqlRpc;
  readonly keyring: Keyring;
  readonly id: string;
  readonly user_id: string;
}

/** Isolates, a provider and a database in one time, everyone's steps in an order that is drawn. */
export class World {
  readonly clock = new WorldClock();
  readonly history: History = { effects: [], callers: [] };
  readonly authority: Authority;
  readonly witness: Witness;
  readonly turns: Turns;
  readonly #fates: Plan["fates"][number][];
  readonly #storage: Plan["storage"][number][];
  readonly #random: () => number;

  constructor(readonly setting: Setting, readonly plan: Plan, scheduler: fc.Scheduler) {
    const now = () => this.clock.now();
    this.authority = new Authority(plan.kind, now);
    this.witness = new Witness(setting.rpc, setting.id, now);
    this.turns = new Turns(scheduler);
    this.#fates = [...plan.fates];
    this.#storage = [...plan.storage];
    this.#random = randomFrom(plan.jitter);
  }

  /** Another process, with a memory of its own. */
  async startIsolate(index: number): Promise<Isolate> {
    const isolate = new Isolate(index, this.turns, this.clock, this.#blowsOn(index));
    const step = (label: string) => isolate.step(label);
    const store = supabaseStore(openWire({
      step,
      nextFault: (call) => takeFirst(this.#storage, (fault) => fault.call === call)?.fails ?? null,
      run: (name, args) =>
        this.turns.uninterrupted(async () => {
          const { answer, seen } = await this.witness.run(name, args);
          this.#add({ kind: "call", isolate: index, at: this.clock.now(), ...seen });
          return answer;
        }),
    }));
    isolate.context = await contextOn(store, {
      provider: definitionOf(this.plan.kind),
      keyring: this.setting.keyring,
      clock: isolate.clock,
      random: this.#random,
      fetch: openLine({
        isolate: index,
        authority: this.authority,
        step,
        nextFate: () => this.#fates.shift() ?? "answered",
        record: (request) => this.#add<TokenRequest>({ ...request, at: this.clock.now() }),
      }),
    });
    return isolate;
  }

  /** Everybody takes turns until nobody has anything left to do. */
  async run(): Promise<void> {
    const rest = () => this.turns.rest(() => this.clock.settle());
    await rest();
    while (await this.turns.next() || await this.clock.wakeNext()) {
      await rest();
      if (this.turns.released > TURNS_LIMIT) throw new Error("every waiter ends: it does not come to rest");
    }
  }

  /** Somebody asks for something; what becomes of it is recorded when it ends. */
  async call(isolate: Pick<Isolate, "index">, wanted: string, work: () => Promise<unknown>): Promise<void> {
    const began = this.clock.now();
    const caller: Caller = {
      isolate: isolate.index,
      wanted,
      began,
      stood_still: 0,
      ended: null,
      trouble: null,
    };
    this.history.callers.push(caller);
    try {
      await work();
    } catch (error) {
      caller.trouble = error;
    }
    caller.ended = this.clock.now();
  }

  /** Time passes while everybody stands still. */
  async jump(ms: number): Promise<void> {
    this.#delayed(ms, () => true);
    this.happens("jump");
    await this.clock.jump(ms);
  }

  #delayed(ms: number, who: (caller: Caller) => boolean): void {
    for (const caller of this.history.callers) {
      if (caller.ended === null && who(caller)) caller.stood_still += ms;
    }
  }

  /** From now on everything goes well. */
  faultless(): void {
    this.#fates.length = 0;
    this.#storage.length = 0;
  }

  happens(kind: Happening["kind"]): void {
    this.#add({ kind, at: this.clock.now() });
  }

  #blowsOn(index: number): Blows {
    const here = (step: number) => (at: AtStep) => at.isolate === index && at.step === step;
    return {
      stops: (step) => {
        const stop = this.plan.stops.find(here(step));
        if (!stop) return 0;
        this.happens("stop");
        this.#delayed(stop.ms, (caller) => caller.isolate === index);
        return stop.ms;
      },
      dies: (step) => {
        const crash = this.plan.crashes.some(here(step));
        if (crash) this.happens("crash");
        return crash;
      },
    };
  }

  #add<E extends Effect>(effect: E): E {
    this.history.effects.push(effect);
    return effect;
  }
}

function definitionOf(kind: Kind) {
  return {
    ...pipedrive,
    reuse_grace: kind === "grace" ? GRACE_MS / 1000 : 0,
    revokes_on_reuse: kind === "revoking",
  };
}

function takeFirst<T>(list: T[], matches: (item: T) => boolean): T | undefined {
  const index = list.findIndex(matches);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}

/** Xorshift: the same numbers for the same seed. */
function randomFrom(seed: number): () => number {
  let state = (seed | 0) || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
