import { pathAfter } from "../../../supabase/functions/_shared/http/path.ts";
import { assertEquals } from "../../support/assert.ts";

const cases: [string, string[]][] = [
  ["https://x.supabase.co/functions/v1/oauth-callback", []],
  ["https://x.supabase.co/functions/v1/oauth-callback/", []],
  ["https://x.supabase.co/functions/v1/oauth-callback/pipedrive", ["pipedrive"]],
  ["http://localhost/oauth-callback/pipedrive/authorize?x=/y", ["pipedrive", "authorize"]],
  ["http://localhost/oauth-callback/oauth-callback", ["oauth-callback"]],
  ["http://localhost//oauth-callback//pipedrive//", ["pipedrive"]],
];

for (const [url, segments] of cases) {
  Deno.test(`pathAfter() reads ${url} as [${segments}]`, () => {
    assertEquals(pathAfter(new Request(url), "oauth-callback"), segments);
  });
}
