import type { Sql } from "postgres";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { withDatabase } from "../support/database.ts";

const ID = "a0000000-0000-8000-8000-000000000001";
const USER = "a11ce000-0000-4000-8000-000000000000";

Deno.test("many at once", async (test) => {
  await withDatabase(async (database) => {
    const sql = database.connect(40);
    await sql`insert into auth.users (id) values (${USER})`;

    await test.step("of forty that claim a refresh one is told to go, and the others to wait", async () => {
      await connect(sql, "1");
      await expire(sql);
      const outcomes = await atOnce(40, () => claim(sql, 1));
      assertEquals(count(outcomes.map(({ outcome }) => outcome)), { claimed: 1, busy: 39 });
      const [row] = await sql`select attempts, lease_id from oauth.connections where id = ${ID}`;
      assertEquals(row?.attempts, 1);
      assertEquals(row?.lease_id, outcomes.find(({ outcome }) => outcome === "claimed")?.lease_id);
    });

    await test.step("of forty that commit the same success one does, and the version rises once", async () => {
      const [row] = await sql`select lease_id from oauth.connections where id = ${ID}`;
      const outcomes = await atOnce(40, () => commit(sql, row?.lease_id, 1, "2"));
      assertEquals(count(outcomes), { committed: 1, already_committed: 39 });
      assertEquals(await version(sql), 2);
    });

    await test.step("of forty successes of one base one is stored", async () => {
      const outcomes = await atOnce(40, (n) => commit(sql, crypto.randomUUID(), 2, String(n)));
      assertEquals(count(outcomes), { committed: 1, superseded: 39 });
      assertEquals(await version(sql), 3);
    });

    await test.step("of forty forced refreshes of a fresh token set one goes out", async () => {
      await sql`update oauth.connections set refreshed_at = now() - interval '11 s' where id = ${ID}`;
      const outcomes = await atOnce(40, () => claim(sql, 3, true));
      assertEquals(count(outcomes.map(({ outcome }) => outcome)), { claimed: 1, busy: 39 });
    });

    await test.step("of eight sweepers each finds what no other has", async () => {
      const ids = Array.from({ length: 20 }, () => crypto.randomUUID());
      for (const id of ids) await connect(sql, "1", id);
      await sql`update oauth.connections set refreshed_at = now() - interval '40 days' where id = any(${ids})`;
      const found = await atOnce(8, async () => {
        const rows = await sql<{ id: string; outcome: string }[]>`
          select id, outcome from public.oauth_claim_due('pipedrive', 4, false, 2592000000, '{k1}', 20000, 25000, 30000)`;
        return rows.map(({ id, outcome }) => `${id} ${outcome}`);
      });
      const claimed = found.flat();
      assert(claimed.length > 0, "nobody found anything");
      assertEquals(new Set(claimed).size, claimed.length);
      assertEquals(count(claimed.map((line) => line.split(" ")[1])), { claimed: claimed.length });
    });

    await test.step("of twenty authorizations that a user begins the limit of five is begun", async () => {
      const outcomes = await atOnce(20, (n) => begin(sql, `request ${n}`, 5));
      assertEquals(count(outcomes), { begun: 5, too_many: 15 });
    });

    await test.step("of a hundred redirects with one state one parks its code", async () => {
      await begin(sql, "state", 100);
      const parked = await atOnce(100, (n) =>
        sql`
          select from public.oauth_receive_authorization_response('state', 'pipedrive', ${`ticket ${n}`}, 'v1.k1.iv.code')`);
      assertEquals(parked.filter((rows) => rows.length === 1).length, 1);
    });

    await test.step("of a hundred completions with one ticket one gets the code", async () => {
      const [row] = await sql`select ticket_hash from oauth.authorization_requests where id = 'state'`;
      const taken = await atOnce(100, () =>
        sql<{ outcome: string }[]>`
          select outcome from public.oauth_take_authorization('pipedrive', ${row?.ticket_hash}, 'binding', ${USER},
            ${crypto.randomUUID()})`);
      assertEquals(count(taken.map(([answer]) => answer?.outcome)), { taken: 1, under_way: 99 });
    });

    await test.step("of twenty codes of one user that are completed at once five go out", async () => {
      await sql`delete from oauth.authorization_requests`;
      for (let n = 0; n < 20; n += 1) {
        await begin(sql, `code ${n}`, 100);
        await sql`
          select public.oauth_receive_authorization_response(${`code ${n}`}, 'pipedrive', ${`ticket ${n}`}, 'v1.k1.iv.code')`;
      }
      const taken = await atOnce(20, (n) =>
        sql<{ outcome: string }[]>`
          select outcome from public.oauth_take_authorization('pipedrive', ${`ticket ${n}`}, 'binding', ${USER},
            ${crypto.randomUUID()})`);
      assertEquals(count(taken.map(([answer]) => answer?.outcome)), { taken: 5, too_many: 15 });
    });

    await test.step("of users who leave one account at once the last one revokes, whoever that is", async () => {
      for (let round = 0; round < 20; round += 1) {
        const ids = Array.from({ length: 4 }, () => crypto.randomUUID());
        for (const id of ids) await connectShared(sql, id, round);
        const revoked = await atOnce(4, async (n) => {
          await sql`select public.oauth_disconnect(${ids[n] ?? ""}, ${ids[n] ?? ""}, 'pipedrive')`;
          return await revocations(sql, ids[n]);
        });
        const swept = await revocations(sql);
        assert(revoked.flat().length + swept.length > 0, "nobody revoked");
        await sql`delete from oauth.revocations`;
      }
    });

    await test.step("connecting, ending, refreshing and revoking never wait for one another in a circle", async () => {
      const ids = Array.from({ length: 4 }, () => crypto.randomUUID());
      await sql`insert into auth.users ${sql(ids.map((id) => ({ id })))}`;
      const one = (n: number) => ids[n % ids.length] ?? "";
      const whatever: ((n: number) => PromiseLike<unknown>)[] = [
        (n) => reconnectShared(sql, one(n), 99),
        (n) => sql`select public.oauth_disconnect(${one(n)}, ${one(n)}, 'pipedrive')`,
        () => sql`select public.oauth_uninstall('pipedrive', 'shared 99', null)`,
        () => revocations(sql),
        (n) => revocations(sql, one(n)),
        (n) => commit(sql, crypto.randomUUID(), n % 9, "x", one(n)),
      ];
      await atOnce(240, (n) => whatever[(n * 7 + (n >> 3)) % whatever.length]?.(n) ?? Promise.resolve());
      await sql`delete from oauth.revocations`;
    });

    await test.step("what is claimed to be revoked while somebody connects is claimed first, or not at all", async () => {
      for (let round = 0; round < 20; round += 1) {
        const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
        await connectShared(sql, first, 100 + round);
        await sql`select public.oauth_disconnect(${first}, ${first}, 'pipedrive')`;
        await Promise.all([connectShared(sql, second, 100 + round), atOnce(8, () => revocations(sql))]);
        assertEquals(await revocations(sql), []);
        assertEquals((await sql`select from oauth.revocations`).length, 0);
      }
    });
  });
});

