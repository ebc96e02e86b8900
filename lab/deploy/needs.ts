import { fileURLToPath } from "node:url";
import { run } from "../../local/stack/process.ts";

const ROOT = new URL("../../", import.meta.url);

/** The files of ours that a function's code imports, types included, as paths from the root: Deno's own walk. */
export async function filesOf(slug: string): Promise<Set<string>> {
  const entrypoint = `supabase/functions/${slug}/index.ts`;
  const graph = await run(Deno.execPath(), ["info", "--json", entrypoint], { cwd: fileURLToPath(ROOT) });
  const { modules }: { modules: { specifier: string }[] } = JSON.parse(graph);
  const ours = modules.map(({ specifier }) => specifier).filter((specifier) =>
    specifier.startsWith(ROOT.href)
  );
  return new Set(ours.map((specifier) => specifier.slice(ROOT.href.length)));
}

/** Ours; what a fork deploys beside them is its own business. */
export const OUR_FUNCTIONS = ["oauth-callback", "proxy", "refresh-token", "search-persons"] as const;
