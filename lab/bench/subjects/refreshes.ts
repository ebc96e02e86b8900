import postgres from "postgres";
import { type Store, supabaseStore } from "../../../supabase/functions/_shared/keep/store.ts";
import { withDatabase } from "../../../tests/support/database.ts";
import { openSqlRpc } from "../../../tests/support/sql_rpc.ts";
import { type Count, share } from "../figures.ts";
import { subjects } from "../sql/calls.ts";
import { fill } from "../sql/rows.ts";
import { only, type Subject } from "../subject.ts";

/** Connections to the database, each with connections of its own to refresh. */
const SESSIONS = 4;
/** What is timed at once is a hundredth of all; the first ten are compared with the last ten. */
const PARTS = 100;
const TENTH = PARTS / 10;
/** Refreshes of each connection. */
const ROUNDS = 10;
const TIMINGS = { request_ms: 20_000, lease_ms: 30_000, settle_ms: 30_000 };

export const refreshes: Subject = {
  name: "refreshes",
  title: "Refreshes, again and again",
  method:
    `Claims and commits of the same connections, ${ROUNDS} of each, ${SESSIONS} at once and without HTTP between: the rate of ` +
    "the last tenth against that of the first, then that of another tenth after a vacuum against the last before it. " +
    "Each refresh writes the connection twice and its tokens once; what that leaves behind is counted, and so is how " +
    "often autovacuum came by itself.",
  on_each_runtime: false,
  async measure({ pick }) {
    const connections = pick({ tiny: 10, quick: 1_000, full: 10_000 });
    return await withDatabase(async ({ url }) => {
      const owner = postgres(url, { max: 1, onnotice: () => {} });
      try {
        await fill(owner, url, 0, connections);
        const ids = (await subjects(owner, connections, connections)).map(({ id }) => id);
        const rates = await ratesOf(url, ids, 0, PARTS);
        const left = await churnOf(owner);
        await owner.unsafe("vacuum (analyze)");
        const vacuumed = await churnOf(owner);
        const after = await ratesOf(url, ids, PARTS, TENTH);
        const all = (ids.length * ROUNDS).toLocaleString("en");
        const last = rates.slice(-TENTH);
        return {
          figures: [
            share({
              what: `refreshes a second, the last tenth of ${all}`,
              against: "the first tenth",
              unit: "/s",
              itself: last,
              control: rates.slice(0, TENTH),
              limited_by: "the rows that each leaves behind, until they are cleaned up",
            }),
            share({
              what: "refreshes a second, after a vacuum",
              against: "the last tenth before it",
              unit: "/s",
              itself: after,
              control: last,
              limited_by: "what autovacuum had left to do",
            }),
          ],
          counts: countsOf(left, vacuumed, `${all} refreshes`),
        };
      } finally {
        await owner.end();
      }
    });
  },
};

/** Refreshes a second in so many parts, from this one on. */
async function ratesOf(url: string, ids: readonly string[], first: number, parts: number): Promise<number[]> {
  const sessions = await Promise.all(Array.from({ length: SESSIONS }, () => openSqlRpc(url)));
  const stores = sessions.map(supabaseStore);
  const size = ids.length * ROUNDS / PARTS;
  const rates: number[] = [];
  for (let from = first * size; rates.length < parts; from += size) {
    const began = performance.now();
    await Promise.all(stores.map(async (store, own) => {
      for (let n = from; n < from + size; n++) {
        if (n % SESSIONS !== own) continue;
        await refresh(store, only(ids, n % ids.length), 1 + Math.floor(n / ids.length));
      }
    }));
    rates.push(size / (performance.now() - began) * 1_000);
  }
  // With its end a session tells the last of its counts.
  await Promise.all(sessions.map((session) => session.close()));
  return rates;
}

/** As one that the provider answers at once, with tokens as long as those before, which are due again at once. */
export async function refresh(store: Store, id: string, seen_version: number): Promise<void> {
  const claim = await store.claimRefresh({ id, seen_version, force: true, key_ids: ["k2"], ...TIMINGS });
  if (claim.outcome !== "claimed") throw new Error(`a claim was answered ${claim.outcome}`);
  const { lease_id, version, access_token_sealed, refresh_token_sealed } = claim;
  const { outcome } = await store.commitRefresh({
    ...{ id, lease_id, base_version: version, access_token_sealed, refresh_token_sealed, key_id: "k2" },
    ...{ scope: "base contacts:read", expires_in_ms: 0, elapsed_ms: 0, client_fingerprint: "fingerprint" },
  });
  if (outcome !== "committed") throw new Error(`a commit was answered ${outcome}`);
}

interface Churn {
  readonly table: string;
  readonly hot: number;
  readonly dead: number;
  readonly autovacuums: number;
  readonly kilobytes: number;
}

/** What the writes have left of each table that a refresh writes again. */
async function churnOf(sql: postgres.Sql): Promise<Churn[]> {
  return [
    ...await sql<Churn[]>`
      select relname as table, (100 * n_tup_hot_upd / greatest(n_tup_upd, 1))::int as hot, n_dead_tup::int as dead,
             autovacuum_count::int as autovacuums, (pg_total_relation_size(relid) / 1024)::int as kilobytes
        from pg_stat_user_tables
       where schemaname = 'oauth' and relname in ('connections', 'token_sets')
       order by relname`,
  ];
}

function countsOf(left: readonly Churn[], vacuumed: readonly Churn[], of: string): Count[] {
  return left.flatMap(({ table, hot, dead, autovacuums, kilobytes }, at) => [
    { what: `of 100 updates of \`${table}\`, those that write no index (HOT)`, of, count: hot },
    { what: `dead rows of \`${table}\` at the end`, of, count: dead },
    { what: `dead rows of \`${table}\` after a vacuum`, of, count: vacuumed[at]?.dead ?? NaN },
    { what: `autovacuum runs on \`${table}\``, of, count: autovacuums },
    { what: `kB of \`${table}\` with its indexes`, of, count: kilobytes },
  ]);
}