Deno.test("one after the other", async (test) => {
  await withDatabase(async (database) => {
    const sql = database.connect(3);
    await sql`insert into auth.users (id) values (${USER})`;
    await connect(sql, "1");

    await test.step("a reseal that waited for a commit does not put the spent token back", async () => {
      const resealed = await whileLocked(
        sql,
        (transaction) => commit(transaction, crypto.randomUUID(), 1, "2"),
        () =>
          sql`select public.oauth_reseal(${ID}, 'v1.k1.iv.refresh-1', 'v1.k2.iv.access', 'v1.k2.iv.spent', 'k2') as done`,
      );
      assertEquals(resealed[0]?.done, false);
      const [row] = await sql`select refresh_token_sealed from oauth.token_sets where connection_id = ${ID}`;
      assertEquals(row?.refresh_token_sealed, "v1.k1.iv.refresh-2");
    });

    await test.step("a commit that waited for a disconnect does not bring tokens back", async () => {
      const outcome = await whileLocked(
        sql,
        (transaction) => transaction`select public.oauth_disconnect(${ID}, ${USER}, 'pipedrive')`,
        () => commit(sql, crypto.randomUUID(), 2, "3"),
      );
      assertEquals(outcome, "disconnected");
      assertEquals((await sql`select from oauth.token_sets`).length, 0);
      const [left] = await sql`select refresh_token_sealed from oauth.revocations`;
      assertEquals(left?.refresh_token_sealed, "v1.k1.iv.refresh-3", "but leaves them to be revoked");
    });

    await test.step("what is to be revoked waits for nobody who connects the account, and is not claimed", async () => {
      await inTransaction(sql, async (transaction) => {
        await connect(transaction, "4");
        assertEquals(await revocations(sql), []);
      });
      assertEquals((await sql`select from oauth.revocations`).length, 0);
    });

    await test.step("a claim that waited for a connection made again finds it fresh", async () => {
      await expire(sql);
      const waited = await whileLocked(sql, (transaction) => connect(transaction, "5"), () => claim(sql, 4));
      assertEquals(waited.outcome, "fresh");
    });

    await test.step("a peek waits for nobody", async () => {
      await inTransaction(sql, async (transaction) => {
        await transaction`select from oauth.connections where id = ${ID} for update`;
        assertEquals((await sql`select from public.oauth_peek(${ID}, ${USER}, -1)`).length, 1);
      });
    });

    await test.step("a purge waits neither for a request that is being completed nor for another purge", async () => {
      for (const id of ["held", "over"]) await begin(sql, id, 100);
      await sql`update oauth.authorization_requests set expires_at = now() - interval '2 minutes'`;
      await inTransaction(sql, async (transaction) => {
        await transaction`select from oauth.authorization_requests where id = 'held' for update`;
        assertEquals(await purge(sql), 1);
      });
      await inTransaction(sql, async (transaction) => {
        assertEquals(await purge(transaction), 1);
        assertEquals(await purge(sql), 0);
      });
    });

    await test.step("who waits two seconds for a lock is told so", async () => {
      await inTransaction(sql, async (transaction) => {
        await transaction`select from oauth.connections where id = ${ID} for update`;
        await assertRejects(() => claim(sql, 5), Error, "lock timeout");
      });
    });
  });
});

