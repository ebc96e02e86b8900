/**
 * The way from a clone to a project that works, with the real CLI: link, db push, secrets set, functions deploy. A
 * server on this machine stands in for Supabase's management API, and what it was sent is what runs.
 */
import { join } from "node:path";
import { AppUser, followRedirect } from "../../local/stack/app_user.ts";
import { importsOf } from "../../tests/import_rules.ts";
import { assert, assertEquals } from "../../tests/support/assert.ts";
import { mature } from "../../tests/support/own_stack.ts";
import { warnings, withClone } from "./clone.ts";
import { withHostedProject } from "./hosted_project.ts";
import { PROJECT_REF, type Upload } from "./management_api.ts";
import { filesOf, OUR_FUNCTIONS } from "./needs.ts";
import { write } from "./project_copy.ts";

/** Our part of a bundle, per function, without the list of public suffixes: a limit that growth is to be noticed by. */
const UPLOAD_LIMIT_BYTES = 320 * 1024;
const SUFFIXES = "supabase/functions/_shared/public_suffixes.ts";
/** With the packages. The platform's own is 20 MB (https://supabase.com/docs/guides/functions/limits). */
const BUNDLE_LIMIT_BYTES = 15_000_000;
/** What the function code loads from npm, and all that its import map names. */
const PACKAGES = ["@supabase/server", "@supabase/supabase-js", "jose", "oauth4webapi", "valibot"];
const DEPLOY = ["functions", "deploy", "--use-api", "--yes"];

const names = [...OUR_FUNCTIONS];
const isOurs = (slug: string) => names.some((name) => name === slug);

Deno.test("a deploy uploads what a function needs, and nothing else", async (t) => {
  await withClone(async ({ folder, supabase, api }) => {
    const deployed = await supabase(...DEPLOY, `--remote=${PROJECT_REF}`);

    const ours = () => [...api.uploads].filter(([slug]) => isOurs(slug));
    await t.step("every function goes up, and nothing that is not one", () => {
      assertEquals(ours().map(([slug]) => slug).sort(), names);
      assertEquals(api.inForce.map(({ slug }) => slug).sort(), [...api.uploads.keys()].sort());
      assertEquals(api.refused, []);
    });
    await t.step("config.toml brings no warning", () => assertEquals(warnings(deployed.stderr), []));

    for (const [slug, upload] of ours()) {
      await t.step(`${slug}: exactly the files that it imports, and the import map`, async () => {
        assertEquals(namesIn(upload), ["import_map.json", ...await filesOf(slug)].sort());
        for (const [name, content] of upload.files) {
          assertEquals(content, await Deno.readFile(join(folder, name)));
        }
      });
      await t.step(`${slug}: names what is deployed, and no other package`, () => {
        assertEquals(packagesOfMap(text(upload.files.get("import_map.json"))), PACKAGES);
        assertEquals(strangers(upload), []);
      });
      await t.step(`${slug}: nothing lies in its folder unused`, async () => {
        const own = `supabase/functions/${slug}/`;
        const there = [...Deno.readDirSync(join(folder, own))].map(({ name }) => own + name);
        assertEquals(there.sort(), [...await filesOf(slug)].filter((name) => name.startsWith(own)).sort());
      });
      await t.step(`${slug}: the function itself says who may call`, () => {
        const { verify_jwt, entrypoint_path, import_map_path, static_patterns } = upload.metadata;
        assertEquals([verify_jwt, entrypoint_path, import_map_path, static_patterns], [
          false,
          `supabase/functions/${slug}/index.ts`,
          "import_map.json",
          [],
        ]);
        assertEquals(api.inForce.find((one) => one.slug === slug)?.verify_jwt, false);
      });
    }

    await t.step("what lies about in the folders stays where it is", async () => {
      const before = new Map(ours().map(([slug, upload]) => [slug, namesIn(upload)]));
      for (const place of ["", "_shared", ...names]) {
        for (const stray of STRAY) await write(join(folder, "supabase/functions", place, stray), "SECRET=1");
      }
      api.forget();
      await supabase(...DEPLOY, `--remote=${PROJECT_REF}`);
      for (const [slug, upload] of ours()) assertEquals(namesIn(upload), before.get(slug));
      assertEquals(ours().length, names.length);
    });
    await t.step(
      "a package of the tests would have been noticed, in the import map and in a file",
      async () => {
        const [map, module] = ["import_map.json", "supabase/functions/_shared/errors.ts"];
        const { imports } = JSON.parse(await Deno.readTextFile(join(folder, map)));
        await write(join(folder, map), JSON.stringify({ imports: { ...imports, a: "npm:axe-core@4.14.1" } }));
        await write(
          join(folder, module),
          await Deno.readTextFile(join(folder, module)) + 'import type {} from "ajv";\n',
        );
        api.forget();
        await supabase(...DEPLOY, `--remote=${PROJECT_REF}`);
        assertEquals(ours().map(([slug]) => slug).sort(), names);
        for (const [, upload] of ours()) {
          assertEquals(strangers(upload).sort(), [`${map}: axe`, `${map}: axe-core`, `${module}: ajv`]);
        }
      },
    );
    await t.step("a misspelt setting would have brought a warning", async () => {
      const config = join(folder, "supabase/config.toml");
      const text = await Deno.readTextFile(config);
      await Deno.writeTextFile(config, text.replace("verify_jwt", "verify_jwtt"));
      const { stderr } = await supabase(...DEPLOY, `--remote=${PROJECT_REF}`);
      assert(warnings(stderr).some((line) => line.includes("verify_jwtt")), stderr);
    });
  });
});

