/** A step from one state to the next, and the small changes that steps are made of. */
import type { Failure, Row } from "./protocol.ts";
import { sameToken, type Token } from "./provider.ts";
import type { Chances, State, Worker } from "./state.ts";

/** What a step did, for those who judge it. */
export type Act =
  | { readonly name: "claim" | "commit"; readonly outcome: string }
  | { readonly name: "fail"; readonly outcome: string; readonly class: Failure["class"] }
  | { readonly name: "send" | "connect" | "disconnect" | "other" };

export interface Step {
  /** The worker's place; null: nobody's doing. */
  readonly who: number | null;
  readonly words: () => string;
  readonly act: Act;
  /** False for what need not ever happen: a fault, or a user's wish. */
  readonly inevitable: boolean;
  readonly after: State;
}

export type Emit = (step: Step) => void;

export const OTHER: Act = { name: "other" };

/** Something of no one's doing that must happen some time. */
export function happens(emit: Emit, words: string, after: State): void {
  emit({ who: null, words: () => words, act: OTHER, inevitable: true, after });
}

/** Something of no one's doing that need not happen. Null: its chances are used up. */
export function mayHappen(emit: Emit, words: string, after: State | null, act: Act = OTHER): void {
  if (after) emit({ who: null, words: () => words, act, inevitable: false, after });
}

/** Takes one of the chances; null if they are used up. */
export function chance(state: State, which: keyof Chances): State | null {
  const left = state.chances[which];
  return left === 0 ? null : { ...state, chances: { ...state.chances, [which]: left - 1 } };
}

/** A new row; one with other tokens begins its count of claims anew, and a loss before it is made good. */
export function withRow(state: State, row: Row): State {
  if (row.version === state.row.version && sameToken(row.refresh_token, state.row.refresh_token)) {
    return { ...state, row };
  }
  return { ...state, row, unused_claims: 0, loss_explained: false };
}

export function withWorker(state: State, who: number, worker: Worker): State {
  return { ...state, workers: state.workers.with(who, worker) };
}

export function letter(who: number): string {
  return "ABCDEFGH"[who] ?? String(who);
}

/** Of the second authorization the third: "token 2.3". */
export function nameOf(token: Token | null): string {
  return token === null ? "no token" : `token ${token.authorization + 1}.${token.serial}`;
}