/** Runs `second` so that it has to wait for what `first` has locked, then lets `first` commit. */
async function whileLocked<T>(
  sql: Sql,
  first: (transaction: Sql) => PromiseLike<unknown>,
  second: () => PromiseLike<T>,
): Promise<T> {
  const waiter = Promise.withResolvers<T>();
  await inTransaction(sql, async (transaction) => {
    await first(transaction);
    let ended = false;
    second().then(waiter.resolve, waiter.reject).then(() => ended = true);
    // Seen to wait, not slept for. One that did not wait shows by its result.
    while (!ended && !await someoneWaits(sql)) continue;
  });
  return await waiter.promise;
}

async function inTransaction(sql: Sql, work: (transaction: Sql) => Promise<void>): Promise<void> {
  // The driver's type forgets that a transaction can be called too.
  await sql.begin((begun) => work(begun as unknown as Sql));
}

async function someoneWaits(sql: Sql): Promise<boolean> {
  return (await sql`select from pg_stat_activity where wait_event_type = 'Lock'`).length > 0;
}

function atOnce<T>(times: number, call: (n: number) => PromiseLike<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: times }, (_, n) => call(n)));
}

function count(values: readonly (string | undefined)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value ?? "nothing"] = (counts[value ?? "nothing"] ?? 0) + 1;
  return counts;
}

async function connect(sql: Sql, token: string, id = ID): Promise<void> {
  await sql`
    select public.oauth_connect(${id}, ${USER}, 'pipedrive', ${`account of ${id}`}, null, null, 'base',
      ${`v1.k1.iv.access-${token}`}, ${`v1.k1.iv.refresh-${token}`}, 'k1', 3600000, 0, null)`;
}

/** A user of that id connects an account that others have connected too. */
async function connectShared(sql: Sql, id: string, account: number): Promise<void> {
  await sql`insert into auth.users (id) values (${id})`;
  await reconnectShared(sql, id, account);
}

async function reconnectShared(sql: Sql, id: string, account: number): Promise<void> {
  await sql`
    select public.oauth_connect(${id}, ${id}, 'pipedrive', ${`shared ${account}`}, null, null, 'base', 'v1.k1.iv.a',
      'v1.k1.iv.r', 'k1', 3600000, 0, null)`;
}

async function revocations(sql: Sql, id: string | null = null): Promise<string[]> {
  const rows = await sql<{ connection_id: string }[]>`
    select connection_id from public.oauth_claim_revocations('pipedrive', ${id}, 10, '{k1}')`;
  return rows.map(({ connection_id }) => connection_id);
}

async function expire(sql: Sql): Promise<void> {
  await sql`
    update oauth.connections set access_expires_at = now() - interval '1 s', refresh_after = now() - interval '1 minute'
    where id = ${ID}`;
}

async function claim(
  sql: Sql,
  seen: number,
  force = false,
): Promise<{ outcome: string; lease_id: string | null }> {
  const rows = await sql<{ outcome: string; lease_id: string | null }[]>`
    select outcome, lease_id from public.oauth_claim_refresh(${ID}, ${seen}, ${force}, '{k1}', 20000, 25000, 30000)`;
  return rows[0] ?? { outcome: "nothing", lease_id: null };
}

async function commit(
  sql: Sql,
  lease_id: string,
  base: number,
  token: string,
  id = ID,
): Promise<string | undefined> {
  const rows = await sql<{ outcome: string }[]>`
    select outcome from public.oauth_commit_refresh(${id}, ${lease_id}, ${base}, ${`v1.k1.iv.access-${token}`},
      ${`v1.k1.iv.refresh-${token}`}, 'k1', null, 3600000, 0)`;
  return rows[0]?.outcome;
}

async function begin(sql: Sql, id: string, limit: number): Promise<string | undefined> {
  const rows = await sql<{ outcome: string }[]>`
    select outcome from public.oauth_begin_authorization(${id}, ${USER}, 'pipedrive', 'binding',
      'https://x.example/callback', '/', null, 600000, ${limit})`;
  return rows[0]?.outcome;
}

async function purge(sql: Sql): Promise<number> {
  const [row] = await sql<{ purged: number }[]>`select public.oauth_purge(10) as purged`;
  return row?.purged ?? -1;
}

async function version(sql: Sql): Promise<number> {
  const [row] = await sql`select version from oauth.connections where id = ${ID}`;
  return Number(row?.version);
}
