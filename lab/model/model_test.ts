/**
 * The refresh protocol in every order in which three workers, a provider, a database and what may go wrong with them
 * can take their steps. A figure that changes here means that the protocol, or the model of it, has changed.
 */
import { assert, assertEquals, assertThrows } from "../../tests/support/assert.ts";
import { explore, type Explored } from "./explore.ts";
import type { Invariant } from "./invariants.ts";
import { type Mutant, MUTANTS } from "./mutants.ts";
import { claimRefresh, PROTOCOL } from "./protocol.ts";
import { type Kind, KINDS } from "./provider.ts";
import { CLAIMS, OUTLIVED, OVERTAKEN, PAUSED, type Regime, WAITED_OUT, worldOf } from "./regimes.ts";
import { begin, keyOf } from "./state.ts";

const WORKERS = 3;

interface Expected {
  readonly states: number;
  readonly double_spends?: number;
  /** Ends in which a crash or a lost answer took the connection. */
  readonly taken?: number;
  readonly broken?: Partial<Record<Invariant, number>>;
}

Deno.test("while the lease outlives the request, no promise is broken at a provider that…", async (t) => {
  await each(t, OUTLIVED, {
    "strict": { states: 27729, taken: 137 },
    "grace": { states: 23028 },
    "revokes on reuse": { states: 29175, taken: 143 },
    "does not rotate": { states: 14293 },
  });
});

Deno.test("a holder paused past its lease costs a double spend but no connection, unless reuse revokes", async (t) => {
  await each(t, PAUSED, {
    "strict": { states: 53618, double_spends: 9987, taken: 172 },
    "grace": { states: 33820, double_spends: 6619 },
    "revokes on reuse": {
      states: 67265,
      double_spends: 11594,
      taken: 168,
      broken: { "token lost": 322, "false death": 132, label: 1020 },
    },
    "does not rotate": { states: 22654, double_spends: 5011 },
  });
});

Deno.test("a request overtaken by the next costs a connection only where reuse revokes", async (t) => {
  await each(t, OVERTAKEN, {
    "strict": { states: 4629, taken: 55 },
    "grace": { states: 2078 },
    "revokes on reuse": {
      states: 5901,
      taken: 84,
      broken: { "token lost": 29, "false death": 15, label: 20 },
    },
    "does not rotate": { states: 1245 },
  });
});

Deno.test("an ambiguous end that is waited out costs nothing anywhere", async (t) => {
  await each(t, WAITED_OUT, {
    "strict": { states: 4328, taken: 55 },
    "grace": { states: 1873 },
    "revokes on reuse": { states: 4589, taken: 55 },
    "does not rotate": { states: 1096 },
  });
});

for (const mutant of MUTANTS) {
  Deno.test(`the model catches "${mutant.name}" by ${mutant.breaks}`, () => {
    assertEquals(exploreIn(mutant, PROTOCOL).broken, {}, "the protocol itself breaks something here");
    const trace = exploreIn(mutant, mutant.protocol).traces[mutant.breaks];
    assert(trace && trace.length > 0, `${mutant.breaks} holds`);
  });
}

Deno.test("a counterexample is told in the fewest steps", () => {
  const fencing = MUTANTS.find(({ name }) => name === "fencing on commit");
  assert(fencing);
  assertEquals(exploreIn(fencing, fencing.protocol).traces["no success dropped"], [
    "A claims version 1",
    "A sends token 1.1",
    "the provider answers A with token 1.2",
    "the lease runs out while its holder is at work",
    "B takes over the claim of version 1",
    "A commits token 1.2: superseded",
  ]);
});

Deno.test("without a settle time a false death heals once the late success arrives", () => {
  const hasty = MUTANTS.find(({ name }) => name === "no settle time");
  assert(hasty);
  const { broken } = exploreIn(hasty, hasty.protocol);
  assertEquals(broken, { "no false reauthorization": 44 });
});

Deno.test("claimRefresh() refuses a lease that the request may outlive", () => {
  const { row } = begin(worldOf(OUTLIVED, "strict", 1, OUTLIVED.on_demand));
  const claim = { lease_id: "0.1", seen_version: 1, lease_outlives_request: false, settles: true };
  assertThrows(() => claimRefresh(row, claim), RangeError, "22023");
});

Deno.test("workers who change places are one state, a worker who has moved is another", () => {
  const state = begin(worldOf(OUTLIVED, "strict", 2, OUTLIVED.on_demand));
  const [one, two] = state.workers;
  assert(one && two);
  const moved = { ...one, claims: 1 };
  assertEquals(keyOf({ ...state, workers: [moved, two] }), keyOf({ ...state, workers: [two, moved] }));
  assert(keyOf(state) !== keyOf({ ...state, workers: [moved, two] }));
});

async function each(t: Deno.TestContext, regime: Regime, expected: Record<Kind, Expected>): Promise<void> {
  for (const kind of KINDS) {
    await t.step(kind, () => {
      const { states, double_spends, taken, broken } = exploreAll(regime, kind);
      assertEquals(
        { states, double_spends, taken, broken },
        { double_spends: 0, taken: 0, broken: {}, ...expected[kind] },
      );
    });
  }
}

/** The sums over all that is explored of a regime in every run. */
function exploreAll(
  regime: Regime,
  kind: Kind,
): Pick<Explored, "states" | "double_spends" | "taken" | "broken"> {
  const sum = { states: 0, double_spends: 0, taken: 0 };
  const broken: Partial<Record<Invariant, number>> = {};
  for (const chances of regime.every_run) {
    const found = explore(worldOf(regime, kind, WORKERS, chances));
    sum.states += found.states;
    sum.double_spends += found.double_spends;
    sum.taken += found.taken;
    for (const name of Object.keys(found.broken) as Invariant[]) {
      broken[name] = (broken[name] ?? 0) + (found.broken[name] ?? 0);
    }
  }
  return { ...sum, broken };
}

function exploreIn({ provider, chances }: Mutant, protocol: typeof PROTOCOL): Explored {
  return explore({ protocol, provider, workers: WORKERS, claims: CLAIMS, overtaking: false, chances });
}
