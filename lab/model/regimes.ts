/** In what surroundings the protocol is explored, and how much may go wrong in each. */
import { PROTOCOL } from "./protocol.ts";
import type { Kind } from "./provider.ts";
import type { Chances, World } from "./state.ts";

export interface Regime {
  readonly name: string;
  readonly surroundings: Pick<World, "protocol" | "overtaking">;
  /** Explored with every run of the tests: together all that may go wrong, but not all at once. */
  readonly every_run: readonly Chances[];
  /** Explored on demand: all at once. */
  readonly on_demand: Chances;
}

/** Claims that each worker makes at most: its own, and one after whatever came of it. */
export const CLAIMS = 2;

/** No process is paused past its lease, so no lease runs out during a request. */
export const OUTLIVED: Regime = {
  name: "the lease outlives the request",
  surroundings: { protocol: PROTOCOL, overtaking: false },
  every_run: [
    { crash: 1, loss: 1, pause: 0, user: 1, expiry: 1 },
    { crash: 0, loss: 0, pause: 0, user: 2, expiry: 1 },
  ],
  on_demand: { crash: 1, loss: 1, pause: 0, user: 2, expiry: 1 },
};

/** A process may be paused in its request, at any point of it, for longer than its lease lasts. */
export const PAUSED: Regime = {
  name: "a holder may be paused past its lease",
  surroundings: { protocol: PROTOCOL, overtaking: false },
  every_run: [
    { crash: 1, loss: 1, pause: 2, user: 0, expiry: 1 },
    { crash: 0, loss: 0, pause: 2, user: 1, expiry: 1 },
  ],
  on_demand: { crash: 1, loss: 1, pause: 2, user: 1, expiry: 1 },
};

/** The provider may get to a request that its caller has given up only after the one that followed it. */
export const OVERTAKEN: Regime = {
  name: "a request given up may be overtaken",
  surroundings: { protocol: PROTOCOL, overtaking: true },
  every_run: [{ crash: 1, loss: 1, pause: 0, user: 0, expiry: 1 }],
  on_demand: { crash: 1, loss: 1, pause: 0, user: 1, expiry: 1 },
};

/**
 * The same, at callers who after an ambiguous end wait until the provider cannot be at work any more: what `spend.ts`
 * does where a spent token revokes everything.
 */
export const WAITED_OUT: Regime = {
  ...OVERTAKEN,
  name: "the same, every ambiguous end waited out",
  surroundings: { protocol: { ...PROTOCOL, waits_out: true }, overtaking: true },
};

export const REGIMES: readonly Regime[] = [OUTLIVED, PAUSED, OVERTAKEN, WAITED_OUT];

export function worldOf({ surroundings }: Regime, provider: Kind, workers: number, chances: Chances): World {
  return { ...surroundings, provider, workers, claims: CLAIMS, chances };
}