Deno.test("link, db push, secrets set, functions deploy: and it works on the hosted runtime's Deno", async (t) => {
  await withClone(async ({ folder, supabase, api }) => {
    await withHostedProject(async (project) => {
      await supabase("link", `--project-ref=${PROJECT_REF}`);
      await supabase("db", "push", `--remote=${project.database_url}`, "--yes");
      await write(join(folder, ".env"), project.env_file);
      await supabase("secrets", "set", "--env-file", ".env", "--yes");
      await supabase(...DEPLOY);
      const functions = await project.deploy(
        names.flatMap((slug) => api.uploads.get(slug) ?? []),
        api.secrets,
      );
      const at = (path: string) => `${project.api_url}/functions/v1/${path}`;
      const ana = await new AppUser({ ...project, publishable_key: project.keys.publishable_key })
        .signUp("ana");

      await t.step("the secrets are those of the file", () => {
        const sent = api.secrets.map(({ name, value }) => `${name}=${value}\n`);
        assertEquals(sent.sort(), project.env_file.split(/(?<=\n)/).sort());
      });
      for (const slug of names) {
        const path = NEEDS_A_CALLER[slug] ?? slug;
        await t.step(`${slug}: without credentials 401`, async () => {
          const answer = await fetch(at(path), { method: "POST", body: "{}" });
          assertEquals([answer.status, (await answer.json()).code], [401, "MISSING_CREDENTIALS"]);
        });
        await t.step(`${slug}: a page of another origin may call it`, async () => {
          const answer = await fetch(at(path), { method: "OPTIONS", headers: PREFLIGHT });
          await answer.body?.cancel();
          assertEquals([answer.status, answer.headers.get("access-control-allow-origin")], [204, "*"]);
          assert(answer.headers.get("access-control-allow-headers")?.includes("authorization"));
        });
      }

      const control = project.provider.control;
      assert(control);
      let connection_id = "";
      await t.step(
        "oauth-callback begins an authorization, receives its response and completes it",
        async () => {
          const { authorization_url, binding } = await ana.begin();
          assertEquals(new URL(authorization_url).origin, project.provider.origin);
          const ticket = await followRedirect(control, authorization_url);
          const connection = await ana.complete(ticket, binding);
          assertEquals(connection.status, "active");
          connection_id = connection.id;
        },
      );
      await t.step("search-persons answers persons", async () => {
        assert((await ana.search("an")).data.items.length > 0);
      });
      await t.step(
        "refresh-token refreshes, asked with a secret key, and for the schedule's only sweeps",
        async () => {
          const ask = async (apikey: string, body: object) => {
            const headers = { apikey, "content-type": "application/json" };
            const answer = await fetch(at("refresh-token"), {
              method: "POST",
              headers,
              body: JSON.stringify(body),
            });
            const { outcome, code } = await answer.json();
            return [answer.status, outcome ?? code];
          };
          await mature(project);
          const { secret_key, cron_key } = project.keys;
          const named = { connection_id, force: true };
          assertEquals(await ask(secret_key, named), [200, "refreshed"]);
          assertEquals(await ask(cron_key, named), [401, "INVALID_CREDENTIALS"]);
          assertEquals(await ask(cron_key, {}), [200, undefined]);
          assertEquals((await control.counts()).requests["token:refresh"], 1);
        },
      );

      for (const [slug, running] of functions) {
        await t.step(`${slug}: small, with its packages`, async () => {
          const files = api.uploads.get(slug)?.files ?? new Map<string, Uint8Array>();
          const suffixes = files.get(SUFFIXES)?.length ?? 0;
          const uploaded = sum([...files.values()].map(({ length }) => length)) - suffixes;
          const packages = await running.packages();
          const whole = uploaded + suffixes + sum([...packages.values()]);
          console.log(
            `${slug}: ${files.size} files, ${kilo(uploaded)}; ` +
              `with ${packages.size} packages, unpacked, ${kilo(whole)}`,
          );
          assert(uploaded < UPLOAD_LIMIT_BYTES && whole < BUNDLE_LIMIT_BYTES);
        });
      }
    });
  });
});

