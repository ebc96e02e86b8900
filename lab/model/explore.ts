/** Every state that can be reached, breadth first, so that the first way found to a broken promise is a shortest one. */
import { brokenByStep, brokenInTheEnd, type Invariant, isDoubleSpend, isTaken } from "./invariants.ts";
import { begin, keyOf, type State, type World } from "./state.ts";
import { letter, type Step } from "./step.ts";
import { steps } from "./surroundings.ts";

export interface Explored {
  /** Distinct up to the workers' names. */
  readonly states: number;
  /** States in which nothing is under way and no time is left to pass. */
  readonly ends: number;
  /** Steps that send a token which another attempt has sent. */
  readonly double_spends: number;
  /** Ends in which a crash or a lost answer took the connection: what no protocol can prevent at this provider. */
  readonly taken: number;
  /** By how many steps, or in how many ends, each promise is broken; those that hold are absent. */
  readonly broken: Readonly<Partial<Record<Invariant, number>>>;
  /** A shortest way to the first breach of each, in words. */
  readonly traces: Readonly<Partial<Record<Invariant, readonly string[]>>>;
}

/** How a state was reached, as a list that shares its beginning with its neighbours'. */
interface Way {
  readonly before: Way | null;
  readonly words: string;
}

interface Place {
  readonly state: State;
  readonly way: Way | null;
}

/** @param see is shown every state once */
export function explore(world: World, see: (state: State) => void = () => {}): Explored {
  const broken: Partial<Record<Invariant, number>> = {};
  const traces: Partial<Record<Invariant, readonly string[]>> = {};
  const found = { states: 0, ends: 0, double_spends: 0, taken: 0, broken, traces };
  const note = (name: Invariant, way: () => Way | null) => {
    broken[name] = (broken[name] ?? 0) + 1;
    traces[name] ??= tell(way());
  };

  const first = begin(world);
  const seen = new Set([keyOf(first)]);
  let layer: Place[] = [{ state: first, way: null }];
  while (layer.length > 0) {
    const next: Place[] = [];
    for (const { state, way } of layer) {
      see(state);
      let goes_on = false;
      steps(world, state, (step) => {
        goes_on ||= step.inevitable;
        if (isDoubleSpend(state, step)) found.double_spends += 1;
        for (const name of brokenByStep(world, state, step)) note(name, () => further(way, step));
        const size = seen.size;
        if (seen.add(keyOf(step.after)).size > size) {
          next.push({ state: step.after, way: further(way, step) });
        }
      });
      if (goes_on) continue;
      found.ends += 1;
      if (isTaken(world, state)) found.taken += 1;
      for (const name of brokenInTheEnd(world, state)) note(name, () => way);
    }
    layer = next;
  }
  return { ...found, states: seen.size };
}

function further(before: Way | null, { who, words }: Step): Way {
  return { before, words: who === null ? words() : `${letter(who)} ${words()}` };
}

function tell(way: Way | null): string[] {
  const told: string[] = [];
  for (let at = way; at; at = at.before) told.push(at.words);
  return told.reverse();
}
