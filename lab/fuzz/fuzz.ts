import {
  type Call,
  compile,
  type Compiled,
  judge,
  type Judgement,
} from "../../supabase/functions/proxy/policy.ts";
import { seeded } from "../chaos/seeded.ts";
import { drawCall } from "./grammar.ts";
import { DEFINITIONS, POLICY } from "./lists.ts";
import { harm } from "./oracle.ts";

export type Judge = (compiled: Compiled, call: Call) => Judgement;

export interface Fuzzed {
  readonly tried: number;
  readonly allowed: number;
  /** Of the allowed: those that wait, and are never repeated. */
  readonly changing: number;
  /** How often each reason was given. */
  readonly refused: ReadonlyMap<string, number>;
  /** The first call that should not have passed, and why not. */
  readonly harmful?: { readonly call: Call; readonly harm: string };
}

/** Tries so many calls, or as many as it takes to find one that should not have passed. */
export function fuzz(paths: number, seed: number, judged: Judge = judge): Fuzzed {
  const draw = seeded(seed);
  const compiled = compile(POLICY, DEFINITIONS);
  const refused = new Map<string, number>();
  const counts = { tried: 0, allowed: 0, changing: 0 };
  while (counts.tried < paths) {
    const call = drawCall(draw);
    const judgement = judged(compiled, call);
    counts.tried += 1;
    if (!judgement.allowed) {
      refused.set(judgement.why, (refused.get(judgement.why) ?? 0) + 1);
      continue;
    }
    counts.allowed += 1;
    if (judgement.changes) counts.changing += 1;
    const found = harm(call, judgement);
    if (found !== null) return { ...counts, refused, harmful: { call, harm: found } };
  }
  return { ...counts, refused };
}
