/** `deno task suffixes`: writes `public_suffixes.ts` from the Public Suffix List as the package `tldts` carries it. */
import {
  edgeChild,
  edgeLength,
  edgeStart,
  exceptionsRoot,
  labelText,
  nodeFlags,
  rulesRoot,
} from "tldts/dist/es6/src/data/trie.js";

/** What is checked in. */
export const SUFFIXES_FILE = new URL("../supabase/functions/_shared/public_suffixes.ts", import.meta.url);

const HEAD = `// Written by \`deno task suffixes\` from https://publicsuffix.org/list/. Not to be edited.

`;

/** The file's text: each rule in the URL parser's own writing, an exception with "!" before it. */
export function publicSuffixes(): string {
  const starts = startsOf(edgeLength);
  const rules = [...namesUnder(rulesRoot, starts)].map((rule) => written(rule));
  const exceptions = [...namesUnder(exceptionsRoot, starts)].map((rule) => `!${written(rule)}`);
  return `${HEAD}export const PUBLIC_SUFFIXES =\n  "${[...rules, ...exceptions].toSorted().join(" ")}";\n`;
}

/** Where each label begins in the text of all. */
function startsOf(lengths: Uint8Array): number[] {
  const starts: number[] = [];
  let next = 0;
  for (const length of lengths) {
    starts.push(next);
    next += length;
  }
  return starts;
}

function* namesUnder(node: number, starts: readonly number[], suffix = ""): Generator<string> {
  for (let edge = edgeStart[node] ?? 0; edge < (edgeStart[node + 1] ?? 0); edge += 1) {
    const start = starts[edge] ?? 0;
    const name = labelText.slice(start, start + (edgeLength[edge] ?? 0)) + suffix;
    const child = edgeChild[edge] ?? 0;
    if (nodeFlags[child]) yield name;
    yield* namesUnder(child, starts, `.${name}`);
  }
}

function written(rule: string): string {
  return new URL(`https://${rule}`).hostname;
}

if (import.meta.main) await Deno.writeTextFile(SUFFIXES_FILE, publicSuffixes());
