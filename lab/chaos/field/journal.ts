/** Which process: its function, its place in the fleet, and which of the processes that stood there one after another. */
export interface Seat {
  readonly fleet: string;
  readonly name: string;
  readonly place: number;
  readonly generation: number;
}

/** The provider's judgement of a refresh token that was presented. */
export type Judgement = "rotated" | "refused" | "refused_without_code" | "unprocessed";

/** How an answer of the provider left for the process that had asked. */
export type Delivery = "whole" | "broken" | "caller_left";

/**
 * One thing that was seen from outside. A token set is named by the connection and by the version under which it is,
 * or would be, stored: no entry holds a token. `request` is the `seq` of the entry that says what was presented.
 */
export type Happening =
  | { what: "connected"; connection: string; version: number }
  | { what: "presented"; connection: string; version: number; seat: Seat }
  | { what: "judged"; connection: string; version: number; request: number; how: Judgement; seat: Seat }
  | { what: "delivered"; connection: string; version: number; request: number; how: Delivery; seat: Seat }
  | {
    what: "claimed";
    connection: string;
    version: number;
    lease: string;
    /** Filled in by `historyOf()`: the database knows. */
    takeover?: boolean;
    /** When the claim was sent on to the database, milliseconds; the lease cannot have begun earlier. */
    sent_at: number;
    /** How long its token request may take, counted from the claim's answer. */
    request_ms: number;
    lease_ms: number;
    seat: Seat;
  }
  | { what: "commit_arrived"; connection: string; base: number; lease: string; seat: Seat }
  | { what: "committed"; connection: string; base: number; lease: string; outcome: string; seat: Seat }
  | { what: "fail_arrived"; connection: string; lease: string; class: string; code: string; seat: Seat }
  | { what: "failed"; connection: string; lease: string; outcome: string; seat: Seat }
  | { what: "disconnect_arrived"; connection: string; seat: Seat }
  /** At the provider; `version` is that of the token that was presented for it. Null: the user did it there. */
  | { what: "revoked"; connection: string; version: number; seat: Seat | null }
  /** The run itself has ended a lease, by backdating it. */
  | { what: "lease_ended"; connection: string }
  | { what: "killed" | "paused" | "resumed"; seat: Seat }
  | { what: "fault"; how: string };

/**
 * `seq` orders everything that was seen, at the provider, at the database and in between; `at` is in milliseconds, on
 * the one monotonic clock of the run.
 */
export type Entry = Happening & { readonly seq: number; readonly at: number };

export class Journal {
  readonly entries: Entry[] = [];

  record(happening: Happening): Entry {
    const entry = { ...happening, seq: this.entries.length + 1, at: performance.now() };
    this.entries.push(entry);
    return entry;
  }
}
