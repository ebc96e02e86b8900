import type { Seat } from "./journal.ts";

/**
 * A point at which a run can stop time for one request: before it is passed on, or once it was answered. Between the
 * two lies all that a process cannot see from inside.
 */
export interface Moment {
  readonly at: "claim" | "commit" | "fail" | "disconnect" | "connect" | "exchange" | "token" | "revoke";
  readonly side: "arrived" | "answered";
  /** "" for `exchange`: whose the tokens will be is not known yet. */
  readonly connection: string;
  /** For `claim`, what the database said. */
  readonly outcome?: string;
  /** For `token`, the version that is presented. */
  readonly version?: number;
  readonly seat: Seat;
  /** For `token`: whether whoever asked still listens. */
  readonly listening?: () => boolean;
}

/** `drop`: the connection breaks without an answer. An object: what is sent in the answer's place. */
export type Verdict = "pass" | "drop" | "truncate" | Substitute;
export type Substitute =
  | { readonly status: number; readonly html: string }
  | { readonly status: number; readonly json: unknown };

/** Decides about a moment; null: not this rule's business. It may take its time, and the request waits. */
export type Rule = (moment: Moment) => Promise<Verdict> | Verdict | null;

export class Rules {
  readonly #rules = new Set<Rule>();

  /** @returns takes the rule back */
  add(rule: Rule): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  clear(): void {
    this.#rules.clear();
  }

  async judge(moment: Moment): Promise<Verdict> {
    for (const rule of this.#rules) {
      const verdict = rule(moment);
      if (verdict !== null) return await verdict;
    }
    return "pass";
  }
}
