import { join } from "node:path";
import { read } from "../support/pages.ts";
import { write } from "./project_copy.ts";

const FUNCTIONS = "supabase/functions";

/** What the two pages have a stranger write, word for word. */
export interface Recipes {
  readonly definition: string;
  /** The line of the registry. */
  readonly line: string;
  /** The names of the settings. */
  readonly settings: readonly string[];
  readonly policy: string;
  readonly code: string;
  /** Of `supabase/config.toml`. */
  readonly section: string;
}

export async function readRecipes(): Promise<Recipes> {
  const [provider, calls] = [await read("docs/another-provider.md"), await read("docs/call-the-api.md")];
  const settings = blockWith(provider, "ACME_CLIENT_ID=").matchAll(/^(\w+)=/gm);
  return {
    definition: blockWith(provider, "= define({"),
    line: blockWith(provider, 'import("./acme.ts")'),
    settings: Array.from(settings, ([, name = ""]) => name),
    policy: blockWith(calls, "export const allowed"),
    code: blockWith(calls, "export default"),
    section: blockWith(calls, "[functions."),
  };
}

/** The one block of code with this text. */
function blockWith(page: string, text: string): string {
  const blocks = Array.from(page.matchAll(/^```\w+\n([\s\S]*?)^```$/gm), ([, code = ""]) => code);
  const [found, ...more] = blocks.filter((code) => code.includes(text));
  if (found === undefined || more.length > 0) throw new Error(`not one block has "${text}"`);
  return found;
}

/** docs/another-provider.md, in a clone. */
export async function addProvider(clone: string, { definition, line }: Recipes): Promise<void> {
  const folder = join(clone, FUNCTIONS, "_shared/providers");
  await write(join(folder, "acme.ts"), definition);
  await change(join(folder, "mod.ts"), /Object\.entries\(\{\n/, (begins) => begins + line);
}

/** docs/call-the-api.md, a line of policy. */
export async function addLines(clone: string, { policy }: Recipes): Promise<void> {
  await change(join(clone, FUNCTIONS, "proxy/allowed.ts"), /^export const allowed.*\n/m, () => policy);
}

/** docs/call-the-api.md, a function. */
export async function addFunction(clone: string, { code, section }: Recipes): Promise<void> {
  await write(join(clone, FUNCTIONS, "deals/index.ts"), code);
  await change(join(clone, "supabase/config.toml"), /$/, () => `\n${section}`);
}

async function change(path: string, place: RegExp, by: (found: string) => string): Promise<void> {
  const text = await Deno.readTextFile(path);
  const changed = text.replace(place, by);
  if (changed === text) throw new Error(`${path} has no place for it`);
  await Deno.writeTextFile(path, changed);
}
