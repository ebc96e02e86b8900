/**
 * Who may import whom. A rule that nothing checks is gone in a month: run by `deno task ok`, it names every import
 * that crosses a line.
 */
import { walk } from "./support/walk.ts";

const FUNCTIONS = "supabase/functions/";
const SHARED = `${FUNCTIONS}_shared/`;

interface Rule {
  /** The files it binds: the first rule whose pattern matches a path. */
  readonly files: RegExp;
  /** What of ours they may import, as paths from the root. */
  readonly ours: RegExp;
  /** Packages they may import, as named in the import map. */
  readonly packages: RegExp;
  readonly environment?: boolean;
}

/** The root files that everything may use: they use nothing but each other. */
const ROOT = "bytes\\.ts$|errors\\.ts$|latest\\.ts$|time\\.ts$";
/** What a refresh is made of. */
const BELOW = `keep/|oauth/|context\\.ts$|${ROOT}`;

const RULES: readonly Rule[] = [
  // The protocol: RFC words, no database, no Supabase.
  rule("oauth/", `oauth/|${ROOT}`, /^(oauth4webapi|jose)$/),
  // A provider is data, and the check of it.
  rule("providers/", "providers/|oauth/(api_answer|provider|template|values)\\.ts$", /^valibot$/),
  // Only the store touches the database client.
  rule("keep/store\\.ts$", `keep/|${ROOT}`, /^@supabase\/supabase-js$/),
  // What is kept knows no provider and no edge.
  rule("keep/", `keep/|oauth/|${ROOT}`, /^jose$/),
  // What everything above works with, as types.
  rule("context\\.ts$", BELOW),
  // Refreshing knows nobody who asks for it.
  rule("refresh/", `refresh/|${BELOW}`),
  // Connecting and using know nothing of each other, and a provider is passed to them.
  rule("connect/", `connect/|refresh/|${BELOW}`),
  rule("use/", `use/|refresh/|${BELOW}`),
  // The edge knows errors, and no store.
  rule("http/", `http/|${ROOT}`, /^(@supabase\/server\/core|valibot)$/),
  // Two files read the environment and put the parts together.
  { ...rule("(env|wiring)\\.ts$", "", /./), environment: true },
  rule("app_origins\\.ts$", "public_suffixes\\.ts$"),
  rule(`(${ROOT})`, ROOT),
  ...["oauth-callback", "proxy", "refresh-token", "search-persons"].map(functionRule),
  // The wing may be deleted: nothing outside it needs it.
  { files: /^(local|tests|tools|demo|examples)\//, ours: /^(?!lab\/)/, packages: /./, environment: true },
];

function rule(files: string, ours: string, packages = /^$/): Rule {
  return { files: new RegExp(`^${SHARED}(${files})`), ours: shared(ours), packages };
}

/** Every import of `path` that its rule forbids, as sentences. */
export function violations(path: string, source: string): string[] {
  const rule = ruleFor(path);
  if (!rule) return [];
  const found: string[] = [];
  for (const specifier of importsOf(source)) {
    const target = /^\.{1,2}\//.test(specifier) ? resolve(path, specifier) : null;
    const allowed = target
      ? rule.ours.test(target)
      : specifier.startsWith("node:") || rule.packages.test(specifier);
    if (!allowed) found.push(`${path} may not import "${target ?? specifier}"`);
  }
  if (!rule.environment && /\bDeno\.env\b/.test(source)) found.push(`${path} may not read the environment`);
  return found;
}

function ruleFor(path: string): Rule | undefined {
  return RULES.find(({ files }) => files.test(path));
}

/** A function of ours; what a fork adds beside them is its own business. */
function functionRule(name: string): Rule {
  const shared = "use/|connect/|refresh/|providers/|http/|(app_origins|bytes|errors|context|wiring)\\.ts$";
  return {
    files: new RegExp(`^${FUNCTIONS}${name}/`),
    ours: new RegExp(`^${FUNCTIONS}(${name}/|_shared/(${shared}))`),
    packages: /^valibot$/,
  };
}

function shared(places: string): RegExp {
  return new RegExp(`^${SHARED}(${places})`);
}

/** What a module imports, as it is written there. */
export function importsOf(source: string): string[] {
  const statements = source.matchAll(/(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*["']([^"']+)["']/g);
  const bare = source.matchAll(/(?:^|\n)\s*import\s*["']([^"']+)["']/g);
  const dynamic = source.matchAll(/\bimport\(\s*["']([^"']+)["']/g);
  return [...statements, ...bare, ...dynamic].map((match) => match[1] ?? "");
}

function resolve(path: string, specifier: string): string {
  return new URL(specifier, `file:///${path}`).pathname.slice(1);
}

if (import.meta.main) {
  const root = new URL("../", import.meta.url);
  const found: string[] = [];
  for (const folder of ["supabase/functions", "local", "tests", "tools", "demo", "examples"]) {
    for await (const path of walk(root, folder)) {
      if (!/\.(tsx?|js)$/.test(path)) continue;
      found.push(...violations(path, await Deno.readTextFile(new URL(path, root))));
    }
  }
  for (const sentence of found) console.error(sentence);
  if (found.length > 0) Deno.exit(1);
}
