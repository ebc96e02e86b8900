import fc from "fast-check";
import type { Kind } from "./authority.ts";

export const ISOLATES = 3;

/** Somebody's wish, or a blow of fate. Once its time has come, the scheduler draws when it happens. */
export type Action = { readonly after_ms: number } & Deed;

export type Deed =
  | {
    readonly does: "ask" | "ask after 401" | "force" | "sweep" | "disconnect" | "connect";
    readonly isolate: number;
  }
  | { readonly does: "expire" | "end the lease" | "withdraw" }
  /** Everything stands still, the database too: time passes, and what was to happen happens late. */
  | { readonly does: "jump"; readonly ms: number };

/** What becomes of a request to the token endpoint. */
export type Fate =
  | "answered"
  | "acts, answer lost"
  | "acts, answers 502"
  | "acts, falls silent"
  | "falls silent"
  | "answers 500"
  | "turns away"
  | "refuses the client"
  | "refuses without a code";

/** The next call of this function fails: before it ran, or after. */
export interface StorageFault {
  readonly call: string;
  readonly fails: "before" | "after";
}

/** What an isolate meets when it is to take this step of its own. */
export interface AtStep {
  readonly isolate: number;
  readonly step: number;
}

export interface Plan {
  readonly kind: Kind;
  readonly actions: readonly Action[];
  readonly crashes: readonly AtStep[];
  /** It is stopped for a while, as by SIGSTOP. */
  readonly stops: readonly (AtStep & { readonly ms: number })[];
  /** Of the requests to the token endpoint, in order; beyond the list they are answered. */
  readonly fates: readonly Fate[];
  readonly storage: readonly StorageFault[];
  readonly jitter: number;
}

const isolate = fc.nat(ISOLATES - 1);
const by = <Does extends string>(does: Does) => fc.record({ does: fc.constant(does), isolate });
const happens = <Does extends string>(does: Does) => fc.constant({ does });

/** Longer than a back-off, a waiter's patience, a request, a lease, both, lease and settle time, and all of these. */
const LONG_MS = fc.constantFrom(1_500, 11_000, 21_000, 31_000, 45_000, 61_000, 90_000);

const asking = [
  { weight: 12, arbitrary: by("ask") },
  { weight: 6, arbitrary: by("ask after 401") },
  { weight: 4, arbitrary: by("force") },
  { weight: 4, arbitrary: by("sweep") },
];

const anything: fc.Arbitrary<Deed> = fc.oneof(
  ...asking,
  { weight: 2, arbitrary: by("disconnect") },
  { weight: 2, arbitrary: by("connect") },
  { weight: 6, arbitrary: happens("expire") },
  { weight: 4, arbitrary: happens("end the lease") },
  { weight: 1, arbitrary: happens("withdraw") },
  { weight: 2, arbitrary: fc.record({ does: fc.constant("jump" as const), ms: LONG_MS }) },
);

const fate: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Fate>("answered") },
  {
    weight: 6,
    arbitrary: fc.constantFrom<Fate>(
      "acts, answer lost",
      "acts, answers 502",
      "acts, falls silent",
      "falls silent",
      "answers 500",
      "turns away",
      "refuses the client",
      "refuses without a code",
    ),
  },
);

const storageFault: fc.Arbitrary<StorageFault> = fc.record({
  call: fc.constantFrom(
    "oauth_commit_refresh",
    "oauth_commit_refresh",
    "oauth_commit_refresh",
    "oauth_fail_refresh",
    "oauth_claim_refresh",
    "oauth_claim_due",
    "oauth_connect",
    "oauth_disconnect",
    "oauth_peek",
  ),
  fails: fc.constantFrom("before", "after"),
});

/** Each kind of fault is absent from two plans in five, so that many runs meet one kind alone and some meet none. */
const anyPlan: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom<Kind>("strict", "strict", "grace", "revoking", "stable"),
  actions: fc.array(later(anything, { weight: 3 }), { minLength: 2, maxLength: 12 }),
  crashes: perhaps(fc.array(fc.record({ isolate, step: fc.integer({ min: 1, max: 25 }) }), { maxLength: 2 })),
  stops: perhaps(
    fc.array(fc.record({ isolate, step: fc.integer({ min: 1, max: 25 }), ms: LONG_MS }), { maxLength: 2 }),
  ),
  fates: perhaps(fc.array(fate, { maxLength: 6 })),
  storage: perhaps(fc.array(storageFault, { maxLength: 7 })),
  jitter: fc.nat(),
});

/**
 * A holder that stops in the middle of its refresh while others keep asking: what a lease alone does not survive. At
 * the steps drawn an isolate that was asked first has claimed, or its request is under way, or is being committed.
 */
const stoppedHolder: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom<Kind>("strict", "strict", "strict", "grace", "revoking"),
  actions: fc.array(later(fc.oneof(...asking), { weight: 1 }), { minLength: 4, maxLength: 9 }),
  crashes: fc.constant([]),
  stops: fc.array(
    fc.record({
      isolate,
      step: fc.integer({ min: 4, max: 8 }),
      ms: fc.constantFrom(32_000, 45_000, 61_000, 95_000, 130_000),
    }),
    { minLength: 1, maxLength: 3 },
  ),
  fates: fc.constant([]),
  storage: perhaps(fc.array(storageFault, { maxLength: 3 })),
  jitter: fc.nat(),
});

/** A user who changes their mind while a refresh is under way: nothing else fails, so that the two often meet. */
const changeOfMind: fc.Arbitrary<Plan> = fc.record({
  kind: fc.constantFrom<Kind>("strict", "strict", "grace", "revoking", "stable"),
  actions: fc.tuple(
    now(by("ask")),
    now(fc.oneof({ weight: 3, arbitrary: by("disconnect") }, { weight: 1, arbitrary: by("connect") })),
  ),
  crashes: fc.constant([]),
  stops: fc.constant([]),
  fates: fc.constant([]),
  storage: fc.constant([]),
  jitter: fc.nat(),
});

export const plan: fc.Arbitrary<Plan> = fc.oneof(
  { weight: 3, arbitrary: anyPlan },
  { weight: 2, arbitrary: stoppedHolder },
  { weight: 2, arbitrary: changeOfMind },
);

function perhaps<T>(list: fc.Arbitrary<T[]>): fc.Arbitrary<T[]> {
  return fc.oneof({ weight: 2, arbitrary: fc.constant<T[]>([]) }, { weight: 3, arbitrary: list });
}

function now(deed: fc.Arbitrary<Deed>): fc.Arbitrary<Action> {
  return deed.map((deed) => ({ after_ms: 0, ...deed }));
}

/** @param weight of happening at once, against two of happening later */
function later(deed: fc.Arbitrary<Deed>, { weight }: { readonly weight: number }): fc.Arbitrary<Action> {
  const after = fc.oneof({ weight, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: LONG_MS });
  return fc.tuple(after, deed).map(([after_ms, deed]) => ({ after_ms, ...deed }));
}
