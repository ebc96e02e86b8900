/**
 * docs/add-to-a-project.md, followed in a project that has things of its own, with the real CLIs of shadcn and
 * Supabase: it works, what the project had is as it was, and it can be updated and removed again.
 */
import { join } from "node:path";
import { AppUser } from "../../local/stack/app_user.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { readCatalogue } from "../../tests/support/catalogue.ts";
import { codeBlocks, read } from "../support/pages.ts";
import { commandsIn, filesIn, sectionsIn, type TheirProject, withTheirProject } from "./add_to_project.ts";
import { warnings } from "./clone.ts";
import type { Upload } from "./management_api.ts";
import { write } from "./project_copy.ts";

const FUNCTIONS = ["oauth-callback", "proxy", "refresh-token", "search-persons"];
const POLICY = "supabase/functions/proxy/allowed.ts";
const MIGRATION = "supabase/migrations/20261102000000_oauth_newer.sql";
/** As a page has it. */
const ADDRESS = "https://github.com/<owner>/<repo>/releases/latest/download/oauth-tokens.json";
const CHANGED = "supabase/functions/_shared/time.ts";
const [, SHADCN = ""] = /npx (shadcn@\S+) add/.exec(await read("docs/add-to-a-project.md")) ?? [];

Deno.test("added to a project, it works beside what was there; updated and removed, that is as it was", async (t) => {
  await withTheirProject(async (project) => {
    const { folder, api, terminal, hosted, sql, early, early_url, supabase } = project;
    const before = { files: await filesIn(folder), catalogue: await readCatalogue(sql) };
    const greet = api.uploads.get("greet");
    assert(greet);
    const [address, item] = await project.releases.publish();

    const printed = await terminal.type(`npx ${SHADCN} add ${address}`);
    const [sections, commands] = [sectionsIn(printed), commandsIn(printed)];
    const [push = "", set = "", deploy = "", ...more] = commands;
    await t.step("every file is there as released, and no other was touched", async () => {
      const files = await filesIn(folder);
      for (const { path, content } of item.files) assertEquals([path, files.get(path)], [path, content]);
      const added = new Set(item.files.map(({ path }) => path));
      assertEquals(new Map([...files].filter(([path]) => !added.has(path))), before.files);
    });
    await t.step("what is left to do is printed, and the page says it too", async () => {
      assert(printed.includes(item.docs), printed);
      assertEquals(more, []);
      const page = await read("docs/add-to-a-project.md");
      for (const line of [...commands, ...sections.trim().split("\n")]) assert(page.includes(line), line);
    });
    await write(join(folder, "supabase/config.toml"), before.files.get("supabase/config.toml") + sections);
    await write(join(folder, "supabase/functions/.env.local"), hosted.env_file);
    await t.step("git ignores the settings, as the project was made", () => {
      assertMatch(before.files.get("supabase/.gitignore") ?? "", /^\.env\.local$/m);
    });

    await t.step(
      "a push without --include-all is refused where the project has a newer migration",
      async () => {
        const refused = supabase("db", "push", `--remote=${hosted.database_url}`, "--yes");
        assertMatch((await assertRejects(() => refused, Error)).message, /--include-all/);
      },
    );
    await terminal.type(push, hosted.database_url);
    api.forget();
    await terminal.type(set);
    const deployed = await terminal.type(deploy);
    await t.step("the sections bring no warning, and every function says itself who may call", () => {
      assertEquals(warnings(deployed), []);
      for (const name of FUNCTIONS) assertEquals(api.uploads.get(name)?.metadata.verify_jwt, false);
    });

    const functions = await hosted.deploy([...api.uploads.values(), greet], api.secrets);
    await t.step("a user connects, and a person is found, on the hosted runtime's Deno", async () => {
      const { control } = hosted.provider;
      assert(control);
      const ana = await new AppUser({ ...hosted, publishable_key: hosted.keys.publishable_key }).signUp(
        "ana",
      );
      await ana.connect(control);
      const { items } = (await ana.search("an")).data;
      assert(items.length > 0);
      terminal.done(`a user has connected, and search-persons found ${items.length} persons`);
    });
    console.log(terminal.log.join("\n"));
    await t.step("the page has this log, with the times of some run", async () => {
      const [log = ""] = await codeBlocks("add-to-a-project.md", "text");
      const untimed = (text: string) => text.replaceAll(/^ *[\d.]+ s/gm, "");
      const lines = terminal.log.join("\n").replace(address, ADDRESS);
      assertEquals(untimed(log.trimEnd()), untimed(lines));
    });
    await t.step("what the project had is as it was, and what came is ours by its name", async () => {
      const catalogue = await readCatalogue(sql);
      assertEquals(before.catalogue.filter((line) => !catalogue.includes(line)), []);
      assertEquals(catalogue.filter((line) => !before.catalogue.includes(line) && !/\boauth/.test(line)), []);
      assert(catalogue.length > before.catalogue.length);
    });
    await t.step("its function is deployed as before, and answers", async () => {
      api.forget();
      await supabase("functions", "deploy", "--use-api", "--yes");
      assertEquals([...api.uploads.keys()].toSorted(), [...FUNCTIONS, "greet"].toSorted());
      assertEquals(contents(api.uploads.get("greet")), contents(greet));
      const answer = await fetch(functions.get("greet")?.origin ?? "");
      assertEquals(await answer.json(), "hello");
    });
    await t.step("the same push works where every migration of the project is older", async () => {
      await terminal.type(push, early_url);
      assertEquals(await versions(early), await versions(sql));
    });

    await t.step("a newer address brings what changed, says which files, and no more", async () => {
      await Deno.writeTextFile(join(folder, POLICY), "// Ours.\n");
      const [newer, { docs, files }] = await project.releases.publish(makeNewer);
      const mine = await filesIn(folder);
      const output = await terminal.type(`npx ${SHADCN} add ${newer} --overwrite`);
      assertEquals(filesSaid(output), [CHANGED, POLICY, MIGRATION]);
      assert(output.includes(docs), output);
      const now = await filesIn(folder);
      for (const [path, text] of mine) {
        const released = files.find((file) => file.path === path && filesSaid(output).includes(path));
        assertEquals([path, now.get(path)], [path, released?.content ?? text]);
      }
      await terminal.type(push, hosted.database_url);
      assert((await versions(sql)).includes(MIGRATION.slice(20, 34)));
    });
    await t.step("with everything removed, the database is what it was", async () => {
      const removing = (await codeBlocks("upgrading.md", "sql")).find((block) =>
        block.includes("drop schema oauth;")
      );
      assert(removing);
      await sql.unsafe(removing).simple();
      assertEquals(await readCatalogue(sql), before.catalogue);
    });
  });
});

