/** Moving what the old n8n workflow kept: nothing is lost on a crash, and a second run changes nothing. */
import type postgres from "postgres";
import { type ServedSandbox, serveSandbox, type UserChoice } from "../../local/sandbox/mod.ts";
import { callApi } from "../../supabase/functions/_shared/use/call_api.ts";
import { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import { systemClock } from "../../supabase/functions/_shared/time.ts";
import { withDatabase } from "../../tests/support/database.ts";
import { assert, assertEquals, assertMatch } from "../../tests/support/assert.ts";
import { contextOn, KEYS, makeClient } from "../../tests/support/make.ts";
import { openSqlRpc } from "../../tests/support/sql_rpc.ts";

const CALLBACK = "https://project.example/functions/v1/oauth-callback";
const CLIENT = { client_id: "old-client", client_secret: crypto.randomUUID() };
const MAIN = new URL("../../tools/import_app_tok/main.ts", import.meta.url).pathname;
const USER = crypto.randomUUID();
const [FIRST, SECOND, THIRD, FOURTH] = ["7100201:11", "7100201:12", "7100302:23", "7100403:31"] as const;

interface Scene {
  readonly sandbox: ServedSandbox;
  readonly sql: postgres.Sql;
  readonly url: string;
  /** Files of this test. */
  readonly folder: string;
  /** Every token that was ever in the old table. */
  readonly tokens: string[];
}

interface Run {
  readonly code: number;
  readonly output: string;
}

Deno.test("the rows of the old workflow become connections", async (t) => {
  await withScene(async (scene) => {
    const { sandbox: { control }, sql } = scene;
    const requests = async () => (await control.counts()).requests;
    const versionOf = async (account: string) =>
      Number(
        (await sql`select version from oauth.connections where account_key = ${account}`)[0]?.version ?? 0,
      );

    await t.step(
      "a dry run asks the provider nothing, writes nothing, and says what would happen",
      async () => {
        await oldRow(scene, FIRST, { AppId: "1" });
        await oldRow(scene, SECOND, { AppId: "2", Platform: "HubSpot" });
        const { code, output } = await run(scene, ["--user", USER, "--dry-run"]);
        assertEquals(code, 0, output);
        assertMatch(output, /row 1 \(AppId 1\): would move/);
        assertMatch(output, /row 2 \(AppId 2\): other platform: the platform is "HubSpot"/);
        assertEquals((await control.journal()).length, 0);
        assertEquals((await sql`select to_regclass('oauth.imported_rows') as name`)[0]?.name, null);
        assertEquals((await sql`select 1 from oauth.connections`).length, 0);
      },
    );

    await t.step("a row that names no platform while another names one needs somebody", async () => {
      await sql`insert into "App_tok" ("AppId", ref_token) values ('0', '1:1:whose')`;
      const { code, output } = await run(scene, ["--user", USER, "--dry-run"]);
      assertEquals(code, 1, output);
      assertMatch(output, /row 3 \(AppId 0\): no platform: it names none/);
      await sql`delete from "App_tok" where "AppId" = '0'`;
    });

    await t.step("a table of which no row is of the platform has not been moved", async () => {
      const { code, output } = await run(scene, ["--user", USER, "--platform", "Pipedrive CRM"]);
      assertEquals(code, 2, output);
      assertMatch(output, /No row is of the platform "Pipedrive CRM"/);
    });

    await t.step("a run moves a row, and the connection works", async () => {
      const { code, output } = await run(scene, ["--user", USER]);
      assertEquals(code, 0, output);
      assertMatch(output, /row 1 \(AppId 1\): moved: connection \S+, 7100201:11, Baltic Timber/);
      const [connection] = await sql`select id, user_id, status, scope, client_id from oauth.connections`;
      assertEquals(connection?.user_id, USER);
      assertEquals(connection?.scope, ["base", "contacts:read"]);
      assertEquals(connection?.client_id, CLIENT.client_id);
      await searchWith(scene, connection?.id);
    });

    await t.step("a second run is a no-op", async () => {
      const [before, version] = [await requests(), await versionOf(FIRST)];
      const { code, output } = await run(scene, ["--user", USER]);
      assertEquals(code, 0, output);
      assertMatch(output, /row 1 \(AppId 1\): already moved/);
      assertEquals(await requests(), before);
      assertEquals(await versionOf(FIRST), version);
    });

    await t.step(
      "a crash after the token was spent and before the connection is there loses nothing",
      async () => {
        await sql`update "App_tok" set "Platform" = 'pipedrive'`;
        await oldRow(scene, THIRD, { AppId: "3" });
        // The provider has rotated row 2's token and never says whose it is; then the process is killed.
        await control.fail_next({ on: "users/me", how: "timeout" });
        const before = await requests();
        const process = start(scene, ["--user", USER]);
        while ((await requests())["users/me"] === before["users/me"]) await turn();
        process.kill("SIGKILL");
        await process.output();
        assertEquals(await versionOf(SECOND), 0);

        const { code, output } = await run(scene, ["--user", USER]);
        assertEquals(code, 0, output);
        assertMatch(output, /row 2 .*moved: connection/);
        assertMatch(output, /row 3 .*moved: connection/);
        assertEquals((await requests())["token:refresh"] - before["token:refresh"], 2);
        assertEquals((await control.counts()).reused, 0);
        assertEquals([await versionOf(SECOND), await versionOf(THIRD)], [1, 1]);
      },
    );

    await t.step(
      "rows without a user, without a token, and refused ones are told apart; the rest goes on",
      async () => {
        await oldRow(scene, FOURTH, { AppId: "4" });
        await sql`insert into "App_tok" ("Platform", "AppId", ref_token) values ('Pipedrive', '5', null)`;
        await sql`insert into "App_tok" ("Platform", "AppId", ref_token) values ('Pipedrive', '6', '1:1:spent')`;
        const mapping = await file(scene, "accounts.csv", `account,user_id\n${FIRST},${USER}\n`);
        const before = await requests();
        const { code, output } = await run(scene, ["--users", mapping]);
        assertEquals(code, 1, output);
        assertMatch(output, /row 4 .*no user: the mapping has no user for 7100403:31, .*kept safe/);
        assertMatch(output, /row 5 .*no refresh token/);
        assertMatch(output, /row 6 .*refused: the provider has ended it/);
        assertEquals((await requests())["token:refresh"] - before["token:refresh"], 2);
      },
    );

    await t.step("a row that is refused without a reason says so, and the next row is tried", async () => {
      await sql`insert into "App_tok" ("Platform", "AppId", ref_token)
        values ('Pipedrive', '22', '1:1:spent_too'), ('Pipedrive', '21', '1:1:unexplained')`;
      await control.fail_next({ on: "token:refresh", how: "401" });
      const mapping = await file(scene, "accounts.csv", `account,user_id\n${FIRST},${USER}\n`);
      const { code, output } = await run(scene, ["--users", mapping]);
      assertEquals(code, 1, output);
      assertMatch(output, /row 8 .*later: PROVIDER_UNAVAILABLE: .*status_401.*run again/);
      assertMatch(output, /row 7 .*refused: the provider has ended it/);
      await sql`delete from "App_tok" where "AppId" in ('21', '22')`;
    });

    await t.step(
      "what was kept becomes a connection once its user is known, and asks for no new token",
      async () => {
        const before = await requests();
        const mapping = await file(
          scene,
          "accounts.json",
          JSON.stringify([{ account: FOURTH, user_id: USER }]),
        );
        const { output } = await run(scene, ["--users", mapping]);
        assertMatch(output, /row 4 .*moved: connection/);
        assertEquals((await requests())["token:refresh"], before["token:refresh"]);
        await searchWith(
          scene,
          (await sql`select id from oauth.connections where account_key = ${FOURTH}`)[0]?.id,
        );
      },
    );

    await t.step("what its user has disconnected is not brought back", async () => {
      const [connection] = await sql`select id from oauth.connections where account_key = ${FOURTH}`;
      await sql`select public.oauth_disconnect(${connection?.id}, ${USER}, 'pipedrive')`;
      await oldRow(scene, FOURTH, { AppId: "7" });
      const { output } = await run(scene, ["--user", USER]);
      assertMatch(output, /row 7 .*left: its user has disconnected/);
      const [after] = await sql`select status from oauth.connections where id = ${connection?.id}`;
      assertEquals(after?.status, "disconnected");
    });

    await t.step(
      "a wrong client secret stops the run before a token is spent, and costs no row anything",
      async () => {
        await sql`select public.oauth_uninstall('pipedrive', ${SECOND}, null)`;
        await oldRow(scene, SECOND, { AppId: "8" });
        const other = crypto.randomUUID();
        await sql`insert into auth.users (id, email) values (${other}, 'other@example.com')`;
        const wrong = await run(scene, ["--user", other], { PIPEDRIVE_CLIENT_SECRET: "wrong" });
        assertEquals(wrong.code, 2);
        assertMatch(wrong.output, /refused our client with "\w+": check its id and secret/);
        const { output } = await run(scene, ["--user", other]);
        assertMatch(output, /row 8 .*moved: connection/);
      },
    );

    await t.step("a user that does not exist is known before anything is spent", async () => {
      const { code, output } = await run(scene, ["--user", crypto.randomUUID()]);
      assertEquals(code, 2);
      assertMatch(output, /There is no user/);
    });

    await t.step("no row of the database but the old table's holds a token in plain text", async () => {
      const rows = await sql<{ row: string }[]>`
        select to_jsonb(i)::text as row from oauth.imported_rows i
        union all select to_jsonb(c)::text || to_jsonb(s)::text from oauth.connections c
        join oauth.token_sets s on s.connection_id = c.id`;
      assert(rows.length > 5);
      for (const { row } of rows) assert(!scene.tokens.some((token) => row.includes(token)));
      assertEquals(
        (await sql`select 1 from oauth.imported_rows where access_token_sealed is not null`).length,
        0,
      );
    });
  });
});

Deno.test("the old table's history needs nobody once its account is moved", async (t) => {
  await withScene(async (scene) => {
    const { sandbox: { control }, sql } = scene;
    const spent = (account: string, AppId: string) =>
      sql`insert into "App_tok" (ref_token, "Platform", "AppId")
        values (${`${account}:${crypto.randomUUID()}`}, 'Pipedrive', ${AppId})`;
    const refreshes = async () => (await control.counts()).requests["token:refresh"];

    await t.step(
      "in the same run, wherever in the table it is, and unpresented where it is older",
      async () => {
        await spent(FIRST, "1");
        await oldRow(scene, FIRST, { AppId: "1" });
        await spent(FIRST, "1");
        const { code, output } = await run(scene, ["--user", USER]);
        assertEquals(code, 0, output);
        assertMatch(output, /row 1 .*superseded: its account is connection \S+ already/);
        assertMatch(output, /row 2 .*moved: connection/);
        assertMatch(output, /row 3 .*superseded/);
        assertMatch(output, /3 rows\. .*2 superseded/);
        assertEquals(await refreshes(), 2);
      },
    );

    await t.step("in a later run, where it costs no request", async () => {
      await spent(FIRST, "1");
      const { code, output } = await run(scene, ["--user", USER]);
      assertEquals(code, 0, output);
      assertMatch(output, /row 4 .*superseded/);
      assertMatch(output, /row 2 .*already moved/);
      assertEquals(await refreshes(), 2);
    });

    await t.step("but another account's, another user's and one that names no account do", async () => {
      await spent(SECOND, "2");
      await sql`insert into "App_tok" (ref_token, "Platform", "AppId") values ('opaque', 'Pipedrive', '1')`;
      const other = crypto.randomUUID();
      await sql`insert into auth.users (id, email) values (${other}, 'other@example.com')`;
      const { code, output } = await run(scene, ["--user", USER]);
      assertEquals(code, 1, output);
      for (const row of [5, 6]) {
        assertMatch(output, new RegExp(`row ${row} .*refused: .*; the user connects again`));
      }
      const theirs = await run(scene, ["--user", other]);
      assertEquals(theirs.code, 1, theirs.output);
      assertMatch(theirs.output, /row 4 .*refused: .*; the user connects again/);
    });
  });
});

Deno.test("every row says what is left to do, also of a run that cannot go on", async () => {
  await withScene(async (scene) => {
    for (const [index, account] of [FIRST, SECOND, THIRD].entries()) {
      await oldRow(scene, account, { AppId: String(index + 1) });
    }
    await scene.sandbox.control.fail_next({ on: "token:refresh", how: "invalid_client" });
    const { code, output } = await run(scene, ["--user", USER]);
    assertEquals(code, 2, output);
    for (const row of [1, 2, 3]) assertMatch(output, new RegExp(`row ${row} .*not done: .*run again`));
    assertMatch(output, /The provider refused our client/);
    await scene.sql.unsafe(`
      create function refuse() returns trigger language plpgsql as $$
        begin raise check_violation; end $$;
      create trigger refuse before insert on oauth.connections for each row
        when (new.account_key = '${SECOND}') execute function refuse()`);
    const second = await run(scene, ["--user", USER]);
    assertEquals(second.code, 1, second.output);
    assertMatch(second.output, /row 2 .*later: .*the database does not take it \(23514\); run again/);
    for (const row of [1, 3]) assertMatch(second.output, new RegExp(`row ${row} .*moved: connection`));
    await scene.sql`drop trigger refuse on oauth.connections`;
    const third = await run(scene, ["--user", USER]);
    assertEquals(third.code, 0, third.output);
    assertMatch(third.output, /row 2 .*moved: connection/);
  });
});

async function withScene(tell: (scene: Scene) => Promise<void>): Promise<void> {
  await withDatabase(async (database) => {
    const sql = database.connect();
    await sql`insert into auth.users (id, email) values (${USER}, 'ana@example.com')`;
    await sql`create table "App_tok" (id serial, acc_token text, ref_token text, "Platform" text, "AppId" text)`;
    const sandbox = await serveSandbox({ ...CLIENT, redirect_uri: `${CALLBACK}/pipedrive` });
    const folder = await Deno.makeTempDir({ prefix: "import-" });
    try {
      await tell({ sandbox, sql, url: database.url, folder, tokens: [] });
    } finally {
      await sandbox.stop();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** A row as the old workflow left it: the access token long dead, the refresh token good. */
async function oldRow(
  { sandbox, sql, tokens }: Scene,
  user: UserChoice,
  { AppId, Platform = "Pipedrive" }: { AppId: string; Platform?: string },
): Promise<void> {
  const { access_token, refresh_token = "" } = await sandbox.control.grant({ user });
  await sandbox.control.expire_access_tokens({ user });
  tokens.push(access_token, refresh_token);
  await sql`insert into "App_tok" (acc_token, ref_token, "Platform", "AppId")
    values (${access_token}, ${refresh_token}, ${Platform}, ${AppId})`;
}

function start({ sandbox, url }: Scene, args: readonly string[], env: Record<string, string> = {}) {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", MAIN, "--from", url, "--to", url, ...args],
    env: {
      PIPEDRIVE_CLIENT_ID: CLIENT.client_id,
      PIPEDRIVE_CLIENT_SECRET: CLIENT.client_secret,
      PIPEDRIVE_OAUTH_ORIGIN: sandbox.origin,
      PIPEDRIVE_API_ORIGINS: sandbox.origin,
      TOKEN_ENCRYPTION_KEYS: KEYS,
      APP_URL: "https://app.example",
      OAUTH_CALLBACK_URL: CALLBACK,
      NO_COLOR: "1",
      ...env,
    },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Runs it to its end. What it prints never holds a token. */
async function run(scene: Scene, args: readonly string[], env?: Record<string, string>): Promise<Run> {
  const { code, stdout, stderr } = await start(scene, args, env).output();
  const output = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assert(!scene.tokens.some((token) => output.includes(token)), "a token was printed");
  return { code, output };
}

/** The connection's seals open for the functions, and its token is good at the provider. */
async function searchWith({ sandbox, url }: Scene, connection_id: string): Promise<void> {
  const rpc = await openSqlRpc(url);
  try {
    const context = await contextOn(supabaseStore(rpc), {
      client: makeClient({
        ...CLIENT,
        redirect_uri: `${CALLBACK}/pipedrive`,
        oauth_origin: sandbox.origin,
        api_origins: [sandbox.origin],
      }),
      clock: systemClock,
      fetch,
    });
    const call = { connection_id, user_id: USER, path: "/api/v2/persons/search", query: { term: "an" } };
    assertEquals((await callApi(context, call)).status, 200);
  } finally {
    await rpc.close();
  }
}

async function file({ folder }: Scene, name: string, text: string): Promise<string> {
  await Deno.writeTextFile(`${folder}/${name}`, text);
  return `${folder}/${name}`;
}

/** One turn of the event loop: whoever waits for another process asks again after it. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}
