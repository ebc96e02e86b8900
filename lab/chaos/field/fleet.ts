import { fileURLToPath } from "node:url";
import { failure, type Functions } from "../../../local/stack/functions.ts";
import { startInstance } from "../../../local/stack/function_instance.ts";
import { within } from "../../../local/stack/process.ts";
import type { BreakableServer } from "./breakable_server.ts";
import type { Grants } from "./grants.ts";
import type { Journal, Seat } from "./journal.ts";
import { Rules } from "./moments.ts";
import { serveProviderProxy } from "./provider_proxy.ts";
import { serveRestProxy } from "./rest_proxy.ts";
import { type Retiring, retiring } from "./retiring.ts";
import { seatName } from "./seat.ts";
import type { Traits } from "./traits.ts";

const FUNCTIONS = new URL("../../../supabase/functions/", import.meta.url);
const SKEW = fileURLToPath(new URL("./skew.ts", import.meta.url));
const OWN_WAYS = fileURLToPath(new URL("./own_ways.ts", import.meta.url));
const TRAITS = fileURLToPath(new URL("./traits.ts", import.meta.url));
/** What a process with a shifted clock says of itself. */
const SKEWED = /the clock is off by (-?\d+) ms/;
const NOTICE_MS = 500;
/** Says who answered: so that a caller whose process was killed is told from one that was let down. */
export const SERVED_BY = "x-served-by";

export interface FleetOptions {
  name: string;
  /** How many processes of which function. */
  sizes: Readonly<Record<string, number>>;
  env: Readonly<Record<string, string>>;
  /** By place, milliseconds by which the process mistakes the time. */
  skew?: readonly number[];
  /** In what its provider's definition differs from Pipedrive's. */
  traits?: Traits;
  rest_origin: string;
  provider_origin: string;
  journal: Journal;
  grants: Grants;
}

interface Place {
  readonly name: string;
  readonly place: number;
  generation: number;
  instance: Promise<Retiring>;
  stopped: boolean;
}

/** Processes of the real functions, each behind two proxies of its own, so that whatever is seen has an owner. */
export class Fleet implements Pick<Functions, "names" | "fetch"> {
  readonly names: readonly string[];
  readonly rules = new Rules();
  /** Milliseconds by which processes said that their clocks are off. */
  readonly skews: number[] = [];
  readonly #options: FleetOptions;
  readonly #places: Place[] = [];
  readonly #turns = new Map<string, number>();
  readonly #proxies: BreakableServer[] = [];
  #env: Readonly<Record<string, string>>;
  #over = false;

  private constructor(options: FleetOptions) {
    this.#options = options;
    this.#env = options.env;
    this.names = Object.keys(options.sizes);
  }

  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    for (const [name, size] of Object.entries(options.sizes)) {
      for (let place = 0; place < size; place++) await fleet.#open(name, place);
    }
    await Promise.all(fleet.#places.map(({ instance }) => instance));
    return fleet;
  }

  async fetch(name: string, path: string, request: Request): Promise<Response> {
    const chosen = this.#next(name);
    const by = seatName(this.#seat(chosen));
    const headers = new Headers(request.headers);
    headers.set("accept-encoding", "identity");
    const instance = await chosen.instance;
    try {
      const { method, body, signal } = request;
      const answer = await instance.fetch(path, { method, headers, body, redirect: "manual", signal });
      const stamped = new Response(answer.body, answer);
      stamped.headers.set(SERVED_BY, by);
      return stamped;
    } catch {
      await within(instance.ended, NOTICE_MS, () => "it lives").catch(() => {});
      const answer = failure(500, "WORKER_ERROR", "Function exited due to an error (please check logs)");
      answer.headers.set(SERVED_BY, by);
      return answer;
    }
  }

  seats(name: string): Seat[] {
    return this.#places.filter((one) => one.name === name).map((one) => this.#seat(one));
  }

  /** kill -9, unless another process stands there by now. A new one takes the place. */
  async kill(seat: Seat): Promise<void> {
    const place = this.#find(seat);
    if (place === null) return;
    this.#options.journal.record({ what: "killed", seat });
    const instance = await place.instance;
    signal(instance, "SIGKILL");
    await instance.ended;
    await place.instance;
  }

  /**
   * SIGSTOP. The gateway sends nothing new to a process that stands still, as a platform would not.
   *
   * @returns false where it would have been the last one of its function, or stands already
   */
  async pause(seat: Seat): Promise<boolean> {
    const place = this.#find(seat);
    const running = this.#places.filter((one) => one.name === seat.name && !one.stopped).length;
    if (place === null || place.stopped || running < 2) return false;
    place.stopped = true;
    this.#options.journal.record({ what: "paused", seat });
    signal(await place.instance, "SIGSTOP");
    return true;
  }

  async resume(seat: Seat): Promise<void> {
    const place = this.#find(seat);
    if (place === null || !place.stopped) return;
    signal(await place.instance, "SIGCONT");
    place.stopped = false;
    this.#options.journal.record({ what: "resumed", seat });
  }

  /** Replaces the processes one after another, as a deployment does; each ends only when its requests have. */
  async deploy(env: Readonly<Record<string, string>>): Promise<void> {
    this.#env = { ...this.#env, ...env };
    for (const place of this.#places) {
      const old = await place.instance;
      const fresh = this.#spawn({ ...this.#seat(place), generation: place.generation + 1 });
      await fresh;
      place.generation += 1;
      place.instance = fresh;
      this.#watch(place);
      await old.retire();
    }
  }

  /** After a scenario that broke off: nobody stands still, and nothing is held or broken any more. */
  async mend(): Promise<void> {
    this.rules.clear();
    for (const place of this.#places) await this.resume(this.#seat(place));
  }

  async stop(): Promise<void> {
    this.#over = true;
    await Promise.all(this.#places.map(async (place) => {
      const instance = await place.instance;
      if (place.stopped) signal(instance, "SIGCONT");
      await instance.kill("SIGKILL");
    }));
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
  }

