import { walk } from "../../tests/support/walk.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { CLI_VERSION } from "./supabase_cli.ts";

const ROOT = new URL("../../", import.meta.url);
/** What a workflow may run: what the README has people run, and the tests here prove. */
const KNOWN = [
  /^deno task ok$/,
  /^npx -y supabase@(\S+) link --project-ref "\$PROJECT_REF"$/,
  /^npx -y supabase@(\S+) db push --remote --yes$/,
  /^npx -y supabase@(\S+) functions deploy --use-api --yes$/,
];

const workflows: [path: string, text: string][] = [];
for await (const path of walk(ROOT, ".github/workflows")) {
  workflows.push([path, await Deno.readTextFile(new URL(path, ROOT))]);
}

/** The values of a key that begins a line, or a step. */
function values(text: string, key: string): string[] {
  return [...text.matchAll(new RegExp(`^ *(?:- )?${key}: *(.+)$`, "gm"))].map((match) => match[1] ?? "");
}

Deno.test("a workflow runs nothing that is not run on everyone's machine", () => {
  const commands = workflows.flatMap(([, text]) => values(text, "run"));
  assert(commands.length > 0);
  for (const command of commands) {
    const match = KNOWN.map((known) => known.exec(command)).find((match) => match !== null);
    assert(match, `"${command}" is no command of the README's`);
    assertEquals([command, match[1] ?? CLI_VERSION], [command, CLI_VERSION]);
  }
});

Deno.test("an action is pinned to what was read, not to a name that moves", () => {
  const actions = workflows.flatMap(([, text]) => values(text, "uses"));
  assert(actions.length > 0);
  for (const action of actions) {
    assert(/^\.\/|^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action), action);
  }
});

Deno.test("a workflow may read the repository and nothing more", () => {
  for (const [path, text] of workflows) {
    assert(/^permissions:\n {2}contents: read$/m.test(text), path);
    assert(!/pull_request_target|: write\b/.test(text), path);
  }
});