/** What people leave in such folders. */
const STRAY = [
  ".env",
  ".env.local",
  "handler_test.ts",
  "notes.md",
  "package.json",
  ".git/config",
  "old/old.ts",
];

/** A path of a function that answers nobody unknown; of one that is not here, and is a fork's, its own name. */
const NEEDS_A_CALLER: Readonly<Record<string, string>> = {
  "oauth-callback": "oauth-callback/pipedrive/authorize",
  proxy: "proxy/pipedrive/api/v2/deals/1",
  "refresh-token": "refresh-token",
  "search-persons": "search-persons",
};

const PREFLIGHT = {
  origin: "https://app.example",
  "access-control-request-method": "POST",
  "access-control-request-headers": "authorization, content-type",
};

function namesIn({ files }: Upload): string[] {
  return [...files.keys()].sort();
}

/** What an upload names that is not deployed: packages, and anywhere in its text what only the lab needs. */
function strangers({ files }: Upload): string[] {
  return [...files].flatMap(([path, content]) => {
    const source = text(content);
    const packages = path === "import_map.json"
      ? packagesOfMap(source)
      : importsOf(source).filter((specifier) => !/^(\.|node:)/.test(specifier)).map(packageOf);
    const words = Array.from(source.matchAll(/\b(playwright|axe|react)\b/gi), ([word]) => word);
    return [...packages.filter((name) => !PACKAGES.includes(name)), ...words].map((it) => `${path}: ${it}`);
  });
}

/** Without the part of it that is meant. */
function packageOf(specifier: string): string {
  return /^(?:@[^/]+\/)?[^/]+/.exec(specifier)?.[0] ?? specifier;
}

function packagesOfMap(map: string): string[] {
  return Object.values<string>(JSON.parse(map).imports)
    .map((specifier) => /^npm:(@?[^@]+)@/.exec(specifier)?.[1] ?? specifier);
}

function text(bytes: Uint8Array | undefined): string {
  return new TextDecoder().decode(bytes);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function kilo(bytes: number): string {
  return `${Math.ceil(bytes / 1000)} kB`;
}
