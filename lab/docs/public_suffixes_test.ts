/** What is deployed of the Public Suffix List is the package's, and is read as the package reads it. */
import fc from "fast-check";
import { getDomain } from "tldts/dist/cjs/index.js";
import { isPublicSuffix } from "../../supabase/functions/_shared/app_origins.ts";
import { PUBLIC_SUFFIXES } from "../../supabase/functions/_shared/public_suffixes.ts";
import { assertEquals } from "../../tests/support/assert.ts";
import { publicSuffixes, SUFFIXES_FILE } from "../../tools/public_suffixes.ts";

Deno.test("what is anybody's is so as the package reads the list", async () => {
  const rules = PUBLIC_SUFFIXES.split(" ").map((rule) => rule.replace(/^!/, "").replace(/^\*/, "any"));
  const label = fc.constantFrom("a", "www", "city", "app", "compute");
  const domain = fc.tuple(fc.array(label, { maxLength: 2 }), fc.constantFrom(...rules));
  await fc.assert(
    fc.asyncProperty(domain, async ([labels, rule]) => {
      const name = [...labels, rule].join(".");
      const shared = getDomain(name, { allowPrivateDomains: true }) === null;
      const above = PUBLIC_SUFFIXES.includes(` *.${name} `);
      assertEquals([name, await isPublicSuffix(name)], [name, shared || above]);
    }),
    { numRuns: 300, seed: 7 },
  );
});

Deno.test("the list is the package's", async () => {
  assertEquals(await Deno.readTextFile(SUFFIXES_FILE), publicSuffixes());
});
