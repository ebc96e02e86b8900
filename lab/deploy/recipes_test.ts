/**
 * docs/another-provider.md and docs/call-the-api.md, followed in a clone to the letter: a provider is two files, a call
 * one line, and the gate stays green.
 */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { AppUser, Refused } from "../../local/stack/app_user.ts";
import { assert, assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { withStack } from "../../tests/support/own_stack.ts";
import { copyProject, write } from "./project_copy.ts";

const FUNCTIONS = "supabase/functions/";
const REGISTRY = `${FUNCTIONS}_shared/providers/mod.ts`;
const CONFIG = "supabase/config.toml";
/** A recipe's function is shorter than this. */
const LINES = 20;

/** What a page has somebody write: its blocks of code, in their order. */
async function blocks(page: string): Promise<string[]> {
  const text = await Deno.readTextFile(new URL(`../../docs/${page}`, import.meta.url));
  return Array.from(
    text.matchAll(/^( *)```(?:ts|toml)\n(.*?)^ *```$/gms),
    ([, indent = "", code = ""]) => code.replaceAll(new RegExp(`^${indent}`, "gm"), ""),
  );
}

/** Follows a page in a copy of the project, and says what that changed. */
class Clone {
  readonly changed = new Map<string, string>();
  constructor(readonly folder: string) {}

  add(path: string, text: string): Promise<void> {
    this.changed.set(path, added(text));
    return write(join(this.folder, path), text);
  }

  /** Puts a line below the one that matches, or at the end. */
  async put(path: string, text: string, below?: RegExp): Promise<void> {
    const before = await Deno.readTextFile(join(this.folder, path));
    const [line] = below?.exec(before) ?? [];
    assert(!below || line, `${path} has ${below}`);
    const after = line ? before.replace(line, `${line}\n${text}`) : `${before}\n${text}`;
    this.changed.set(path, (this.changed.get(path) ?? "") + added(text));
    await Deno.writeTextFile(join(this.folder, path), after);
  }

  async task(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", ...args],
      cwd: this.folder,
      env: { NO_COLOR: "1" },
    }).output();
    const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    assertEquals(code, 0, printed);
    return printed;
  }

  diff(): string {
    return [...this.changed].map(([path, lines]) => `${path}\n${lines}`).join("\n");
  }
}

const added = (text: string) => text.replace(/\n$/, "").replace(/^/gm, "+ ") + "\n";

Deno.test("the recipes, followed in a clone", async (t) => {
  const clone = new Clone(await Deno.makeTempDir({ prefix: "recipes-" }));
  try {
    await copyProject(clone.folder);
    await t.step("another provider is one file, and its place in the registry", async () => {
      const [definition = "", line = ""] = await blocks("another-provider.md");
      await clone.add(`${FUNCTIONS}_shared/providers/acme.ts`, definition);
      await clone.put(REGISTRY, line.trimEnd(), /^import type .*$/m);
      await clone.put(REGISTRY, "    acme,", /^ {2}\[$/m);
      assertEquals(clone.changed.size, 2);
      console.log(clone.diff());
    });

    await t.step("a call is one line, and a function of one's own is short", async () => {
      const [policy = "", , code = "", section = ""] = await blocks("call-the-api.md");
      const path = `${FUNCTIONS}proxy/allowed.ts`;
      const before = await Deno.readTextFile(join(clone.folder, path));
      const after = before.replace(/^export const allowed: Policy = .*;$/m, policy.trimEnd());
      assert(after !== before);
      await clone.add(path, after);
      assert(code.trim().split("\n").filter((line) => line.trim() !== "").length < LINES);
      await clone.add(`${FUNCTIONS}whoami/index.ts`, code);
      await clone.put(CONFIG, section);
    });

    await t.step("the gate stays green: what is checked, all that is tested, and the pages", async () => {
      await clone.task("ok", "checks");
      const printed = await clone.task("test");
      assertMatch(printed, /acme, its definition believed: connected, used, .* ok/);
      assertMatch(printed, /\n[1-9]\d* passed, 0 failed\n/);
      await clone.task("lab", "docs");
    });

    const settings = { ACME_CLIENT_ID: "id", ACME_CLIENT_SECRET: "secret" };
    const functions = pathToFileURL(join(clone.folder, FUNCTIONS));
    await withStack(
      { functions: new URL(`${functions.href}/`.replace(/\/+$/, "/")), env: settings },
      async (stack) => {
        const ana = await new AppUser(stack).signUp("ana");
        await ana.connect(stack.control);

        await t.step("with its two settings the provider is offered, and begins", async () => {
          const { providers } = await (await fetch(`${stack.functions_url}/oauth-callback`)).json();
          assertEquals(providers.map(({ name }: { name: string }) => name).sort(), ["acme", "pipedrive"]);
          const { authorization_url } = await ana.invoke<{ authorization_url: string }>(
            "oauth-callback/acme/authorize",
          );
          const { origin, searchParams } = new URL(authorization_url);
          assertEquals([origin, searchParams.get("client_id")], ["https://id.acme.example", "id"]);
        });

        const get = async (path: string) => {
          const { data, error } = await ana.supabase.functions.invoke(path, { method: "GET" });
          if (error?.context instanceof Response) {
            throw new Refused(error.context.status, await error.context.json(), error.context.headers);
          }
          return data;
        };
        await t.step(
          "what the line allows is answered by the API, and the function answers the same",
          async () => {
            const me = await get("proxy/pipedrive/api/v1/users/me");
            assertEquals([me.success, await get("whoami")], [true, me]);
          },
        );
        await t.step("what no line allows is not", async () => {
          const refused = await assertRejects(
            () => get("proxy/pipedrive/api/v2/persons/search?term=a"),
            Refused,
          );
          assertEquals([refused.status, refused.message], [403, "REQUEST_NOT_ALLOWED"]);
        });
      },
    );
  } finally {
    await Deno.remove(clone.folder, { recursive: true });
  }
});
