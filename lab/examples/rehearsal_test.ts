/** docs/from-n8n.md, rehearsed as it says: on the local stack, with the sandbox in Pipedrive's place. */
import { join } from "node:path";
import { AppUser } from "../../local/stack/app_user.ts";
import { startStack } from "../../local/stack/stack.ts";
import { assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { read } from "../support/pages.ts";

const TOOLS = "tools/import_app_tok";

Deno.test("what the sandbox issued to the old workflow becomes a connection that works", async () => {
  const page = await read("docs/from-n8n.md");
  for (const named of [`${TOOLS}/rehearse.ts`, `${TOOLS}/main.ts`, ".local/functions.env"]) {
    assertMatch(page, new RegExp(named.replaceAll(".", "\\.")));
  }
  const dir = await Deno.makeTempDir({ prefix: "rehearsal-" });
  const stack = await startStack({ dir });
  try {
    const ana = await new AppUser(stack).signUp("ana");
    const rehearsed = await run([`${TOOLS}/rehearse.ts`, dir]);
    assertMatch(rehearsed.stderr, new RegExp(`--user ${ana.id} `));
    const from = join(dir, "app_tok.json");
    await Deno.writeTextFile(from, rehearsed.stdout);
    const move = [`--env-file=${dir}/functions.env`, `${TOOLS}/main.ts`, "--from", from];
    const whose = ["--to", stack.database_url, "--user", ana.id];
    assertMatch((await run([...move, ...whose, "--dry-run"])).stdout, /would move/);
    assertMatch((await run([...move, ...whose])).stdout, /\bmoved\b/);
    assertEquals((await ana.search("jane doe")).data.items.map(({ item }) => item.name), ["Jane Doe"]);
  } finally {
    await stack.stop();
    await Deno.remove(dir, { recursive: true });
  }
});

async function run(args: string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", ...args],
    cwd: new URL("../../", import.meta.url),
    env: { NO_COLOR: "1" },
  }).output();
  const printed = { stdout: new TextDecoder().decode(stdout), stderr: new TextDecoder().decode(stderr) };
  assertEquals(code, 0, printed.stdout + printed.stderr);
  return printed;
}
