import type { Connected } from "../field/connections.ts";
import type { Seat } from "../field/journal.ts";
import type { Moment, Rule } from "../field/moments.ts";
import { seatName } from "../field/seat.ts";
import { until } from "./kit.ts";

export const afterClaim = ({ at, side, outcome }: Moment) =>
  at === "claim" && side === "answered" && outcome === "claimed";
export const beforeCommit = ({ at, side }: Moment) => at === "commit" && side === "arrived";
export const afterRotation = ({ at, side, outcome }: Moment) =>
  at === "token" && side === "answered" && outcome === "rotated";

/**
 * Holds each connection's requests at the moment that `at` tells, repeated ones too, until all are held; then they are
 * let go as `verdict` says.
 */
export class Trap {
  readonly held = new Map<string, Seat>();
  readonly #victims: ReadonlySet<string>;
  readonly #released = Promise.withResolvers<void>();
  #open = true;

  constructor(
    connections: readonly Connected[],
    private readonly at: (moment: Moment) => boolean,
    private readonly verdict: "pass" | "drop",
  ) {
    this.#victims = new Set(connections.map(({ id }) => id));
  }

  readonly rule: Rule = (moment) => {
    if (!this.#open || !this.#victims.has(moment.connection) || !this.at(moment)) return null;
    this.held.set(moment.connection, moment.seat);
    return this.#released.promise.then(() => this.verdict);
  };

  async sprung(): Promise<void> {
    await until(() => this.held.size === this.#victims.size, 12_000);
  }

  release(): void {
    this.#open = false;
    this.#released.resolve();
  }

  /** The processes that own what is held. */
  seats(): Seat[] {
    return [...new Map([...this.held.values()].map((seat) => [seatName(seat), seat])).values()];
  }
}
