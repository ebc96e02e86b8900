/** `deno task doctor` against the local stack: nothing wrong with a healthy one, and each fault in its line. */
import type postgres from "postgres";
import { serve } from "../../local/stack/serve.ts";
import { assert, assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { type OwnStack, withStack } from "../../tests/support/own_stack.ts";
import { type Finding, lineOf } from "../../tools/doctor/finding.ts";
import { examine } from "../../tools/doctor/main.ts";
import type { Project } from "../../tools/doctor/project.ts";
import type { Linked } from "../../tools/doctor/linked.ts";
import { LINKED_ONLY, linkedFindings } from "../../tools/doctor/linked_findings.ts";
import { withClone } from "../deploy/clone.ts";
import { PROJECT_REF } from "../deploy/management_api.ts";
import { standIn } from "../schedule/stand_ins.ts";

const MAIN = new URL("../../tools/doctor/main.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const PAGE = await Deno.readTextFile(new URL("../../docs/operating.md", import.meta.url));
const LEGACY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.c2lnbmF0dXJl";

const projectOf = ({ api_url, secret_key }: OwnStack): Project => ({ url: api_url, secret_key });

/** The lines of what is wrong. */
function wrongOf(findings: readonly Finding[]): string[] {
  return findings.filter(({ state }) => state === "wrong").map(lineOf);
}

/** What is wrong, where one path of the project answers otherwise. */
async function wrongWith(stack: OwnStack, path: string, answer: () => Response): Promise<string[]> {
  const front = serve(0, (request) => {
    const { pathname, search } = new URL(request.url);
    if (pathname === path) return answer();
    const { method, headers, body } = request;
    return fetch(stack.api_url + pathname + search, { method, headers, body, redirect: "manual" });
  });
  try {
    return wrongOf(await examine({ project: { ...projectOf(stack), url: front.origin } }));
  } finally {
    await front.stop();
  }
}

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
}

/** The command itself. */
async function doctor(args: string[], env: Record<string, string>, cwd?: string): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--config", CONFIG, MAIN, ...args],
    env,
    cwd,
    stdin: "null",
  }).output();
  const printed = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  for (const secret of Object.values(env)) {
    assert(!/^(sb_secret|sbp)_/.test(secret) || !printed.includes(secret));
  }
  return { code, lines: printed.trimEnd().split("\n") };
}

/** As the management API asks: a role that reads everything, in a transaction that can only read. */
async function readOnly(sql: postgres.Sql, statement: string): Promise<Record<string, unknown>[]> {
  return await sql.begin("read only", async (begun) => {
    const transaction = begun as unknown as postgres.Sql;
    await transaction`set local role supabase_read_only_user`;
    return [...await transaction.unsafe(statement)];
  });
}

async function createReader(sql: postgres.Sql): Promise<void> {
  await sql`create role supabase_read_only_user bypassrls`;
  await sql`grant pg_read_all_data to supabase_read_only_user`;
}

/** Of tokens, of what is due, of nothing: any sweep counts. */
async function sweep({ functions_url, secret_key }: OwnStack): Promise<void> {
  const headers = { apikey: secret_key, "content-type": "application/json" };
  const response = await fetch(`${functions_url}/refresh-token`, { method: "POST", headers, body: "{}" });
  assertEquals(response.status, 200, await response.text());
}

