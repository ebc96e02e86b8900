import type { Entry } from "./field/journal.ts";
import { seatName } from "./field/seat.ts";

type Of<What extends Entry["what"]> = Extract<Entry, { what: What }>;

/** The entries of one sort. */
export function only<What extends Entry["what"]>(entries: readonly Entry[], what: What): Of<What>[] {
  return entries.filter((entry): entry is Of<What> => entry.what === what);
}

/** Which processes were killed or stood still. */
export class Processes {
  readonly #killed: ReadonlySet<string>;
  readonly #paused: ReadonlySet<string>;

  constructor(entries: readonly Entry[]) {
    const seats = (what: "killed" | "paused") =>
      new Set(only(entries, what).map(({ seat }) => seatName(seat)));
    this.#killed = seats("killed");
    this.#paused = seats("paused");
  }

  wasKilled(by: string | null): boolean {
    return by !== null && this.#killed.has(by);
  }

  wasPaused(by: string | null): boolean {
    return by !== null && this.#paused.has(by);
  }
}

/** The successes of the provider, and which of them could be kept: those that reached in time a process that lived to store them. */
export class Rotations {
  readonly #kept: ReadonlySet<number>;
  readonly #lost: ReadonlySet<number>;

  constructor(entries: readonly Entry[], processes: Processes) {
    const kept = new Set<number>();
    const lost = new Set<number>();
    for (const { version, request } of only(entries, "judged").filter(({ how }) => how === "rotated")) {
      const delivery = only(entries, "delivered").find((one) => one.request === request);
      const committed = delivery !== undefined &&
        only(entries, "committed").some((one) =>
          one.base === version && seatName(one.seat) === seatName(delivery.seat)
        );
      // Before or after: what a process had sent before its end may be seen, and answered, after it.
      const died = delivery === undefined || processes.wasKilled(seatName(delivery.seat));
      const arrived = delivery?.how === "whole" && (committed || (!died && inTime(entries, delivery)));
      (arrived ? kept : lost).add(version);
    }
    this.#kept = kept;
    this.#lost = lost;
  }

  /** The provider issued the successor of this version, and it came into living hands. */
  keepable(version: number): boolean {
    return this.#kept.has(version);
  }

  any(version: number): boolean {
    return this.#kept.has(version) || this.#lost.has(version);
  }
}

/** Whether the answer left before the request's deadline, as it is seen from outside: so long after the claim's answer. */
function inTime(entries: readonly Entry[], { version, seat, seq, at }: Of<"delivered">): boolean {
  const claim = only(entries, "claimed").findLast((one) =>
    one.version === version && one.seq < seq && seatName(one.seat) === seatName(seat)
  );
  return claim === undefined || at <= claim.at + claim.request_ms;
}
