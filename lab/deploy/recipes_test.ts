/**
 * docs/another-provider.md and docs/call-the-api.md, followed word for word in a clone, beside a provider that is
 * strict. That the clone passes its gate is shown with the rest of what a fork may do, in fork_test.ts.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AppUser, type Connection, Refused } from "../../local/stack/app_user.ts";
import { startStack } from "../../local/stack/stack.ts";
import { Undo } from "../../local/stack/undo.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { walk } from "../../tests/support/walk.ts";
import { Acme, CLIENT } from "./acme.ts";
import { copyProject } from "./project_copy.ts";
import { addFunction, addLines, addProvider, readRecipes } from "./recipes.ts";

const ROOT = new URL("../../", import.meta.url);
const PROVIDERS = "supabase/functions/_shared/providers";
/** A function in under twenty lines. */
const MOST_LINES = 20;

Deno.test("the recipes of docs/, followed in a clone", async (t) => {
  const recipes = await readRecipes();
  await Undo.around(async (undo) => {
    const clone = await Deno.makeTempDir({ prefix: "recipes-" });
    undo.add(() => Deno.remove(clone, { recursive: true }));
    await copyProject(clone, (path) => !path.startsWith("lab/"));

    await t.step("a sixteenth provider touches two files", async () => {
      await addProvider(clone, recipes);
      const changed = await addedTo(clone);
      assertEquals([...changed.keys()], [`${PROVIDERS}/acme.ts`, `${PROVIDERS}/mod.ts`]);
      for (const [path, lines] of changed) {
        console.log([path, ...lines.map((line) => `+ ${line}`)].join("\n"));
      }
    });
    await addLines(clone, recipes);
    await addFunction(clone, recipes);
    await t.step("a function has under twenty lines", () => {
      const lines = recipes.code.split("\n").filter((line) => line.trim() !== "");
      assert(lines.length < MOST_LINES, `${lines.length} lines`);
    });

    await addBroken(clone);
    const acme = new Acme();
    undo.add(() => acme.stop());
    const values = [CLIENT.client_id, CLIENT.client_secret, "deals:read"];
    assertEquals(recipes.settings, ["ACME_CLIENT_ID", "ACME_CLIENT_SECRET", "ACME_SCOPES"]);
    const own = Object.fromEntries(recipes.settings.map((name, at) => [name, values[at] ?? ""]));
    const stack = await startStack({
      env: { ...own, ...BROKEN, ACME_OAUTH_ORIGIN: acme.origin, ACME_API_ORIGINS: acme.origin },
      functions: pathToFileURL(`${join(clone, "supabase/functions")}/`),
    });
    undo.add(() => stack.stop());
    acme.redirect_uri = `${stack.functions_url}/oauth-callback/acme`;
    const jane = await new AppUser(stack).signUp("jane");

    let connection_id = "";
    await t.step("an account is connected", async () => {
      const { status, provider, account, id } = await connected(jane);
      assertEquals([status, provider, account], ["active", "acme", {
        id: "7",
        name: "Jane",
        email: "jane@example.com",
      }]);
      connection_id = id;
    });
    const proxy = async (path: string) => {
      const headers = { "x-connection-id": connection_id };
      const { data, error } = await jane.supabase.functions.invoke(`proxy/acme${path}`, {
        method: "GET",
        headers,
      });
      if (!error) return data;
      throw new Refused(error.context.status, await error.context.json(), error.context.headers);
    };
    await t.step("what a line of policy allows is answered", async () => {
      assertEquals(await proxy("/deals/7"), { deals: ["/deals/7"] });
    });
    await t.step("what no line allows is refused, and not sent", async () => {
      const refused = await assertRejects(() => proxy("/users"), Refused);
      assertEquals([refused.status, refused.message], [403, "REQUEST_NOT_ALLOWED"]);
      assertEquals(acme.calls, ["GET /deals/7"]);
    });
    await t.step(
      "a definition that is wrong stops nobody else, and it is said what is wrong with it",
      async () => {
        const { providers } = await (await fetch(`${stack.functions_url}/oauth-callback`)).json();
        assertEquals(providers.map(({ name }: { name: string }) => name).toSorted(), ["acme", "pipedrive"]);
        const refused = await assertRejects(() => jane.invoke("oauth-callback/broken/authorize"), Refused);
        assertEquals(refused.message, "CONFIGURATION_INVALID");
        assertMatch(String(refused.body.message), /^broken: "token_endpoint" must begin with https:/);
      },
    );
    await t.step("the function answers", async () => {
      assertEquals(await jane.invoke("deals"), { deals: ["/deals"] });
    });
  });
});

const BROKEN = { BROKEN_CLIENT_ID: "id", BROKEN_CLIENT_SECRET: "secret" };

/** A provider whose definition somebody got wrong. */
async function addBroken(clone: string): Promise<void> {
  const [place, registry] = [join(clone, PROVIDERS), join(clone, PROVIDERS, "mod.ts")];
  const acme = await Deno.readTextFile(join(place, "acme.ts"));
  const broken = acme.replaceAll("acme =", "broken =").replace('name: "acme"', 'name: "broken"')
    .replace('token_endpoint: "https:', 'token_endpoint: "http:');
  await Deno.writeTextFile(join(place, "broken.ts"), broken);
  const line = '  broken: async () => (await import("./broken.ts")).broken,\n';
  const text = await Deno.readTextFile(registry);
  await Deno.writeTextFile(registry, text.replace(/Object\.entries\(\{\n/, (begins) => begins + line));
}

/** The files that are not as they were cloned, and the lines that they have more. */
async function addedTo(clone: string): Promise<Map<string, string[]>> {
  const changed = new Map<string, string[]>();
  for await (const found of walk(pathToFileURL(`${clone}/`), ".")) {
    const path = found.slice("./".length);
    const [now, before] = [join(clone, path), new URL(path, ROOT)].map((file) =>
      Deno.readTextFile(file).catch(() => "")
    );
    const [lines, old] = [(await now ?? "").split("\n"), (await before ?? "").split("\n")];
    if (lines.join() !== old.join()) changed.set(path, lines.filter((line) => !old.includes(line)));
  }
  return new Map([...changed].toSorted());
}

/** Begins, allows at the provider's, comes back with a ticket, completes. */
async function connected(user: AppUser): Promise<Connection> {
  const path = "oauth-callback/acme";
  const begun = await user.invoke<{ authorization_url: string; binding: string }>(`${path}/authorize`);
  const allowed = await redirected(begun.authorization_url);
  const landing = new URL(await redirected(allowed));
  const ticket = new URLSearchParams(landing.hash.slice(1)).get("oauth_ticket");
  const completed = { ticket, binding: begun.binding };
  return (await user.invoke<{ connection: Connection }>(`${path}/complete`, completed)).connection;
}

async function redirected(url: string): Promise<string> {
  const answer = await fetch(url, { redirect: "manual" });
  const text = await answer.text();
  const location = answer.headers.get("location");
  assert(location, `${answer.status} ${text}`);
  return location;
}
