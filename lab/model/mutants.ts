/**
 * The protocol with one part exchanged for what one would write at first. A model that lets one of these pass proves
 * nothing about the protocol.
 */
import type { Invariant } from "./invariants.ts";
import {
  claimRefresh,
  commitRefresh,
  connect,
  failRefresh,
  grantLease,
  PROTOCOL,
  type Protocol,
  requireReauthorization,
  storeTokenSet,
} from "./protocol.ts";
import type { Kind } from "./provider.ts";
import type { Chances } from "./state.ts";

export interface Mutant {
  readonly name: string;
  readonly protocol: Protocol;
  readonly provider: Kind;
  readonly chances: Chances;
  /** The promise that tells it apart, before any other that it breaks. */
  readonly breaks: Invariant;
}

const NONE: Chances = { crash: 0, loss: 0, pause: 0, user: 0, expiry: 1 };

export const MUTANTS: readonly Mutant[] = [
  {
    name: "blind write",
    protocol: {
      ...PROTOCOL,
      commitRefresh: (row, { lease_id, refresh_token }) =>
        row.status === "disconnected"
          ? { row, outcome: "disconnected" }
          : { row: storeTokenSet(row, lease_id, refresh_token), outcome: "committed" },
    },
    provider: "strict",
    chances: { ...NONE, user: 1 },
    breaks: "connecting and disconnecting win",
  },
  {
    name: "fencing on commit",
    protocol: {
      ...PROTOCOL,
      commitRefresh: (row, commit) =>
        row.lease_id === commit.lease_id ? commitRefresh(row, commit) : { row, outcome: "superseded" },
    },
    provider: "strict",
    chances: { ...NONE, pause: 1 },
    breaks: "no success dropped",
  },
  {
    name: "failure final",
    protocol: {
      ...PROTOCOL,
      failRefresh: (row, failure) =>
        row.status === "active" && failure.class === "permanent"
          ? requireReauthorization(row)
          : failRefresh(row, failure),
    },
    provider: "strict",
    chances: { ...NONE, pause: 1 },
    breaks: "no false reauthorization",
  },
  {
    name: "lease shorter than the request",
    protocol: {
      ...PROTOCOL,
      timings: { ...PROTOCOL.timings, lease_outlives_request: false },
      claimRefresh: (row, claim) => {
        const { row: claimed, outcome } = claimRefresh(row, { ...claim, lease_outlives_request: true });
        return { row: claimed, outcome };
      },
    },
    provider: "strict",
    chances: NONE,
    breaks: "the request ends before the lease",
  },
  {
    name: "no settle time",
    protocol: { ...PROTOCOL, timings: { ...PROTOCOL.timings, settles: false } },
    provider: "strict",
    chances: { ...NONE, pause: 1 },
    breaks: "no false reauthorization",
  },
  {
    name: "no lock",
    protocol: {
      ...PROTOCOL,
      claimRefresh: (row, claim) => {
        const answered = claimRefresh(row, claim);
        return answered.outcome === "busy" ? grantLease(row, claim) : answered;
      },
    },
    provider: "strict",
    chances: NONE,
    breaks: "one lease",
  },
  {
    name: "asking again without a claim",
    protocol: { ...PROTOCOL, asks_again: true },
    provider: "strict",
    chances: { ...NONE, loss: 1 },
    breaks: "requests are bounded by claims",
  },
  {
    name: "an ambiguous end leaves no mark",
    protocol: {
      ...PROTOCOL,
      failRefresh: (row, failure) =>
        failRefresh(row, failure.class === "ambiguous" ? { ...failure, class: "transient" } : failure),
    },
    provider: "strict",
    chances: { ...NONE, loss: 1 },
    breaks: "label",
  },
  {
    name: "turned away counts as refused",
    protocol: {
      ...PROTOCOL,
      failRefresh: (row, failure) =>
        failRefresh(row, failure.class === "transient" ? { ...failure, class: "permanent" } : failure),
    },
    provider: "strict",
    chances: { ...NONE, loss: 1 },
    breaks: "operator faults change nothing",
  },
  {
    name: "a refusal without a code that counts at once",
    protocol: {
      ...PROTOCOL,
      failRefresh: (row, failure) =>
        failRefresh(row, failure.class === "unexplained" ? { ...failure, class: "permanent" } : failure),
    },
    provider: "strict",
    chances: { ...NONE, loss: 1 },
    breaks: "operator faults change nothing",
  },
  {
    name: "a commit given up where its answer says nothing of it",
    protocol: { ...PROTOCOL, gives_up: true },
    provider: "strict",
    chances: { ...NONE, loss: 1 },
    breaks: "no success dropped",
  },
  {
    name: "connecting again keeps the version",
    protocol: {
      ...PROTOCOL,
      connect: (row, refresh_token) => ({ ...connect(row, refresh_token), version: row.version }),
    },
    provider: "strict",
    chances: { ...NONE, user: 1 },
    breaks: "one version per write",
  },
];
