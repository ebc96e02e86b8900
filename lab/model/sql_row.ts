/** The model's row put into the real table and read from it, with times a minute ahead or past. */
import type { Sql } from "postgres";
import type { Row, Time } from "./protocol.ts";
import type { Token } from "./provider.ts";

export const ID = "a0000000-0000-8000-8000-000000000001";
export const USER = "a11ce000-0000-4000-8000-000000000000";

/** Who calls: the one whose lease the row has, the one who wrote its version, or one of whom it knows nothing. */
export const LEASES = {
  held: "00000000-0000-4000-8000-000000000001",
  written: "00000000-0000-4000-8000-000000000002",
  unknown: "00000000-0000-4000-8000-000000000003",
};

/** The same row whoever holds its lease, whoever wrote its version, whatever that is, and however many tried. */
export function withoutNames(row: Row): Row {
  return {
    ...row,
    version: 3,
    attempts: Math.min(row.attempts, 1),
    lease_id: row.lease_id === null ? null : LEASES.held,
    committed_lease_id: row.committed_lease_id === null ? null : LEASES.written,
    refresh_token: row.refresh_token && { authorization: 3, serial: 3 },
  };
}

export function seal(token: Token): string {
  return `v1.k1.iv.${token.authorization}-${token.serial}`;
}

export async function insertConnection(sql: Sql): Promise<void> {
  await sql`insert into auth.users (id) values (${USER})`;
  await sql`
    select from public.oauth_connect(${ID}, ${USER}, 'pipedrive', '1:2', null, null, '', 'v1.k1.iv.access',
      'v1.k1.iv.refresh', 'k1', 3600000, 0, null)`;
}

export async function writeRow(sql: Sql, row: Row): Promise<void> {
  const { refresh_token } = row;
  const minutes = minutesFrom(Date.now());
  await sql`
    update oauth.connections
       set status = ${row.status}, version = ${row.version}, attempts = ${row.attempts},
           lease_id = ${row.lease_id}, committed_lease_id = ${row.committed_lease_id},
           failure_code = ${row.failure_code},
           access_expires_at = ${refresh_token === null ? null : minutes("later")},
           refresh_after = ${row.refresh_after && minutes(row.refresh_after)},
           lease_until = ${row.lease_until && minutes(row.lease_until)},
           unsettled_until = ${row.unsettled_until && minutes(row.unsettled_until)},
           next_attempt_at = ${
    row.next_attempt_at && minutes(row.next_attempt_at === "unsettled_until" ? "ahead" : "later")
  }
     where id = ${ID}`;
  await sql`truncate oauth.events`;
  await sql`delete from oauth.token_sets where connection_id = ${ID}`;
  if (refresh_token === null) return;
  await sql`
    insert into oauth.token_sets (connection_id, access_token_sealed, refresh_token_sealed, key_id)
    values (${ID}, 'v1.k1.iv.access', ${seal(refresh_token)}, 'k1')`;
}

/** The row as the model has it, but for the refresh token, which comes sealed. */
export type ReadRow = Omit<Row, "refresh_token"> & { readonly refresh_token: string | null };

export async function readRow(sql: Sql): Promise<ReadRow | undefined> {
  const [row] = await sql<ReadRow[]>`
    select c.status, c.version::int, c.attempts, c.lease_id, c.committed_lease_id,
           case when c.status = 'reauthorization_required' then c.failure_code end as failure_code,
           ${time(sql, "refresh_after")}, ${time(sql, "lease_until")}, ${time(sql, "unsettled_until")},
           case when c.next_attempt_at > t.now then
             case when c.next_attempt_at = c.unsettled_until then 'unsettled_until' else 'ahead' end
           end as next_attempt_at,
           s.refresh_token_sealed as refresh_token
      from oauth.connections c
     cross join (select clock_timestamp() as now) t
      left join oauth.token_sets s on s.connection_id = c.id
     where c.id = ${ID}`;
  return row;
}

function time(sql: Sql, column: string) {
  const at = sql(`c.${column}`);
  return sql`case when ${at} > t.now then 'ahead' when ${at} is not null then 'past' end as ${sql(column)}`;
}

/** Of one moment, because two of the columns may hold the same time; each call has a whole minute for what it does. */
function minutesFrom(now: number): (when: NonNullable<Time> | "later") => Date {
  return (when) => new Date(now + { past: -1, ahead: 1, later: 2 }[when] * 60_000);
}
