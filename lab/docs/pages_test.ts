/** Every page points to what is there. */
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { walk } from "../../tests/support/walk.ts";
import { read, ROOT } from "../support/pages.ts";

const pages = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "lab/README.md"];
for await (const path of walk(ROOT, "docs")) if (path.endsWith(".md")) pages.push(path);

/** What a page may name without its place: a function's own folder, and what all functions share. */
const SHORT = /^(_shared|oauth-callback|search-persons|refresh-token)\//;
const FOLDERS = "docs|lab|tests|tools|supabase|local|demo|examples|_shared|oauth-callback";

for (const page of pages.sort()) {
  Deno.test(`${page} points to places that exist`, async () => {
    const text = withoutCode(await read(page));
    for (const [, target = ""] of text.matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path, anchor] = target.split("#");
      const place = path ? new URL(path, new URL(page, ROOT)) : new URL(page, ROOT);
      assert(await exists(place), target);
      if (anchor) assert(anchors(await Deno.readTextFile(place)).has(anchor), target);
    }
    for (const [, path = ""] of text.matchAll(new RegExp(`\`((?:${FOLDERS})/[\\w./-]*)\``, "g"))) {
      assert(await exists(new URL(SHORT.test(path) ? `supabase/functions/${path}` : path, ROOT)), path);
    }
  });
}

Deno.test("the pages name the tools in the versions of README.md", async () => {
  const versions = (text: string, tool: string) =>
    new Set(Array.from(text.matchAll(new RegExp(`${tool}@([\\d.]+\\d)`, "g")), ([, version]) => version));
  const readme = await read("README.md");
  for (const page of pages.filter((page) => !page.startsWith("docs/decisions/"))) {
    const text = await read(page);
    for (const tool of ["deno", "supabase"]) {
      const named = versions(text, tool);
      if (named.size > 0) assertEquals([page, named], [page, versions(readme, tool)]);
    }
  }
});

function withoutCode(text: string): string {
  return text.replaceAll(/^ *```[\s\S]*?^ *```$/gm, "");
}

/** As GitHub makes them of headings. */
function anchors(text: string): Set<string> {
  return new Set(
    Array.from(
      withoutCode(text).matchAll(/^#+ (.*)$/gm),
      ([, heading = ""]) => heading.toLowerCase().replaceAll(/[^\p{L}\p{N}\s_-]/gu, "").replaceAll(" ", "-"),
    ),
  );
}

async function exists(place: URL): Promise<boolean> {
  try {
    return (await Deno.stat(place)) !== null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
