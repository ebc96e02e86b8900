/** One moment of the whole: the row, the provider, the workers, and what may still go wrong. */
import type { Protocol, Row, Time } from "./protocol.ts";
import type { Authorizations, Kind, Token } from "./provider.ts";
import { NEW_AUTHORIZATION, sameToken } from "./provider.ts";

/**
 * `ready` to claim, `claimed`, `asking` the provider, then one of four ends of the request: `answered` with a token,
 * `refused`, `unheard` (sent, no answer seen), `turned away` (not processed). `gone`: the process died.
 */
export const PHASES = [
  "ready",
  "claimed",
  "asking",
  "answered",
  "refused",
  "unheard",
  "turned away",
  "gone",
] as const;
export type Phase = typeof PHASES[number];

/** A process with one refresh at a time; after it, it may begin another. */
export interface Worker {
  readonly phase: Phase;
  /** Claims it may still make. */
  readonly claims: number;
  readonly lease_id: string | null;
  /** The version whose refresh token it was given. */
  readonly base_version: number;
  /** The refresh token it was given; from `answered` on the one it received. */
  readonly token: Token | null;
}

/** How often each thing that need not happen may still happen. */
export interface Chances {
  /** A process dies in the middle of an attempt. */
  readonly crash: number;
  /** A message is lost, on the way to or from the provider or the database, or the provider turns a request away. */
  readonly loss: number;
  /** A lease runs out although its holder is at work, because the process was paused. */
  readonly pause: number;
  /** The user disconnects, connects again or withdraws the authorization at the provider. */
  readonly user: number;
  /** The access token comes to its soft window once more; by then the provider's grace windows have closed. */
  readonly expiry: number;
}

export interface State {
  readonly row: Row;
  /** Claims at this version less the token requests made with it; below zero, requests are not bounded by claims. */
  readonly unused_claims: number;
  readonly authorizations: Authorizations;
  /** The one that the row speaks for; null: the user has disconnected. */
  readonly authorization: number | null;
  /** A crash or a lost answer took the only copy of the current refresh token: what follows is nobody's mistake. */
  readonly loss_explained: boolean;
  readonly workers: readonly Worker[];
  /** Requests that the provider may still answer though nobody listens any more. */
  readonly abandoned: readonly Token[];
  readonly chances: Chances;
}

/** What is explored: a protocol in surroundings. */
export interface World {
  readonly protocol: Protocol;
  readonly provider: Kind;
  readonly workers: number;
  /** Claims each worker makes at most. */
  readonly claims: number;
  readonly chances: Chances;
  /** Whether the provider may get to a request only after its caller has given it up and another one was sent. */
  readonly overtaking: boolean;
}

export const READY = { phase: "ready", lease_id: null, base_version: 0, token: null } as const;

/** A connection whose token set is due, and workers who all have just seen that. */
export function begin({ workers, claims, chances }: World): State {
  return {
    row: {
      status: "active",
      version: 1,
      refresh_after: "past",
      lease_id: null,
      lease_until: null,
      attempts: 0,
      unsettled_until: null,
      next_attempt_at: null,
      committed_lease_id: null,
      failure_code: null,
      refresh_token: { authorization: 0, serial: NEW_AUTHORIZATION.serial },
    },
    unused_claims: 0,
    authorizations: [NEW_AUTHORIZATION],
    authorization: 0,
    loss_explained: false,
    workers: Array.from({ length: workers }, () => ({ ...READY, claims })),
    abandoned: [],
    chances,
  };
}

/** Between a claim and the commit or the end of the request: the time that a lease must outlive. */
export function isAtWork({ phase }: Worker): boolean {
  return phase === "claimed" || phase === "asking" || phase === "answered";
}

/** Whether the row or a living process has this token, so that it is not lost. */
export function isHeld({ row, workers }: State, token: Token): boolean {
  return sameToken(row.refresh_token, token) ||
    workers.some((worker) => worker.phase === "answered" && sameToken(worker.token, token));
}

/**
 * The same text for states that differ in nothing that matters: workers may change places, and a lease is known by
 * who holds it, not by its id. Two states with one key have the same futures but for the workers' names.
 */
export function keyOf(state: State): string {
  const { row, chances } = state;
  const bytes = [
    STATUSES.indexOf(row.status) << 6 | time(row.refresh_after) << 4 | time(row.unsettled_until) << 2 |
    time(row.lease_until),
    NEXT_ATTEMPTS.indexOf(row.next_attempt_at) << 4 | CODES.indexOf(row.failure_code) << 2 |
    (row.lease_id === null ? 0 : 2) | (state.loss_explained ? 1 : 0),
    row.version << 4 | (state.unused_claims + 4),
    code(row.refresh_token),
    chances.crash << 6 | chances.loss << 4 | chances.pause << 2 | chances.user,
    chances.expiry << 6 | (state.authorization ?? 7) << 3 | state.abandoned.length,
  ];
  for (const token of state.abandoned) bytes.push(code(token));
  for (const { serial, grace, status } of state.authorizations) {
    bytes.push(serial << 3 | ENDS.indexOf(status) << 1 | (grace ? 1 : 0));
  }
  const workers = state.workers.map((worker) => keyOfWorker(row, worker)).sort(ascending);
  for (const worker of workers) bytes.push(worker >> 16, worker >> 8 & 0xff, worker & 0xff);
  return String.fromCharCode(...bytes);
}

function keyOfWorker(row: Row, { phase, claims, lease_id, base_version, token }: Worker): number {
  const holds = lease_id !== null && lease_id === row.lease_id;
  const committed = lease_id !== null && lease_id === row.committed_lease_id;
  return PHASES.indexOf(phase) << 16 | claims << 14 | base_version << 10 | (holds ? 1 << 9 : 0) |
    (committed ? 1 << 8 : 0) | code(token);
}

const STATUSES = ["active", "reauthorization_required", "disconnected"];
const NEXT_ATTEMPTS = [null, "ahead", "unsettled_until"];
const CODES = [null, "grant_refused", "rotation_lost"];
const ENDS = ["alive", "withdrawn", "revoked"];

function time(time: Time): number {
  return time === null ? 0 : time === "past" ? 1 : 2;
}

function code(token: Token | null): number {
  return token === null ? 0 : token.authorization << 4 | token.serial;
}

function ascending(one: number, other: number): number {
  return one - other;
}
