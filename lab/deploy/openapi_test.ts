/** docs/openapi.json passes a public linter: what generators and portals stumble over is found here. */
import { DOCUMENT } from "../../tools/openapi/main.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";

const REDOCLY = "@redocly/cli@2.77.0";
/** The licence is the owner's choice; the provider's HEAD of our address has nothing to be refused for. */
const SKIPPED = ["info-license", "operation-4xx-response"];

Deno.test("docs/openapi.json passes Redocly's recommended rules", async () => {
  const { code, printed } = await lint(DOCUMENT);
  assertEquals(code, 0, printed);
  assert(!/warning was generated|error was generated/i.test(printed), printed);
});

Deno.test("a reference that leads nowhere does not pass", async () => {
  const broken = await Deno.makeTempFile({ suffix: ".json" });
  try {
    const text = await Deno.readTextFile(DOCUMENT);
    await Deno.writeTextFile(broken, text.replace(`"#/components/schemas/`, `"#/components/nowhere/`));
    const { code, printed } = await lint(broken);
    assertEquals(code, 1, printed);
    assert(printed.includes("no-unresolved-refs"), printed);
  } finally {
    await Deno.remove(broken);
  }
});

async function lint(document: URL | string): Promise<{ code: number; printed: string }> {
  const path = document instanceof URL ? document.pathname : document;
  const { code, stdout, stderr } = await new Deno.Command("npx", {
    args: ["-y", REDOCLY, "lint", path, ...SKIPPED.flatMap((rule) => ["--skip-rule", rule])],
    env: { REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true", npm_config_loglevel: "error" },
    stdin: "null",
  }).output();
  return { code, printed: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}
