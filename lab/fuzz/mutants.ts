/** The judge without one of its parts. A fuzz that lets one of these pass proves nothing about the whole. */
import { judge } from "../../supabase/functions/proxy/policy.ts";
import { readingOf, RULES } from "../../supabase/functions/proxy/rules.ts";
import type { Judge } from "./fuzz.ts";

export interface Mutant {
  readonly name: string;
  readonly judge: Judge;
}

function decodedOnly(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}

export const MUTANTS: readonly Mutant[] = [
  ...RULES.map(({ why }): Mutant => {
    const rules = RULES.filter((rule) => rule.why !== why);
    return {
      name: `it does not matter that ${why}`,
      judge: (compiled, call) => judge(compiled, call, { rules, read: readingOf }),
    };
  }),
  {
    name: "look-alikes are what they are",
    judge: (compiled, call) => judge(compiled, call, { rules: RULES, read: decodedOnly }),
  },
  {
    name: "users and secret keys have one list",
    judge: (compiled, call) => {
      const other = { ...call, caller: call.caller === "user" ? "secret" as const : "user" as const };
      const judged = judge(compiled, call);
      return judged.allowed ? judged : judge(compiled, other);
    },
  },
  {
    name: "whatever may be read may be written",
    judge: (compiled, call) => {
      const judged = judge(compiled, call);
      return judged.allowed ? judged : judge(compiled, { ...call, method: "GET" });
    },
  },
  {
    name: "every base has every line",
    judge: (compiled, call) => {
      const judged = judge(compiled, call);
      return judged.allowed ? judged : judge(compiled, { ...call, base: undefined });
    },
  },
  {
    name: "capitals make no difference",
    judge: (compiled, call) => judge(compiled, { ...call, path: call.path.toLowerCase() }),
  },
  {
    name: "what is compared is decoded",
    judge: (compiled, call) => judge(compiled, { ...call, path: decodedOnly(call.path) ?? call.path }),
  },
  {
    name: "a GET changes something where it is written as the line",
    judge: (compiled, call) => {
      const judged = judge(compiled, call);
      const named = /^\/deals\/purge$|^\/v1\/touch\/content$|\/rebuild$/.test(call.path);
      const read = call.method === "GET" || call.method === "HEAD";
      return judged.allowed && read ? { ...judged, changes: named } : judged;
    },
  },
  {
    name: "no GET changes anything",
    judge: (compiled, call) => {
      const judged = judge(compiled, call);
      return judged.allowed ? { ...judged, changes: false } : judged;
    },
  },
];
