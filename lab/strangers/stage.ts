import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import postgres from "postgres";
import { guard, removeQuietly } from "../../local/stack/process.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { Undo } from "../../local/stack/undo.ts";
import type { Definition } from "../../supabase/functions/_shared/oauth/provider.ts";
import { walk } from "../../tests/support/walk.ts";
import type { Stranger } from "./stranger.ts";

const ROOT = new URL("../../", import.meta.url);
const FUNCTIONS = "supabase/functions";
/** The function that a provider is called with: of its own, so that no two share processes. */
export const callOf = (provider: string): string => `call-${provider}`;

/** The local stack, to whose functions strangers were added as one file each. */
export interface Stage {
  readonly stack: Stack;
  /** As the database's owner. */
  readonly sql: postgres.Sql;
  stop(): Promise<void>;
}

/** Two processes serve the calls to each, and one serves each function of the project. */
export async function startStage(strangers: readonly Stranger[]): Promise<Stage> {
  return await Undo.around(async (undo) => {
    const folder = await Deno.makeTempDir({ prefix: "strangers-" });
    const guarded = guard({ pid: null, remove: folder });
    undo.add(() => guarded.release());
    undo.add(() => removeQuietly(folder));
    const definitions = strangers.map((stranger) => stranger.definition());
    await layFunctions(folder, definitions);
    const stack = await startStack({
      env: Object.assign({}, ...strangers.map(settingsOf)),
      functions: pathToFileURL(`${folder}/`),
      instances: Object.fromEntries(definitions.map(({ name }) => [callOf(name), 2])),
    });
    undo.add(() => stack.stop());
    const sql = postgres(stack.database_url, { max: 4, onnotice: () => {} });
    undo.add(() => sql.end());
    return { stack, sql, stop: () => undo.run() };
  });
}

/** What an operator would set: the definitions name addresses that only a sandbox's can stand in for. */
function settingsOf(stranger: Stranger): Record<string, string> {
  const prefix = stranger.definition().name.toUpperCase().replaceAll("-", "_");
  return {
    [`${prefix}_CLIENT_ID`]: stranger.client_id,
    [`${prefix}_CLIENT_SECRET`]: stranger.client_secret,
    [`${prefix}_OAUTH_ORIGIN`]: stranger.origin,
    [`${prefix}_API_ORIGINS`]: stranger.api_origin,
  };
}

/** The project's functions, with what docs/another-provider.md has somebody write for each provider. */
async function layFunctions(folder: string, definitions: readonly Definition[]): Promise<void> {
  for await (const path of walk(ROOT, FUNCTIONS)) {
    const to = join(folder, path.slice(FUNCTIONS.length));
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.copyFile(new URL(path, ROOT), to);
  }
  const providers = join(folder, "_shared/providers");
  for (const definition of definitions) {
    const source = `import { define } from "./define.ts";

export const ${wordOf(definition)} = define(${JSON.stringify(definition, null, 2)});
`;
    await Deno.writeTextFile(join(providers, `${wordOf(definition)}.ts`), source);
  }
  const registry = await Deno.readTextFile(join(providers, "mod.ts"));
  await Deno.writeTextFile(join(providers, "mod.ts"), withEach(registry, definitions));
  const call = await Deno.readTextFile(new URL("./call_stranger.ts", import.meta.url));
  for (const { name } of definitions) {
    const place = join(folder, callOf(name));
    await Deno.mkdir(place);
    await Deno.writeTextFile(join(place, "index.ts"), call.replaceAll(`../../${FUNCTIONS}/`, "../"));
  }
}

function wordOf({ name }: Definition): string {
  return name.replaceAll("-", "_");
}

/** The registry with more of them, a line each. */
function withEach(registry: string, definitions: readonly Definition[]): string {
  const lines = definitions.map((definition) => {
    const word = wordOf(definition);
    return `  "${definition.name}": async () => (await import("./${word}.ts")).${word},\n`;
  });
  const longer = registry.replace(/Object\.entries\(\{\n/, (begins) => begins + lines.join(""));
  if (longer === registry) throw new Error("providers/mod.ts has no list that a provider could be added to");
  return longer;
}
