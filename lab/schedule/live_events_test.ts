/** Live events, on a stand-in for Realtime: who hears what, and that no token is ever lost for the sake of news. */
import type postgres from "postgres";
import { assertEquals, assertMatch, assertRejects } from "../../tests/support/assert.ts";
import { type TestDatabase, withDatabase } from "../../tests/support/database.ts";
import { standIn } from "./stand_ins.ts";

const ALICE = "a11ce000-0000-4000-8000-000000000000";
const BOB = "b0b00000-0000-4000-8000-000000000000";

async function connect(server: postgres.Sql, user_id: string): Promise<string> {
  const id = crypto.randomUUID();
  await server`select public.oauth_connect(${id}, ${user_id}, 'pipedrive', ${id}, null, null, 'base',
    'v1.k1.iv.access', 'v1.k1.iv.refresh', 'k1', 3600000, 0, null)`;
  return id;
}

/** What a user hears who joins this topic: what Realtime's check reads as them. */
async function heard(sql: postgres.Sql, user_id: string, topic: string): Promise<Record<string, unknown>[]> {
  return await sql.begin(async (begun) => {
    const transaction = begun as unknown as postgres.Sql;
    await transaction`set local role authenticated`;
    await transaction`select set_config('request.jwt.claims', ${JSON.stringify({ sub: user_id })}, true),
      set_config('realtime.topic', ${topic}, true)`;
    const rows = await transaction<{ payload: Record<string, unknown> }[]>`
      select payload from realtime.messages where topic = ${topic}`;
    return rows.map(({ payload }) => payload);
  });
}

/** As the functions' role. */
function asServer(database: TestDatabase): Promise<postgres.Sql> {
  const server = database.connect();
  return server`set role service_role`.then(() => server);
}

Deno.test("live events", async (test) => {
  await withDatabase(async (database) => {
    const sql = database.connect();
    const server = await asServer(database);
    await sql`insert into auth.users (id) values (${ALICE}), (${BOB})`;

    await test.step("are refused where there is no Realtime", async () => {
      await assertRejects(() => sql`select oauth.start_live_events()`, Error, "no Realtime");
    });

    await test.step("are sent only once they are asked for, however often", async () => {
      await standIn(sql, "realtime");
      await connect(server, ALICE);
      assertEquals(await sql`select from realtime.messages`.then(({ count }) => count), 0);
      await sql`revoke insert on realtime.messages from service_role`;
      await assertRejects(() => sql`select oauth.start_live_events()`, Error, "may not send");
      await sql`grant insert on realtime.messages to service_role`;
      await sql`select oauth.start_live_events()`;
      await sql`select oauth.start_live_events()`;
      await connect(server, ALICE);
      assertEquals(await sql`select from realtime.messages`.then(({ count }) => count), 1);
    });

    await test.step("are what their owner may read, on the owner's own private topic", async () => {
      const id = await connect(server, BOB);
      const [message] = await sql`select event, private, extension from realtime.messages
        where payload ->> 'connection_id' = ${id}`;
      assertEquals({ ...message }, { event: "connected", private: true, extension: "broadcast" });
      const [payload = {}] = await heard(sql, BOB, `oauth_events:${BOB}`);
      const columns = await sql`select column_name from information_schema.columns
        where table_schema = 'public' and table_name = 'oauth_events'`;
      assertEquals(Object.keys(payload).toSorted(), columns.map(({ column_name }) => column_name).toSorted());
      assertEquals([payload.connection_id, payload.kind, payload.version], [id, "connected", 1]);
    });

    await test.step("are heard by nobody else", async () => {
      assertEquals(await heard(sql, ALICE, `oauth_events:${BOB}`), []);
      assertEquals(await heard(sql, ALICE, "oauth_events:"), []);
      assertEquals((await heard(sql, ALICE, `oauth_events:${ALICE}`)).length, 1);
    });

    await test.step("cost no token when sending fails", async () => {
      const id = await connect(server, ALICE);
      await sql`alter function realtime.send(jsonb, text, text, boolean) rename to sent`;
      const again = await connect(server, ALICE);
      await sql`alter function realtime.sent(jsonb, text, text, boolean) rename to send`;
      await sql`revoke insert on realtime.messages from service_role`;
      const [claim] =
        await server`select lease_id from public.oauth_claim_refresh(${id}, 1, true, '{k1}', 20000, 25000, 0)`;
      const [commit] =
        await server`select outcome from public.oauth_commit_refresh(${id}, ${claim?.lease_id}, 1,
        'v1.k1.iv.access2', 'v1.k1.iv.refresh2', 'k1', null, 3600000, 0)`;
      await sql`grant insert on realtime.messages to service_role`;
      assertEquals(commit?.outcome, "committed");
      const events =
        await sql`select kind from oauth.events where connection_id in (${id}, ${again}) order by id`;
      assertEquals(events.map(({ kind }) => kind), ["connected", "connected", "refreshed"]);
      assertEquals((await heard(sql, ALICE, `oauth_events:${ALICE}`)).length, 2);
    });

    await test.step("end when they are told to", async () => {
      await sql`select oauth.stop_live_events()`;
      const id = await connect(server, ALICE);
      const { count } = await sql`select from realtime.messages where payload ->> 'connection_id' = ${id}`;
      assertEquals([count, (await heard(sql, ALICE, `oauth_events:${ALICE}`)).length], [0, 0]);
    });

    await test.step("left the table unpublished", async () => {
      const { count } = await sql`select from pg_publication_tables where schemaname = 'oauth'`;
      assertEquals(count, 0);
      assertMatch(
        await Deno.readTextFile(new URL("../../docs/operating.md", import.meta.url)),
        /oauth_events:\$\{user\.id\}/,
      );
    });
  });
});
