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

const RULES: readonly Rule[] = [
  {
    files: /^supabase\/functions\/_shared\/oauth\//,
    ours: shared("oauth/"),
    packages: /^(oauth4webapi|jose)$/,
  },
  {
    files: /^supabase\/functions\/_shared\/providers\//,
    ours: shared("providers/|oauth/client\\.ts$"),
    packages: /^$/,
  },
  {
    files: /^supabase\/functions\/_shared\/tokens\/supabase_store\.ts$/,
    ours: shared("tokens/"),
    packages: /^@supabase\/supabase-js$/,
  },
  {
    files: /^supabase\/functions\/_shared\/tokens\//,
    ours: shared("(tokens/(?!supabase_store)|oauth/)"),
    packages: /^jose$/,
  },
  {
    files: /^supabase\/functions\/_shared\/http\//,
    ours: shared("(http/|oauth/errors\\.ts$|tokens/errors\\.ts$)"),
    packages: /^(@supabase\/server|@supabase\/supabase-js|valibot)$/,
  },
  {
    files: /^supabase\/functions\/_shared\/(env|wiring)\.ts$/,
    ours: shared(""),
    packages: /./,
    environment: true,
  },
];

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
  const rule = RULES.find(({ files }) => files.test(path));
  if (rule || !path.startsWith(FUNCTIONS)) return rule;
  const own = path.slice(FUNCTIONS.length).split("/")[0];
  return {
    files: /./,
    ours: new RegExp(
      `^${FUNCTIONS}(${own}/|_shared/(tokens/(?!supabase_store)|providers/|http/|wiring\\.ts$))`,
    ),
    packages: /^valibot$/,
  };
}

function shared(places: string): RegExp {
  return new RegExp(`^${SHARED}(${places})`);
}

function importsOf(source: string): string[] {
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
  for await (const path of walk(root, "supabase/functions")) {
    if (path.endsWith(".ts")) found.push(...violations(path, await Deno.readTextFile(new URL(path, root))));
  }
  for (const sentence of found) console.error(sentence);
  if (found.length > 0) Deno.exit(1);
}
