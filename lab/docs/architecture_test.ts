/** docs/architecture.md is a map: rooms, arrows and names are those of the code. */
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { walk } from "../../tests/support/walk.ts";
import { codeBlocks, read, ROOT, tableRows } from "../support/pages.ts";

const FUNCTIONS = "supabase/functions";
const page = await read("docs/architecture.md");
const sources = new Map<string, string>();
for await (const path of walk(ROOT, FUNCTIONS)) {
  if (path.endsWith(".ts")) sources.set(path.slice(FUNCTIONS.length + 1), await read(path));
}

Deno.test("docs/architecture.md names the rooms that there are", () => {
  const named = tableRows(page, "The rooms").flatMap(({ Room = "" }) =>
    Array.from(Room.matchAll(/`([^`]+)\/`/g), ([, room = ""]) => room)
  );
  const folders = new Set([...sources.keys()].map((path) => path.slice(0, path.lastIndexOf("/"))));
  // A function that a fork adds is a room of its own, and not one of ours.
  const rooms = [...folders].filter((folder) => folder.startsWith("_shared/"));
  assertEquals(named.filter((room) => !folders.has(room)), []);
  assertEquals(rooms.filter((room) => !named.includes(room)), []);
});

Deno.test("docs/architecture.md draws the imports that there are", async () => {
  const [picture = ""] = await codeBlocks("architecture.md", "mermaid");
  const rooms = new Set(Array.from(picture.matchAll(/^ {2}(\w+)\[/gm), ([, room]) => room));
  const drawn = Array.from(picture.matchAll(/^ {2}(\w+) (?:--|==)> (\w+)$/gm), ([, from, to]) => [from, to]);
  const imported = new Set(
    [...sources].flatMap(([path, source]) =>
      Array.from(source.matchAll(/from "(\.{1,2}\/[^"]+)"/g), ([, specifier = ""]) => {
        const target = new URL(specifier, `file:///${path}`).pathname.slice(1);
        return `${roomOf(path)} to ${roomOf(target)}`;
      })
    ),
  );
  const between = [...imported].filter((arrow) => {
    const [from, to] = arrow.split(" to ");
    return from !== to && rooms.has(from) && rooms.has(to);
  });
  assertEquals(drawn.map((arrow) => arrow.join(" to ")).toSorted(), between.toSorted());
});

Deno.test("docs/architecture.md names functions that are where it says", () => {
  const named = Array.from(page.matchAll(/`([\w/-]+\.ts)(?:: (\w+)\(\))?`/g));
  assert(named.length > 20);
  for (const [all, path = "", name] of named) {
    if (path.startsWith("tests/")) continue;
    const source = sources.get(path) ?? sources.get(`_shared/${path}`);
    assert(source !== undefined, `${all}: no such file`);
    if (name) {
      assert(
        new RegExp(`\\bfunction\\*? ${name}\\b|\\b${name}[:(]`).test(source),
        `${all}: no such function`,
      );
    }
  }
});

/** As the picture has it: the functions are one box, and so are the files that read the environment. */
function roomOf(path: string): string {
  const [room = "", ...rest] = path.replace(/^_shared\//, "").split("/");
  if (!path.startsWith("_shared/")) return "functions";
  return rest.length > 0 ? room : /^(env|wiring)\.ts$/.test(room) ? "wiring" : room;
}

Deno.test("docs/architecture.md names a test that there is for whatever an isolate remembers", async () => {
  const rows = tableRows(page, "What an isolate remembers");
  const tests = new Set<string>();
  for await (const path of walk(ROOT, "tests")) tests.add(path);
  assert(rows.length >= 6);
  for (const { Test = "" } of rows) {
    const named = Array.from(Test.matchAll(/`([^`]+)`/g), ([, name = ""]) => name);
    assert(named.length > 0 && named.every((name) => tests.has(name)), Test);
  }
});
