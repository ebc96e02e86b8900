/** The product over HTTP, as a front end and a script use it: real PostgreSQL, real supabase-js, real processes. */
import { AppUser, Refused } from "../../local/stack/app_user.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { expire, mature, type OwnStack, withStack } from "../support/own_stack.ts";

Deno.test("two users and a forged token", async (t) => {
  await withStack({ instances: { "search-persons": 2 } }, async (stack) => {
    const { control, sql } = stack;
    const [ana, ben] = [new AppUser(stack), new AppUser(stack)];
    await Promise.all([ana.signUp("ana"), ben.signUp("ben")]);
    const connection = await ana.connect(control);

    await t.step("what complete answers is what the owner reads, and holds no token", async () => {
      const { data } = await ana.supabase.from("oauth_connections").select();
      assertEquals(data, [connection]);
      const { account, scope, ...others } = connection;
      assertEquals([account.name, scope], ["Baltic Timber", ["base", "contacts:read"]]);
      const times = ["access_expires_at", "authorization_expires_at", "created_at"];
      const columns = [...times, "id", "provider", "status", "updated_at"];
      assertEquals(Object.keys(others).toSorted(), columns);
    });

    await t.step("an owner reads the events of her connections, another user none", async () => {
      const own = await ana.supabase.from("oauth_events").select();
      const foreign = await ben.supabase.from("oauth_events").select();
      assertEquals(own.data?.map(({ kind }) => kind), ["connected"]);
      assertEquals(foreign.data, []);
    });

    await t.step("a search answers what Pipedrive answers, by GET and by POST", async () => {
      const posted = await ana.search("an");
      const got = await get(stack, "term=an", await bearerOf(ana));
      assert(posted.data.items.length > 0);
      assertEquals(await got.json(), posted);
      assert(got.headers.has("x-ratelimit-remaining"));
    });

    await t.step("fifty searches over two processes on an expired token: one refresh", async () => {
      await control.configure({ search_burst: null });
      for (let round = 0; round < 3; round++) {
        await expire(stack, connection.id);
        const before = await control.counts();
        const answers = await Promise.all(Array.from({ length: 50 }, () => ana.search("an")));
        const after = await control.counts();
        assertEquals(answers.filter(({ data }) => data.items.length > 0).length, 50);
        assertEquals(after.requests["token:refresh"] - before.requests["token:refresh"], 1);
        assertEquals(after.reused, 0);
      }
    });

    await t.step("searches under way when a refresh ends their access token are answered", async () => {
      await mature(stack);
      await control.configure({ old_access_dies: true });
      const before = await control.counts();
      const [forced, ...answers] = await Promise.all([
        ana.invoke<{ outcome: string }>("refresh-token", { connection_id: connection.id, force: true }),
        ...Array.from({ length: 20 }, () => ana.search("an")),
      ]);
      const after = await control.counts();
      assertEquals(forced.outcome, "refreshed");
      assertEquals(answers.filter(({ data }) => data.items.length > 0).length, 20);
      assertEquals([after.refreshed, after.reused], [before.refreshed + 1, 0]);
    });

    await t.step("a script with a secret key names the connection and needs no login", async () => {
      const found = await get(stack, `term=an&connection_id=${connection.id}`, { apikey: stack.secret_key });
      assertEquals((await found.json()).success, true);
    });

    await t.step("refresh-token refreshes one connection, and sweeps for cron", async () => {
      await mature(stack);
      const body = { connection_id: connection.id, force: true };
      const forced = await ana.invoke<{ outcome: string; expires_at: string }>("refresh-token", body);
      assertEquals(forced.outcome, "refreshed");
      assert(new Date(forced.expires_at) > new Date());
      await sql`update oauth.connections set refreshed_at = now() - interval '31 days' where id = ${connection.id}`;
      const swept = await fetch(`${stack.functions_url}/refresh-token`, {
        method: "POST",
        headers: { apikey: stack.secret_key, "content-type": "application/json" },
        body: "{}",
      });
      assertEquals([swept.status, (await swept.json()).refreshed], [200, 1]);
    });

    await t.step("another user's connection does not exist, whatever is asked of it", async () => {
      const before = (await control.journal()).length;
      const attempts = [
        () => ben.search("an", connection.id),
        () => ben.invoke("refresh-token", { connection_id: connection.id, force: true }),
        () => ben.disconnect(connection.id),
      ];
      for (const attempt of attempts) {
        const refused = await assertRejects(attempt, Refused);
        assertEquals([refused.status, refused.message], [404, "CONNECTION_NOT_FOUND"]);
      }
      assertEquals((await control.journal()).length, before);
      assert((await ana.search("an")).data.items.length > 0);
    });

    await t.step("who holds her token but not its signature is nobody, at every function", async () => {
      const [header, claims] = (await bearerOf(ana)).authorization.split(".");
      const headers = {
        authorization: `${header}.${claims}.${"A".repeat(86)}`,
        apikey: stack.publishable_key,
        "content-type": "application/json",
      };
      for (const name of ["search-persons", "refresh-token", "oauth-callback/pipedrive/authorize"]) {
        const request = { method: "POST", headers, body: "{}" };
        const answer = await fetch(`${stack.functions_url}/${name}`, request);
        assertEquals([name, answer.status, (await answer.json()).code], [name, 401, "INVALID_JWT"]);
      }
    });

    await t.step("a refresh survives the caller hanging up", async () => {
      await expire(stack, connection.id);
      const before = (await control.counts()).refreshed;
      await control.configure({ token_latency_ms: 400 });
      const leaving = new AbortController();
      const call = get(stack, "term=an", await bearerOf(ana), leaving.signal);
      await until(async () => (await control.counts()).refreshed > before);
      leaving.abort();
      await assertRejects(() => call);
      await until(async () => {
        const [row] = await sql`select lease_id, access_expires_at > now() as fresh from oauth.connections
          where id = ${connection.id}`;
        return row?.lease_id === null && row?.fresh;
      });
      await control.configure({ token_latency_ms: 0 });
      assert((await ana.search("an")).data.items.length > 0);
      assertEquals((await control.counts()).refreshed, before + 1);
    });

    await t.step("a search whose caller hangs up is withdrawn at Pipedrive", async () => {
      const searches = async () => (await control.journal()).filter(({ kind }) => kind === "search");
      const before = (await searches()).length;
      // Less than the product waits for one answer: nothing but the caller's leaving can end it earlier.
      await control.configure({ api_latency_ms: 6_000 });
      const leaving = new AbortController();
      const call = get(stack, "term=an", await bearerOf(ana), leaving.signal);
      await until(async () => (await searches()).length > before);
      leaving.abort();
      await assertRejects(() => call);
      await until(async () => (await searches()).every(({ status }) => status !== null));
      assertEquals((await searches()).slice(before).map(({ status }) => status), [499]);
      await control.configure({ api_latency_ms: 0 });
    });

    await t.step("an uninstallation at Pipedrive ends the connection here", async () => {
      const [company_id = 0, user_id = 0] = connection.account.id.split(":").map(Number);
      assertEquals((await control.uninstall({ company_id, user_id })).status, 200);
      const { data } = await ana.supabase.from("oauth_connections").select().eq("id", connection.id).single();
      assertEquals([data?.status, data?.access_expires_at], ["disconnected", null]);
      const refused = await assertRejects(() => ana.search("an"), Refused);
      assertEquals(refused.message, "CONNECTION_NOT_FOUND");
    });

    await t.step("connecting again brings it back, and disconnecting ends it on both sides", async () => {
      assertEquals((await ana.connect(control)).id, connection.id);
      await control.configure({ uninstall_on_revoke: true });
      assertEquals((await ana.disconnect(connection.id)).status, "disconnected");
      const notices = async () => (await control.journal()).filter(({ kind }) => kind === "notice");
      await until(async () => (await notices()).length === 2 && (await notices())[1]?.status === 200);
      assertEquals((await sql`select 1 from oauth.token_sets`).length, 0);
      assertEquals((await control.installations()).filter(({ version }) => version > 0).length, 0);
    });
  });
});

async function bearerOf(user: AppUser): Promise<{ authorization: string }> {
  const { data } = await user.supabase.auth.getSession();
  return { authorization: `Bearer ${data.session?.access_token}` };
}

function get(stack: OwnStack, query: string, caller: object, signal?: AbortSignal): Promise<Response> {
  const headers = { apikey: stack.publishable_key, ...caller };
  return fetch(`${stack.functions_url}/search-persons?${query}`, { headers, ...(signal && { signal }) });
}

/** Asks again until it holds; the test runner's own limit ends what never does. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}
