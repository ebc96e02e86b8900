import { projectFiles } from "../../tests/support/project.ts";
import { projectVersion } from "../version.ts";
import { note } from "./note.ts";

const ROOT = new URL("../../", import.meta.url);
const FUNCTIONS = "supabase/functions/";
/** What a project gets under the same path: code and migrations, and nothing that runs only here. */
const TAKEN = /^supabase\/(functions\/.+(?<!_test)\.ts|migrations\/\d{14}_.+\.sql)$/;

/** https://ui.shadcn.com/docs/registry/registry-item-json */
export interface RegistryItem {
  readonly $schema: string;
  readonly name: string;
  readonly type: "registry:item";
  readonly title: string;
  readonly description: string;
  readonly meta: { readonly version: string };
  readonly files: readonly RegistryFile[];
  /** Printed when the files are written. */
  readonly docs: string;
}

export interface RegistryFile {
  readonly path: string;
  readonly type: "registry:file";
  /** `~` is the project's root, wherever it keeps its components. */
  readonly target: string;
  readonly content: string;
}

/** The whole of this as one item of a shadcn registry. */
export async function registryItem(): Promise<RegistryItem> {
  const version = await projectVersion();
  const paths = (await projectFiles("supabase/")).filter((path) => TAKEN.test(path));
  const functions = paths.flatMap((path) =>
    /^supabase\/functions\/([^_/][^/]*)\/index\.ts$/.exec(path)?.[1] ?? []
  );
  const imports = await read("import_map.json");
  const files = [
    ...await Promise.all(paths.map(async (path) => file(path, await read(path)))),
    // As `supabase functions new` has it: the CLI finds it by its place, in whatever else the project has.
    ...functions.map((name) => file(`${FUNCTIONS}${name}/deno.json`, imports)),
    // Merged into one that is there: what it already has keeps its value.
    file(`${FUNCTIONS}.env.example`, settings(await read(".env.example"))),
  ];
  return {
    $schema: "https://ui.shadcn.com/schema/registry-item.json",
    name: "oauth-tokens",
    type: "registry:item",
    title: "OAuth tokens",
    description:
      "Users connect their accounts at OAuth 2.0 providers; your functions call the APIs in their name.",
    meta: { version },
    files,
    docs: note(version, functions),
  };
}

/** Without what is said of this repository alone. */
function settings(example: string): string {
  return example.replace(
    /^[^]*?\n\n/,
    "# What the functions need; `supabase secrets set --env-file` takes a copy.\n\n",
  );
}

function file(path: string, content: string): RegistryFile {
  return { path, type: "registry:file", target: `~/${path}`, content };
}

function read(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}
