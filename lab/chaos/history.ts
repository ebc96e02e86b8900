import { Keyring } from "../../supabase/functions/_shared/keep/seal.ts";
import { openGrant } from "../../supabase/functions/_shared/keep/token_set.ts";
import type { Connected } from "./field/connections.ts";
import type { Field } from "./field/field.ts";
import type { Entry } from "./field/journal.ts";
import { readTakeovers } from "./field/takeovers.ts";
import type { Answer } from "./field/site.ts";

/** A row of `oauth.events`: what the database itself says that happened. */
export interface DatabaseEvent {
  readonly id: number;
  readonly connection: string;
  readonly kind: string;
  readonly version: number;
  readonly code: string | null;
}

/** How a connection stands when all is over. */
export interface End {
  readonly connection: string;
  readonly status: "active" | "reauthorization_required" | "disconnected";
  readonly version: number;
  /** The version that the provider issued the stored refresh token for; null: nothing is stored; NaN: it does not open, or nobody issued it. */
  readonly stored: number | null;
  /** The version of the newest refresh token that the provider has issued. */
  readonly newest: number;
}

/** All that was seen, in the order of `seq`; what the checker judges. */
export interface History {
  readonly entries: readonly Entry[];
  readonly events: readonly DatabaseEvent[];
  readonly answers: readonly Answer[];
  readonly ends: readonly End[];
}

/** Collects what concerns these connections. Entries without one (processes, faults) are everybody's. */
export async function historyOf(
  field: Field,
  connections: readonly Connected[],
  answers: readonly Answer[],
  keys: string = field.keys.token_encryption_keys,
): Promise<History> {
  const ids = new Set(connections.map(({ id }) => id));
  const takeovers = await readTakeovers(field.database.sql);
  const entries = field.journal.entries.filter((entry) =>
    !("connection" in entry) || ids.has(entry.connection)
  );
  return {
    entries: entries.map((entry) =>
      entry.what === "claimed" ? { ...entry, takeover: takeovers.has(entry.lease) } : entry
    ),
    events: await eventsOf(field, ids),
    answers: answers.filter(({ connection }) => ids.has(connection)),
    ends: await endsOf(field, ids, keys),
  };
}

async function eventsOf({ database: { sql } }: Field, ids: Set<string>): Promise<DatabaseEvent[]> {
  const rows = await sql<DatabaseEvent[]>`
    select id::float8 as id, connection_id as connection, kind, version::float8 as version, code
    from oauth.events where connection_id = any(${[...ids]}) order by id`;
  return [...rows];
}

async function endsOf({ database: { sql }, grants }: Field, ids: Set<string>, keys: string): Promise<End[]> {
  const keyring = await Keyring.parse(keys);
  const rows = await sql<(Omit<End, "stored" | "newest"> & { sealed: string | null })[]>`
    select c.id as connection, c.status, c.version::float8 as version, s.refresh_token_sealed as sealed
    from oauth.connections c left join oauth.token_sets s on s.connection_id = c.id
    where c.id = any(${[...ids]})`;
  return await Promise.all(rows.map(async ({ connection, status, version, sealed }) => {
    const newest = grants.newest(connection);
    if (sealed === null) return { connection, status, version, stored: null, newest };
    const owner = { id: connection, provider: "pipedrive" };
    const grant = await openGrant(keyring, owner, sealed).catch(() => null);
    const known = grants.find(grant?.refresh_token ?? "");
    const stored = known?.connection === connection ? known.version : NaN;
    return { connection, status, version, stored, newest };
  }));
}