  async #open(name: string, place: number): Promise<void> {
    const seat = { fleet: this.#options.name, name, place, generation: 1 };
    const instance = this.#spawn(seat);
    const opened: Place = { name, place, generation: 1, instance, stopped: false };
    this.#places.push(opened);
    this.#watch(opened);
    await instance;
  }

  /** A process, and two proxies that outlive it: what it sent before its end may be read after it. */
  async #spawn(seat: Seat): Promise<Retiring> {
    const { name, place } = seat;
    const { traits, rest_origin, provider_origin, journal, grants } = this.#options;
    const skew = this.#options.skew?.[place];
    const common = { journal, rules: this.rules, seat };
    const rest = await serveRestProxy({ ...common, origin: rest_origin });
    const provider = await serveProviderProxy({ ...common, origin: provider_origin, grants });
    this.#proxies.push(rest, provider);
    const instance = await startInstance({
      name,
      entrypoint: fileURLToPath(new URL(`${name}/index.ts`, FUNCTIONS)),
      env: {
        ...this.#env,
        SUPABASE_URL: rest_origin,
        PIPEDRIVE_OAUTH_ORIGIN: provider_origin,
        OWN_WAYS: JSON.stringify({
          [`${rest_origin}/rest/`]: `${rest_origin}/via/${new URL(rest.origin).port}/rest/`,
          [`${provider_origin}/oauth/`]: `${provider.origin}/oauth/`,
        }),
        ...(skew !== undefined && { CLOCK_SKEW_MS: String(skew) }),
        ...(traits && { PROVIDER_TRAITS: JSON.stringify(traits) }),
      },
      log: (line) => {
        const off = SKEWED.exec(line)?.[1];
        if (off !== undefined) this.skews.push(Number(off));
      },
      preload: [OWN_WAYS, ...(skew === undefined ? [] : [SKEW]), ...(traits ? [TRAITS] : [])],
    });
    return retiring(instance);
  }

  /** Whatever ends a process, another one takes its place. */
  #watch(place: Place): void {
    const { instance } = place;
    instance.then(({ ended }) => ended).then(() => {
      if (this.#over || place.instance !== instance) return;
      place.generation += 1;
      place.stopped = false;
      place.instance = this.#spawn(this.#seat(place));
      this.#watch(place);
    });
  }

  #next(name: string): Place {
    const places = this.#places.filter((one) => one.name === name && !one.stopped);
    const turn = this.#turns.get(name) ?? 0;
    this.#turns.set(name, turn + 1);
    const chosen = places[turn % places.length];
    if (chosen === undefined) throw new Error(`No process of "${name}" is running`);
    return chosen;
  }

  #seat({ name, place, generation }: Place): Seat {
    return { fleet: this.#options.name, name, place, generation };
  }

  #find(seat: Seat): Place | null {
    return this.#places.find((one) =>
      one.name === seat.name && one.place === seat.place && one.generation === seat.generation
    ) ?? null;
  }
}

/** One that has just ended by itself needs no signal. */
function signal({ pid }: Retiring, name: Deno.Signal): void {
  try {
    Deno.kill(pid, name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
