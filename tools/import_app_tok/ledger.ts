import postgres from "postgres";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import type { Connect } from "../../supabase/functions/_shared/keep/store.ts";
import type { SealedTokens } from "../../supabase/functions/_shared/keep/token_set.ts";

/**
 * How far a row has come.
 *
 * `asked`: its token may have been presented. `held`: what came back is stored here, sealed. `moved`: a connection has
 * it. `refused`: the provider ended it. `left`: its user has disconnected since.
 */
export type State = "new" | "asked" | "held" | "moved" | "refused" | "left";

/** What a row is remembered by: SHA-256 of its refresh token. */
export interface Entry {
  readonly state: State;
  readonly connection_id: string | null;
  /** While it is held. */
  readonly held: Held | null;
}

export interface Held extends SealedTokens {
  readonly scope: readonly string[] | null;
  /** Until the access token expires, in milliseconds. */
  readonly expires_in_ms: number;
}

/** Everything a connection needs but what the ledger already knows. */
export type NewConnection = Omit<Connect, "expires_in_ms" | "elapsed_ms" | "request_id">;

export interface Known {
  readonly id: string;
  readonly user_id: string;
  readonly status: string;
  readonly email: string | null;
}

const NEW: Entry = { state: "new", connection_id: null, held: null };
const NAME = "oauth.imported_rows";

/**
 * What became of each old row, in the database that has the connections: a row and its connection change in one
 * transaction, so a crash leaves either both or neither, and a second run knows what the first one did.
 */
export class Ledger {
  readonly #sql: postgres.Sql;

  /** @param url a direct or session connection, as the owner of the schema `oauth` (`postgres`): it holds a lock */
  constructor(url: string) {
    this.#sql = postgres(url, { max: 1, onnotice: () => {}, idle_timeout: 0, max_lifetime: null });
  }

  close(): Promise<void> {
    return this.#sql.end({ timeout: 5 });
  }