Deno.test("nothing is wrong with a healthy project, and every fault has its line", async (t) => {
  await withStack({}, async (stack) => {
    const { api_url, app_url, secret_key, sql } = stack;
    const env = { SUPABASE_SECRET_KEY: secret_key };
    const saidWith = async (path: string, answer: () => Response) =>
      (await wrongWith(stack, path, answer)).join("\n");

    await t.step("the command ends with 0, and says what only the linked project tells", async () => {
      const { code, lines } = await doctor(["--url", api_url, "--app-url", app_url], env);
      assertEquals(code, 0, lines.join("\n"));
      assertEquals(lines.map((line) => [line.slice(0, 11).trimEnd(), line.slice(13, 31).trimEnd()]), [
        ...SEEN.map((about) => ["ok", about]),
        ...LINKED_ONLY.map((about) => ["not checked", about]),
      ]);
    });

    await t.step("it ends with 1 where browsers are sent elsewhere", async () => {
      const { code, lines } = await doctor(["--url", api_url, "--app-url", "https://app.example/"], env);
      assertEquals([code, lines.filter((line) => line.startsWith("wrong"))], [1, [
        `wrong        APP_URL             browsers are sent to ${app_url}, not to https://app.example` +
        " → npx supabase@3.1.0 secrets set APP_URL=https://app.example",
      ]]);
    });

    await t.step("it ends with 2 without a key, and before the key goes where anybody reads it", async () => {
      const keyless = await doctor(["--url", api_url], { SUPABASE_SECRET_KEY: "" });
      const open = await doctor(["--url", "http://project.example"], env);
      assertEquals([keyless.code, open.code], [2, 2]);
      assertMatch(keyless.lines[0] ?? "", /^deno task doctor --url/);
      assertMatch(open.lines[0] ?? "", /^"http:\/\/project.example" is no address with https/);
    });

    await t.step("a project that is not there is one line", async () => {
      const { code, lines } = await doctor(["--url", "http://127.0.0.1:9"], env);
      assertEquals([code, lines.length], [1, 1]);
      assertMatch(
        lines[0] ?? "",
        /^wrong +project +http:\/\/127\.0\.0\.1:9 does not answer: .* → compare --url/,
      );
    });

    await t.step(
      "a legacy key is sent nowhere, and one that the project does not know is refused",
      async () => {
        const judged = async (key: string) =>
          wrongOf(await examine({ project: { url: api_url, secret_key: key } }));
        assertMatch(
          (await judged(LEGACY)).join("\n"),
          /^wrong +secret key +is a legacy JWT key.* → create a secret key.*$/,
        );
        assertMatch(
          (await judged("sb_secret_unknown")).join("\n"),
          /^wrong +secret key +REST does not know it.*$/,
        );
      },
    );

    await t.step("keys that are all symmetric: whoever signs in is refused", async () => {
      for (const keys of [[], [{ kty: "oct", alg: "HS256" }]]) {
        const said = await saidWith("/auth/v1/.well-known/jwks.json", () => Response.json({ keys }));
        assertMatch(said, /^wrong +JWT signing keys +none is asymmetric.*HS256.* → Settings → JWT Keys.*$/);
      }
    });

    await t.step("a function that the gateway guards, that does not start, that is not there", async () => {
      const path = "/functions/v1/search-persons";
      const refused = (status: number, code: string) => () =>
        Response.json({ code, message: "no" }, { status });
      const guarded = await saidWith(path, refused(401, "UNAUTHORIZED_NO_AUTH_HEADER"));
      assertMatch(
        guarded,
        /^wrong +functions +search-persons: the gateway asks .* → give config\.toml .*verify_jwt = false.*$/,
      );
      const broken = await saidWith(path, refused(503, "BOOT_ERROR"));
      assertMatch(broken, /^wrong +functions +search-persons does not start → read its log .*import map.*$/);
      const absent = await saidWith(path, refused(404, "NOT_FOUND"));
      assertMatch(
        absent,
        /^wrong +functions +search-persons is not deployed → npx supabase@3\.1\.0 functions deploy$/,
      );
    });

    await t.step("a schema oauth that is exposed", async () => {
      const said = await saidWith("/rest/v1/connections", () => Response.json([]));
      assertMatch(said, /^wrong +exposed schemas +oauth is among them → .*$/);
    });

    await t.step("a key id under which the sweep could open nothing", async () => {
      const user_id = crypto.randomUUID();
      await sql`insert into auth.users (id) values (${user_id})`;
      await sql`select public.oauth_connect(${crypto.randomUUID()}, ${user_id}, 'pipedrive', 'x', null, null, 'base',
        'v1.lost.iv.access', 'v1.lost.iv.refresh', 'lost', 3600000, 0, null)`;
      await sweep(stack);
      const said = wrongOf(await examine({ project: projectOf(stack) })).join("\n");
      assertMatch(
        said,
        /^wrong +encryption keys +tokens under key id lost did not open.* → put that key back.*$/,
      );
      await sql`delete from auth.users where id = ${user_id}`;
      await sql`delete from oauth.revocations`;
      await sql`delete from oauth.unreadable_keys`;
    });

    await t.step("the linked project tells the rest, through the real CLI", () => throughTheCli(stack));
    await t.step("a schedule: none, one that fails, one that nobody hears", () => schedules(stack));

    await t.step("a migration that is not applied", async () => {
      await sql`alter view public.oauth_events rename to oauth_events_of_old`;
      const said = wrongOf(await examine({ project: projectOf(stack) })).join("\n");
      assertMatch(
        said,
        /^wrong +views, functions +oauth_events: no answer → npx supabase@3\.1\.0 db push.*$/,
      );
    });
  });
});

