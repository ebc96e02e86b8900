import { violations } from "../import_rules.ts";
import { assertEquals } from "../support/assert.ts";

const shared = "supabase/functions/_shared";

Deno.test("violations() lets a module import what the rules allow", () => {
  const source =
    `import { refreshTokens } from "../oauth/token_endpoint.ts";\nimport type { Store } from "../keep/store.ts";`;
  assertEquals(violations(`${shared}/refresh/spend.ts`, source), []);
});

const crossed: [string, string, string][] = [
  ["the protocol knows no domain", `${shared}/oauth/http.ts`, `import { Store } from "../keep/store.ts";`],
  ["the protocol knows no database", `${shared}/oauth/http.ts`, `import { x } from "@supabase/supabase-js";`],
  [
    "the domain looks up no provider",
    `${shared}/refresh/refresh.ts`,
    `import { p } from "../providers/mod.ts";`,
  ],
  [
    "the domain knows no HTTP edge",
    `${shared}/refresh/refresh.ts`,
    `import { j } from "../http/respond.ts";`,
  ],
  [
    "only the store knows the client",
    `${shared}/refresh/sweep.ts`,
    `import { x } from "@supabase/supabase-js";`,
  ],
  [
    "a provider is data",
    `${shared}/providers/pipedrive.ts`,
    `import { revoke } from "../oauth/revocation.ts";`,
  ],
  ["the edge knows no store", `${shared}/http/serve.ts`, `import type { Store } from "../keep/store.ts";`],
  [
    "functions do not import each other",
    "supabase/functions/search-persons/a.ts",
    `import "../refresh-token/b.ts";`,
  ],
  [
    "functions do not import tests",
    "supabase/functions/search-persons/a.ts",
    `import "../../../tests/x.ts";`,
  ],
  ["nothing needs the wing", "tests/unit/a_test.ts", `import "../../lab/x.ts";`],
  ["using knows no connecting", `${shared}/use/call_api.ts`, `import { u } from "../connect/disconnect.ts";`],
  [
    "refreshing knows nobody above",
    `${shared}/refresh/spend.ts`,
    `import { g } from "../use/access_token.ts";`,
  ],
  ["dynamic imports count", `${shared}/oauth/http.ts`, `await import("../keep/store.ts");`],
  ["only env.ts and wiring.ts read the environment", `${shared}/keep/seal.ts`, `Deno.env.get("X");`],
];

for (const [rule, path, source] of crossed) {
  Deno.test(`violations() names the import: ${rule}`, () => {
    assertEquals(violations(path, source).length, 1);
  });
}
