/** Who may do what through the local API is decided by the migrations alone, as on a hosted project. */
import postgres from "postgres";
import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import { bootstrap } from "../../local/stack/bootstrap.ts";
import { startPostgres } from "../../local/stack/postgres.ts";
import { openRest } from "../../local/stack/rest.ts";
import { type Stack, startStack } from "../../local/stack/stack.ts";
import { readGrants } from "../../tests/support/grants.ts";
import { assert, assertEquals, assertNotEquals, assertRejects } from "../../tests/support/assert.ts";

const SECRET_COLUMNS = [
  "access_token_sealed",
  "refresh_token_sealed",
  "key_id",
  "lease_id",
  "account_key",
  "user_id",
];
const PRIVATE_TABLES = ["connections", "token_sets", "authorization_requests", "events"];
const SOMEBODY = { p_id: crypto.randomUUID(), p_user_id: crypto.randomUUID(), p_seen_version: 0 };

/** Every way in that the outside has, with the status PostgREST gives its refusals. */
async function callers(stack: Stack): Promise<{ name: string; client: SupabaseClient; refused: number }[]> {
  const options = { auth: { persistSession: false, autoRefreshToken: false } };
  const anon = createClient(stack.api_url, stack.publishable_key, options);
  const user = createClient(stack.api_url, stack.publishable_key, options);
  const { error } = await user.auth.signUp({ email: "ana@example.com", password: "correct horse" });
  assertEquals(error, null);
  return [
    { name: "anon", client: anon, refused: 401 },
    { name: "authenticated", client: user, refused: 403 },
  ];
}

Deno.test("the API hands out what the migrations grant, and nothing more", async (t) => {
  const stack = await startStack();
  const sql = postgres(stack.database_url, { max: 1 });
  try {
    const before = await readGrants(stack.database_url);
    const service = createClient(stack.api_url, stack.secret_key, { auth: { persistSession: false } });

    for (const { name, client, refused } of await callers(stack)) {
      await t.step(`${name} finds the schema oauth not to be there`, async () => {
        for (const table of PRIVATE_TABLES) {
          const { error, status } = await client.schema("oauth").from(table).select();
          assertEquals([table, status, error?.code], [table, 406, "PGRST106"]);
        }
        const { error } = await client.schema("oauth").rpc("erase_token_set");
        assertEquals(error?.code, "PGRST106");
      });

      await t.step(`${name} reads no secret column through the public view`, async () => {
        for (const column of SECRET_COLUMNS) {
          const { data, error } = await client.from("oauth_connections").select(column);
          assertEquals([column, data], [column, null]);
          assert(
            ["42501", "42703"].includes(error?.code ?? ""),
            `${column}: ${error?.code} ${error?.message}`,
          );
        }
      });

      await t.step(`${name} writes to no view`, async () => {
        const created_at = "2026-11-01T00:00:00Z";
        for (const view of ["oauth_connections", "oauth_events"]) {
          const inserted = await client.from(view).insert({ created_at });
          const deleted = await client.from(view).delete().gte("created_at", created_at);
          assertEquals([view, inserted.status, deleted.status], [view, refused, refused]);
          assertEquals([inserted.error?.code, deleted.error?.code], ["42501", "42501"]);
        }
      });

      await t.step(`${name} calls no function of the server's`, async () => {
        const { error, status } = await client.rpc("oauth_peek", SOMEBODY);
        assertEquals([status, error?.code], [refused, "42501"]);
      });
    }

    await t.step("the publishable key alone reads no view, a user reads her own", async () => {
      const [anon, user] = await callersAgain(stack);
      for (const view of ["oauth_connections", "oauth_events"]) {
        const nobody = await anon.from(view).select();
        const owner = await user.from(view).select();
        assertEquals([nobody.status, nobody.error?.code], [401, "42501"]);
        assertEquals([owner.status, owner.data], [200, []]);
      }
    });

    await t.step(
      "the secret key calls the server's functions, and sees the schema oauth no better",
      async () => {
        assertEquals((await service.rpc("oauth_peek", SOMEBODY)).error, null);
        assertEquals((await service.schema("oauth").from("token_sets").select()).error?.code, "PGRST106");
      },
    );

    await t.step(
      "in the database itself neither role reads a token, whichever schema is exposed",
      async () => {
        for (const role of ["anon", "authenticated"]) {
          const asRole = sql.begin((transaction) =>
            transaction.unsafe(`set local role ${role}; select refresh_token_sealed from oauth.token_sets`)
              .simple()
          );
          await assertRejects(() => asRole, postgres.PostgresError, "permission denied");
        }
      },
    );

    await t.step("after all these requests every privilege is what it was", async () => {
      assertEquals(await readGrants(stack.database_url), before);
    });
  } finally {
    await sql.end();
    await stack.stop();
  }
});

/** The same two, without signing up again. */
async function callersAgain(stack: Stack): Promise<[SupabaseClient, SupabaseClient]> {
  const options = { auth: { persistSession: false, autoRefreshToken: false } };
  const user = createClient(stack.api_url, stack.publishable_key, options);
  await user.auth.signInWithPassword({ email: "ana@example.com", password: "correct horse" });
  return [createClient(stack.api_url, stack.publishable_key, options), user];
}

/** A table as the library's own first check would meet it: row level security, one column for users, one for nobody. */
const DIARY = `
  create table public.diary (id integer, page text, secret text);
  alter table public.diary enable row level security;
  create policy "everybody reads every row" on public.diary for select using (true);
  grant select (id, page) on public.diary to authenticated;
  grant select on public.diary to service_role;
  insert into public.diary values (1, 'seen', 'unseen');`;

Deno.test("REST gives nobody a column that was not granted, from the first request on", async (t) => {
  const server = await startPostgres();
  const sql = postgres(server.url, { max: 1 });
  const keys = { publishable_key: "sb_publishable_a", secret_key: "sb_secret_a", jwt_secret: "x".repeat(32) };
  try {
    await bootstrap(server.url);
    await sql.unsafe(DIARY).simple();
    const rest = await openRest({ database_url: server.url, ...keys });
    const ask = async (apikey: string, select: string) => {
      const url = `http://127.0.0.1/rest/v1/diary?select=${select}`;
      const response = await rest.fetch(new Request(url, { headers: { apikey } }));
      return [response.status, await response.json()] as const;
    };
    try {
      await t.step("the publishable key gets 42501, not an empty list", async () => {
        const before = await readGrants(server.url);
        const [status, { code }] = await ask(keys.publishable_key, "page");
        assertEquals([status, code], [401, "42501"]);
        assertEquals(await readGrants(server.url), before);
      });

      await t.step("the secret key reads as service_role, past the policies", async () => {
        assertEquals(await ask(keys.secret_key, "secret"), [200, [{ secret: "unseen" }]]);
      });

      await t.step("a grant that a request had made would be seen", async () => {
        const before = await readGrants(server.url);
        await sql`grant select on public.diary to anon`;
        assertNotEquals(await readGrants(server.url), before);
      });
    } finally {
      await rest.close();
    }
  } finally {
    await sql.end();
    await server.stop();
  }
});
