/** What the refresh protocol promises, by the names that checks, mutants and docs/refresh-protocol.md share. */
export const INVARIANTS = [
  "one lease",
  "no success dropped",
  "one version per write",
  "no false reauthorization",
  "success beats failure",
  "requests are bounded by claims",
  "every waiter ends",
  "connecting and disconnecting win",
  "the request ends before the lease",
  "operator faults change nothing",
] as const;
export type Invariant = typeof INVARIANTS[number];
