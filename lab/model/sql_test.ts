/**
 * The model's functions beside the database's: on every row that an exploration reaches, whoever calls gets the same
 * outcome and leaves the same row. Without this the model would prove something about itself.
 */
import type { Sql } from "postgres";
import { assertEquals } from "../../tests/support/assert.ts";
import { withDatabase } from "../../tests/support/database.ts";
import { explore } from "./explore.ts";
import { type Failure, PROTOCOL, type Row } from "./protocol.ts";
import type { Token } from "./provider.ts";
import { OUTLIVED, PAUSED, worldOf } from "./regimes.ts";
import { ID, insertConnection, LEASES, readRow, seal, USER, withoutNames, writeRow } from "./sql_row.ts";

interface Answered {
  readonly row: Row;
  readonly outcome: string;
}

/** One call, of the model and of the database. */
interface Call {
  readonly words: string;
  readonly model: (row: Row) => Answered;
  readonly sql: (sql: Sql) => Promise<string>;
}

const RECEIVED: Token = { authorization: 6, serial: 6 };

Deno.test("on every row that the model reaches, the database answers as the model does", async () => {
  const rows = reachedRows();
  assertEquals(rows.length, 51);
  await withDatabase(async (database) => {
    const sql = database.connect();
    await insertConnection(sql);
    for (const row of rows) {
      for (const call of callsOn(row)) {
        await writeRow(sql, row);
        const outcome = await call.sql(sql);
        const expected = call.model(row);
        const { refresh_token } = expected.row;
        assertEquals(
          { outcome, row: { ...await readRow(sql) } },
          {
            outcome: expected.outcome,
            row: { ...expected.row, refresh_token: refresh_token && seal(refresh_token) },
          },
          `${call.words} on ${JSON.stringify(row)}`,
        );
      }
    }
  });
});

/** Each once, whoever's it is. */
function reachedRows(): Row[] {
  const rows = new Map<string, Row>();
  for (const { surroundings, every_run, ...regime } of [OUTLIVED, PAUSED]) {
    for (const chances of every_run) {
      explore(worldOf({ ...regime, surroundings, every_run }, "strict", 2, chances), ({ row }) => {
        const nameless = withoutNames(row);
        rows.set(JSON.stringify(nameless), nameless);
      });
    }
  }
  return [...rows.values()];
}

function callsOn(row: Row): Call[] {
  const versions = [row.version, row.version - 1];
  const leases = Object.values(LEASES);
  return [
    ...versions.map(claim),
    ...leases.flatMap((lease_id) => versions.map((base_version) => commit(lease_id, base_version))),
    ...leases.flatMap((lease_id) =>
      (["permanent", "unexplained", "ambiguous", "transient"] as const).map((kind) => fail(lease_id, kind))
    ),
    connect(),
    disconnect(),
  ];
}

function claim(seen_version: number): Call {
  return {
    words: `claim, seen ${seen_version}`,
    model: (row) => {
      const claimed = PROTOCOL.claimRefresh(row, {
        ...PROTOCOL.timings,
        lease_id: LEASES.unknown,
        seen_version,
      });
      return { outcome: claimed.outcome, row: claimed.row };
    },
    sql: async (sql) => {
      const outcome = await outcomeOf(
        sql`select * from public.oauth_claim_refresh(${ID}, ${seen_version}, false, '{k1}', 20000, 25000, 30000)`,
      );
      // The database draws the lease's id.
      if (outcome === "claimed") {
        await sql`update oauth.connections set lease_id = ${LEASES.unknown} where id = ${ID}`;
      }
      return outcome;
    },
  };
}

function commit(lease_id: string, base_version: number): Call {
  return {
    words: `commit of ${base_version} by ${lease_id}`,
    model: (row) => PROTOCOL.commitRefresh(row, { lease_id, base_version, refresh_token: RECEIVED }),
    sql: (sql) =>
      outcomeOf(sql`
        select * from public.oauth_commit_refresh(${ID}, ${lease_id}, ${base_version}, 'v1.k1.iv.access',
          ${seal(RECEIVED)}, 'k1', null, 3600000, 0)`),
  };
}

function fail(lease_id: string, kind: Failure["class"]): Call {
  return {
    words: `${kind} failure by ${lease_id}`,
    model: (row) => PROTOCOL.failRefresh(row, { lease_id, class: kind }),
    sql: (sql) =>
      outcomeOf(
        sql`select * from public.oauth_fail_refresh(${ID}, ${lease_id}, ${kind}, 3600000, 'a_code')`,
      ),
  };
}

function connect(): Call {
  return {
    words: "connect",
    model: (row) => ({ row: PROTOCOL.connect(row, RECEIVED), outcome: "connected" }),
    sql: async (sql) => {
      await sql`
        select from public.oauth_connect(${ID}, ${USER}, 'pipedrive', '1:2', null, null, '', 'v1.k1.iv.access',
          ${seal(RECEIVED)}, 'k1', 3600000, 0, null)`;
      return "connected";
    },
  };
}

function disconnect(): Call {
  return {
    words: "disconnect",
    model: (row) => ({ row: PROTOCOL.disconnect(row), outcome: "disconnected" }),
    sql: async (sql) => {
      await sql`select from public.oauth_disconnect(${ID}, ${USER}, 'pipedrive')`;
      return "disconnected";
    },
  };
}

async function outcomeOf(asked: Promise<readonly { readonly outcome?: string }[]>): Promise<string> {
  const [answer] = await asked;
  return answer?.outcome ?? "no row";
}