/** The next release: a file, a migration and the version are other. */
async function makeNewer(copy: string): Promise<void> {
  const [changelog, changed] = ["CHANGELOG.md", CHANGED].map((path) => join(copy, path));
  assert(changelog && changed);
  const text = await Deno.readTextFile(changelog);
  await Deno.writeTextFile(changelog, text.replace(/^## \[/m, "## [99.0.0] - 2099-01-01\n\n## ["));
  await Deno.writeTextFile(changed, `${await Deno.readTextFile(changed)}// Newer.\n`);
  await write(join(copy, MIGRATION), "comment on schema oauth is 'newer';\n");
}

/** Which files shadcn says that it made or updated: it lists them on one stream, and counts them on the other. */
function filesSaid(output: string): string[] {
  const listed = Array.from(output.matchAll(/^ +- (.+)$/gm), ([, path = ""]) => path);
  const counted = Array.from(
    output.matchAll(/(?:Created|Updated) (\d+) files?:/g),
    ([, count]) => Number(count),
  );
  return listed.slice(0, counted.reduce((all, one) => all + one, 0)).toSorted();
}

function contents(upload: Upload | undefined): (readonly [name: string, text: string])[] {
  return [...upload?.files ?? []].map(([name, bytes]) => [name, new TextDecoder().decode(bytes)] as const);
}

async function versions(sql: TheirProject["sql"]): Promise<string[]> {
  const rows = await sql`select version from supabase_migrations.schema_migrations order by version`;
  return rows.map(({ version }) => version);
}