const SEEN = [
  ...["JWT signing keys", "secret key", "functions", "settings", "providers", "APP_URL"],
  ...["views, functions", "exposed schemas", "encryption keys"],
];

async function throughTheCli(stack: OwnStack): Promise<void> {
  const { api_url, app_url, secret_key, publishable_key, sql } = stack;
  await createReader(sql);
  await withClone(async ({ folder, supabase, api: { facts }, env }) => {
    const secret = { name: "default", type: "secret", api_key: secret_key };
    const linked = ["--linked", "--url", api_url];
    facts.query = (statement) => readOnly(sql, statement);
    facts.api_keys = [secret, { name: "default", type: "publishable", api_key: publishable_key }];
    const unlinked = await doctor(linked, env, folder);
    assertEquals(unlinked.code, 2);
    assertMatch(unlinked.lines.join("\n"), /^Cannot find project ref.*supabase link/);

    await supabase("link", `--project-ref=${PROJECT_REF}`);
    await supabase("secrets", "set", `OAUTH_CALLBACK_URL=${api_url}/functions/v1/oauth-callback`, "--yes");
    await sweep(stack);
    const healthy = await doctor([...linked, "--app-url", app_url], env, folder);
    const [, printed] = /## Ask the doctor[\s\S]*?```text\n([\s\S]*?)```/.exec(PAGE) ?? [];
    const shown = healthy.lines.map((line) =>
      line.replace(api_url, `https://${PROJECT_REF}.supabase.co`).replace(app_url, "https://app.example")
        .replace(/\d+ min ago/, "3 min ago").replace(/all \d+ applied/, "all 11 applied") + "\n"
    );
    assertEquals(shown.join(""), printed);
    assertEquals([healthy.code, healthy.lines.every((line) => line.startsWith("ok "))], [0, true]);
    assert(!healthy.lines.join().includes(secret_key), "the key that the CLI revealed stays unseen");

    await supabase("secrets", "set", "OAUTH_CALLBACK_URL=https://elsewhere.example/callback", "--yes");
    facts.api_keys = [secret];
    facts.lints = [LINT];
    const [last] = await sql<{ version: string; name: string }[]>`
      delete from supabase_migrations.schema_migrations
       where version = (select max(version) from supabase_migrations.schema_migrations) returning *`;
    await sql`update oauth.last_sweep set began_at = now() - interval '3 days'`;
    const { code, lines } = await doctor(linked, { ...env, SUPABASE_SECRET_KEY: secret_key }, folder);
    const wrong = lines.filter((line) => line.startsWith("wrong")).map((line) => line.slice(13));
    assertEquals([code, wrong], [1, [
      "publishable key     there is none → create the new API keys (Settings → API Keys)",
      `OAUTH_CALLBACK_URL  is not ${api_url}/functions/v1/oauth-callback → npx supabase@3.1.0 secrets set` +
      ` OAUTH_CALLBACK_URL=${api_url}/functions/v1/oauth-callback`,
      `migrations          not applied: ${last?.version}_${last?.name}.sql` +
      " → npx supabase@3.1.0 db push --remote --include-all",
      "schedule            the last sweep began 72 hours ago, and nothing is scheduled → select oauth.schedule_sweep();",
      `advisors            1 about oauth, first ${LINT.name}: ${LINT.detail} → npx supabase@3.1.0 db advisors --remote`,
    ]]);
  });
}

