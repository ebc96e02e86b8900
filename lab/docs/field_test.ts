/** docs/field.md: what it says holds is what a test of that name looks after. */
import { assert } from "../../tests/support/assert.ts";
import { read, tableRows } from "../support/pages.ts";

const page = await read("docs/field.md");
const SECTIONS = [
  "A grant is lost, or a user is shut out",
  "A wrong answer",
  "A door left open",
  "Moving over",
  "In a project that exists",
];

for (const section of SECTIONS) {
  Deno.test(`docs/field.md names a test for each kind: ${section}`, async () => {
    const rows = tableRows(page, section);
    assert(rows.length > 1);
    for (const { Kind = "", Test = "" } of rows) {
      const [, path = "", name = ""] = /^`([^`]+)` "([^"]+)"$/.exec(Test) ?? [];
      assert(path !== "", `${Kind}: ${Test}`);
      assert((await read(path)).includes(name), `${Kind}: ${path} has "${name}"`);
    }
  });
}
