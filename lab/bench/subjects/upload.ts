import { dirname, join } from "node:path";
import { run } from "../../../local/stack/process.ts";
import { filesOf, OUR_FUNCTIONS } from "../../deploy/needs.ts";
import { packageSizes } from "../../deploy/package_sizes.ts";
import { ROOT } from "../../support/pages.ts";
import { entrypoint } from "../field/function_process.ts";
import { difference, type Figure } from "../figures.ts";
import type { Bench, Subject } from "../subject.ts";

interface Weight {
  readonly own_kb: number;
  readonly packages_kb: number;
}

export const upload: Subject = {
  name: "upload",
  title: "What is uploaded",
  method:
    "The files that a deploy uploads (those that a function imports, and the import map: `lab/deploy/` shows with the real " +
    "CLI that it is these), and the packages of its graph as unpacked, of which a bundle holds what is imported.",
  on_each_runtime: false,
  async measure(bench) {
    const control = await weigh(bench, "with_supabase", ["lab/bench/controls/with_supabase.ts"]);
    const figures: Figure[] = [];
    for (const name of OUR_FUNCTIONS) {
      const weight = await weigh(bench, name, [...await filesOf(name)]);
      const against = "empty `withSupabase`, one `fetch`";
      const rows = [
        ["own files", "own_kb", "our code and its comments"],
        [
          "packages",
          "packages_kb",
          "the packages as published: types, maps and both module systems included",
        ],
      ] as const;
      figures.push(...rows.map(([what, column, limited_by]) =>
        difference({
          what: `${what}, \`${name}\``,
          against,
          unit: "kB",
          itself: [weight[column]],
          control: [control[column]],
          limited_by,
        })
      ));
    }
    return { figures };
  },
};

async function weigh({ field, runtime }: Bench, name: string, files: readonly string[]): Promise<Weight> {
  let own = 0;
  for (const path of ["import_map.json", ...files]) own += (await Deno.stat(new URL(path, ROOT))).size;
  const place = { cwd: dirname(join(field.folder, entrypoint(name))) };
  const map = `--import-map=${join(field.folder, "import_map.json")}`;
  const graph = ["info", "--json", "--no-lock", "--node-modules-dir=none", map, "index.ts"];
  const sizes = await packageSizes(
    await run(runtime.path, graph, place),
    await run(runtime.path, ["info", "--json"], place),
  );
  const packages = [...sizes.values()].reduce((total, size) => total + size, 0);
  return { own_kb: own / 1_000, packages_kb: packages / 1_000 };
}