  /** The users among `ids` that do not exist. */
  async unknownUsers(ids: readonly string[]): Promise<string[]> {
    const known = await this.#sql<{ id: string }[]>`select id from auth.users where id = any(${[
      ...ids,
    ]}::uuid[])`;
    return ids.filter((id) => !known.some((user) => user.id === id));
  }

  /** Makes the table, once. @returns false if another import is at work */
  async begin(): Promise<boolean> {
    const [lock] = await this.#sql`select pg_try_advisory_lock(hashtextextended(${NAME}, 0)) as ours`;
    if (!lock?.ours) return false;
    await this.#sql.unsafe(TABLE).simple();
    return true;
  }

  /** Where a row stands. Changes nothing, and needs no table. */
  async look(id: string): Promise<Entry> {
    return await translated(async () => {
      const [there] = await this.#sql`select to_regclass(${NAME}) is not null as yes`;
      if (!there?.yes) return NEW;
      const [row] = await this.#sql`
        select state, connection_id, access_token_sealed, refresh_token_sealed, key_id, scope,
          greatest(0, extract(epoch from expires_at - clock_timestamp()) * 1000)::float8 as expires_in_ms
        from oauth.imported_rows where id = ${id}`;
      if (!row) return NEW;
      const {
        state,
        connection_id,
        access_token_sealed,
        refresh_token_sealed,
        key_id,
        scope,
        expires_in_ms,
      } = row;
      const held = { access_token_sealed, refresh_token_sealed, key_id, scope, expires_in_ms };
      return { state, connection_id, held: state === "held" ? held : null };
    });
  }

  /** Before the token is presented. It also shows that the database takes what will have to be stored. */
  async asked(id: string): Promise<void> {
    await translated(() =>
      this
        .#sql`insert into oauth.imported_rows (id, state) values (${id}, 'asked') on conflict (id) do nothing`
    );
  }

  /** The token was not presented after all. */
  async notAsked(id: string): Promise<void> {
    await translated(() => this.#sql`delete from oauth.imported_rows where id = ${id} and state = 'asked'`);
  }

  /** What came back, at once. */
  async hold(id: string, { access_token_sealed, refresh_token_sealed, key_id, scope, expires_in_ms }: Held) {
    await translated(() =>
      this.#sql`
        update oauth.imported_rows set state = 'held', access_token_sealed = ${access_token_sealed},
          refresh_token_sealed = ${refresh_token_sealed}, key_id = ${key_id},
          scope = ${scope === null ? null : [...scope]},
          expires_at = clock_timestamp() + ${expires_in_ms}::float8 * interval '1 millisecond',
          updated_at = clock_timestamp()
        where id = ${id} and state in ('asked', 'held')`
    );
  }

  async end(id: string, state: "refused" | "left"): Promise<void> {
    await translated(() =>
      this.#sql`
        update oauth.imported_rows set state = ${state}, access_token_sealed = null, refresh_token_sealed = null,
          key_id = null, updated_at = clock_timestamp() where id = ${id}`
    );
  }

  /** Who is connected to an account here, or was. */
  async connectionsOf(provider: string, account_key: string): Promise<Known[]> {
    return await translated(() =>
      this.#sql<Known[]>`
        select id, user_id, status, account_email as email from oauth.connections
        where provider = ${provider} and account_key = ${account_key}`
    );
  }

  /** Whether the user has ended this connection here. */
  async wasDisconnected(connection_id: string): Promise<boolean> {
    const find = () => this.#sql`select status from oauth.connections where id = ${connection_id}`;
    return (await translated(find))[0]?.status === "disconnected";
  }

  /** The connection and the note that it exists, in one transaction. Again: nothing happens. */
  async connect(id: string, connect: NewConnection): Promise<void> {
    await translated(() =>
      this.#sql.begin(async (begun) => {
        // The driver's type forgets that a transaction can be called too.
        const sql = begun as unknown as postgres.Sql;
        const [held] = await sql`
          update oauth.imported_rows set state = 'moved', connection_id = ${connect.id}, access_token_sealed = null,
            refresh_token_sealed = null, key_id = null, updated_at = clock_timestamp()
          where id = ${id} and state = 'held'
          returning greatest(0, extract(epoch from expires_at - clock_timestamp()) * 1000)::bigint as expires_in_ms`;
        if (!held) return;
        await sql`select public.oauth_connect(
          p_id => ${connect.id}, p_user_id => ${connect.user_id}, p_provider => ${connect.provider},
          p_account_key => ${connect.account_key}, p_account_name => ${connect.account_name},
          p_account_email => ${connect.account_email}, p_scope => ${connect.scope},
          p_access_token_sealed => ${connect.access_token_sealed},
          p_refresh_token_sealed => ${connect.refresh_token_sealed}, p_key_id => ${connect.key_id},
          p_expires_in_ms => ${held.expires_in_ms}::bigint, p_elapsed_ms => 0, p_request_id => null,
          p_client_id => ${connect.client_id ?? null}, p_client_fingerprint => ${
          connect.client_fingerprint ?? null
        })`;
      })
    );
  }
}

/** Trouble that may be over in a moment becomes the error that `retry` waits out. */
async function translated<T>(call: () => PromiseLike<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (/^(08|40|53|57)...$|^55P03$|^E[A-Z]+$|^CONNECT/.test(code)) {
      throw new PublicError("STORAGE_UNAVAILABLE", "the database does not answer");
    }
    // Integrity and data: what is wrong is this row, or its user was deleted meanwhile.
    if (/^2[23]...$/.test(code)) {
      throw new PublicError("INTERNAL_ERROR", `the database does not take it (${code})`);
    }
    throw error;
  }
}

const TABLE = `
  create table if not exists ${NAME} (
    id text primary key,
    state text not null check (state in ('asked', 'held', 'moved', 'refused', 'left')),
    access_token_sealed oauth.sealed,
    refresh_token_sealed oauth.sealed,
    key_id text,
    scope text[],
    expires_at timestamptz,
    connection_id uuid,
    updated_at timestamptz not null default clock_timestamp(),
    constraint imported_rows_held_has_tokens check (
      (state = 'held') = (access_token_sealed is not null)
      and (access_token_sealed is null) = (refresh_token_sealed is null)
    )
  );
  comment on table ${NAME} is
    'Which rows of the old workflow have been moved. May be dropped once the old table is gone.';
  alter table ${NAME} enable row level security;
  revoke all on ${NAME} from public, anon, authenticated, service_role;
`;