const LINT = {
  name: "security_definer_view",
  title: "Security Definer View",
  level: "ERROR",
  facing: "EXTERNAL",
  categories: ["SECURITY"],
  description: "A view with the rights of its owner",
  detail: "View public.oauth_connections is defined with the SECURITY DEFINER property",
  remediation: "https://supabase.com/docs/guides/database/database-linter?lint=0010_security_definer_view",
  metadata: { name: "oauth_connections", schema: "public", type: "view" },
  cache_key: "security_definer_view_public_oauth_connections",
};

/** With the sweep of `throughTheCli` three days ago, and the database asked without the CLI. */
async function schedules({ api_url, sql }: OwnStack): Promise<void> {
  await standIn(sql, "pg_cron", "pg_net", "supabase_vault");
  await sql`select vault.create_secret('https://abcdefghijklmnopqrst.supabase.co', 'project_url')`;
  await sql`select vault.create_secret('sb_secret_x', 'cron_secret_key')`;
  const linked: Linked = {
    project_ref: PROJECT_REF,
    api_keys: [],
    digests: () => Promise.reject(new Error("not permitted")),
    advisors: () => Promise.reject(new Error("not permitted")),
    query: (statement) => readOnly(sql, statement),
  };
  const said = async () => {
    const findings = await linkedFindings(linked, api_url);
    return findings.filter(({ about }) => about === "schedule").map(lineOf).join("\n").slice(33);
  };
  assertMatch(await said(), /^the last sweep began 72 hours ago, and nothing is scheduled → select oauth/);
  const [job] = await sql`select oauth.schedule_sweep() as id`;
  assertMatch(await said(), /, though its job runs → compare project_url and cron_secret_key in Vault/);
  await sql`insert into cron.job_run_details (jobid, status, return_message)
    values (${job?.id}, 'failed', ${'ERROR:  Vault has no secret named "project_url"'})`;
  assertMatch(await said(), /: its job fails → ERROR: +Vault has no secret named "project_url"$/);
  await sql`update cron.job set active = false`;
  assertMatch(await said(), /: its job is not active → select oauth\.schedule_sweep\(\);$/);
  await sql`delete from oauth.last_sweep`;
  assertMatch(await said(), /^no sweep ever began: its job is not active/);

  const states = (await linkedFindings(linked, api_url)).map(({ about, state }) => [about, state]);
  assertEquals(Object.fromEntries(states), {
    "publishable key": "wrong",
    OAUTH_CALLBACK_URL: "not checked",
    migrations: "wrong",
    schedule: "wrong",
    advisors: "not checked",
  });
}

Deno.test("a setting that is missing is named, and so are functions without the new keys", async () => {
  await withStack({ env: { TOKEN_ENCRYPTION_KEYS: "", SUPABASE_SECRET_KEYS: "" } }, async (stack) => {
    const said = wrongOf(await examine({ project: projectOf(stack) }));
    assertEquals(said.map((line) => line.slice(13)), [
      "secret key          the functions know no secret key → create the new API keys (Settings → API Keys)",
      "settings            TOKEN_ENCRYPTION_KEYS is not set → npx supabase@3.1.0 secrets set --env-file .env",
    ]);
  });
});

Deno.test("a provider that is set by half is named, and the others are offered", async () => {
  await withStack({ env: { HUBSPOT_CLIENT_ID: "half" } }, async (stack) => {
    const said = wrongOf(await examine({ project: projectOf(stack) }));
    assertEquals(said.map((line) => line.slice(13)), [
      "providers           HUBSPOT_CLIENT_SECRET is not set → npx supabase@3.1.0 secrets set --env-file .env",
    ]);
  });
});

Deno.test("no line shows a secret, whatever an answer had in it", () => {
  const says = `it said sb_secret_abc-1 and ${LEGACY}\nto sbp_0123`;
  const line = lineOf({ state: "wrong", about: "x", says, todo: "\u001b[2Jgo" });
  assertEquals(line.slice(33), "it said (a secret) and (a secret) to (a secret) →  [2Jgo");
});
