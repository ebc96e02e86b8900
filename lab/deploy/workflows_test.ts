import { fileURLToPath } from "node:url";
import { walk } from "../../tests/support/walk.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";

const ROOT = new URL("../../", import.meta.url);
/** What a workflow may run: what the pages have people run, and the tests here prove. */
const KNOWN = [
  /^deno task ok \$\{\{ matrix\.parts \}\}$/,
  /^npx -y supabase@\S+ link --project-ref "\$PROJECT_REF"$/,
  /^npx -y supabase@\S+ db push --remote --yes$/,
  /^npx -y supabase@\S+ functions deploy --use-api --yes$/,
  /^deno task registry$/,
  /^gh release create "\$TAG" registry\/oauth-tokens\.json --verify-tag /,
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
    assert(KNOWN.some((known) => known.test(command)), `"${command}" is no command of the README's`);
  }
});

Deno.test("the jobs together are the whole gate, and a deploy waits for all of them", async () => {
  const text = new Map(workflows);
  const [parts = ""] = values(text.get(".github/workflows/ok.yml") ?? "", "parts");
  const refused = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fileURLToPath(new URL("tests/ok.ts", ROOT)), "no-part"],
    cwd: fileURLToPath(ROOT),
  }).output();
  const [, all = ""] = /is no part of the gate: (.+)/.exec(new TextDecoder().decode(refused.stderr)) ?? [];
  assert(all.includes("test") && all.includes("lab"));
  assertEquals(parts.match(/\w+/g), all.split(", "));
  const deploy = text.get(".github/workflows/deploy.yml") ?? "";
  assert(/^ {2}ok:\n {4}uses: \.\/\.github\/workflows\/ok\.yml\n/m.test(deploy));
  for (const job of ["deploy", "release"]) assert(deploy.includes(`\n  ${job}:\n    needs: ok\n`), job);
});

Deno.test("an action is pinned to what was read, not to a name that moves", () => {
  const actions = workflows.flatMap(([, text]) => values(text, "uses"));
  assert(actions.length > 0);
  for (const action of actions) {
    assert(/^\.\/|^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action), action);
  }
});

Deno.test("a workflow may read the repository and nothing more, but for the job that makes a release", () => {
  for (const [path, text] of workflows) {
    assert(/^permissions:\n {2}contents: read$/m.test(text), path);
    const [others = "", release] = text.split("\n  release:\n");
    assert(!/pull_request_target|: write\b/.test(others), path);
    const written = Array.from(release?.matchAll(/^ *(\S+: write)$/gm) ?? [], ([, one]) => one);
    assertEquals(written, release === undefined ? [] : ["contents: write"]);
  }
});
