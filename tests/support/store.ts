import postgres from "postgres";
import type { Database } from "../../supabase/functions/_shared/keep/database.types.ts";
import { type Store, supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";
import type { Clock } from "../../supabase/functions/_shared/time.ts";
import { underWay } from "./clock.ts";
import { startDatabase } from "./database.ts";
import { EPOCH, takeOverDatabaseTime, timeTeller } from "./database_time.ts";
import { BIGINT, openSqlRpc, type RpcAnswer, rpcClient, type SqlRpc } from "./sql_rpc.ts";

/** Two users who exist in every test's database. */
export const MARI = "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11";
export const JONAS = "0b9ff0a2-8f5d-4d6a-9f0a-3f1b2c4d5e6f";

type Functions = keyof Database["public"]["Functions"];
/** A function of the database, without `oauth_`. */
export type Call = Functions extends infer Key ? Key extends `oauth_${infer Rest}` ? Rest : never : never;

/** The columns of a connection and its token set that tests look at. Times are milliseconds of the test's clock. */
export interface ConnectionRow {
  readonly id: string;
  readonly user_id: string;
  readonly account_key: string;
  readonly scope: readonly string[];
  readonly status: "active" | "reauthorization_required" | "disconnected";
  readonly version: number;
  readonly access_expires_at: number | null;
  readonly lease_id: string | null;
  readonly lease_until: number | null;
  readonly unsettled_until: number | null;
  readonly failure_code: string | null;
  readonly access_token_sealed: string | null;
  readonly refresh_token_sealed: string | null;
  readonly key_id: string | null;
}

export interface AuthorizationRow {
  readonly status: "started" | "parked" | "taken" | "finished" | "refused" | "denied";
  readonly redirect_uri: string;
  readonly code_verifier_sealed: string | null;
}

/** Times that a test moves, in milliseconds ago; what is negative lies ahead. */
export type MsAgo = Partial<
  Record<
    | "access_expires_at"
    | "refresh_after"
    | "lease_until"
    | "next_attempt_at"
    | "refreshed_at"
    /** Of an authorization request. */
    | "expires_at",
    number
  >
>;

/** A call that waits at the database's door until the test lets it in. */
export interface Held {
  /** Resolves when the call has arrived. */
  readonly arrived: Promise<void>;
  release(): void;
}

type Sql = postgres.Sql<{ bigint: number; timestamptz: number }>;

/** The connections of one test file to its database. */
interface Connections {
  /** As the functions' role. */
  readonly rpc: SqlRpc;
  /** As the database's owner, who sees what no role of the API may. Times are milliseconds of the test's clock. */
  readonly owner: Sql;
}

/**
 * The store on the SQL functions themselves, in the test's time, and beside it what a test may see and do that no
 * caller can.
 */
export type TestStore = Store & Stage;

class Stage {
  /** The functions called so far, in order. */
  readonly calls: Call[] = [];
  readonly #clock: Clock;
  readonly #connections: Connections;
  readonly #tellTime: () => Promise<void>;
  readonly #failures: { call: Call; when: "before" | "after"; answer: RpcAnswer }[] = [];
  readonly #holds: { call: Call; at: "door" | "answer"; arrive: () => void; released: Promise<void> }[] = [];
  readonly #working = new Set<Promise<unknown>>();
  #over = false;

  constructor(connections: Connections, clock: Clock) {
    this.#connections = connections;
    this.#clock = clock;
    this.#tellTime = timeTeller(connections.rpc.sql, () => clock.now());
  }

  /** The row as it is stored, tokens sealed. */
  async row(id: string): Promise<ConnectionRow> {
    const [row] = await this.#own((sql) =>
      sql<ConnectionRow[]>`
        select c.*, s.access_token_sealed, s.refresh_token_sealed, s.key_id
          from oauth.connections c left join oauth.token_sets s on s.connection_id = c.id
         where c.id = ${id}`
    );
    if (!row) throw new Error(`no connection ${id}`);
    return row;
  }

  async authorization(id: string): Promise<AuthorizationRow | null> {
    const [row] = await this.#own((sql) =>
      sql<AuthorizationRow[]>`select * from oauth.authorization_requests where id = ${id}`
    );
    return row ?? null;
  }

  /** What is left to be revoked, sealed. */
  async revocations(): Promise<{ connection_id: string; refresh_token_sealed: string; attempts: number }[]> {
    return [
      ...await this.#own((sql) =>
        sql<{ connection_id: string; refresh_token_sealed: string; attempts: number }[]>`
          select * from oauth.revocations order by created_at`
      ),
    ];
  }

  /** The history of all connections, in order. */
  async events(): Promise<{ connection_id: string; kind: string; version: number; code: string | null }[]> {
    return [
      ...await this.#own((sql) =>
        sql<{ connection_id: string; kind: string; version: number; code: string | null }[]>`
          select connection_id, kind, version, code from oauth.events order by id`
      ),
    ];
  }

  /** Puts version and tokens back to what they were, as a backup does. Their time begins anew. */
  async restore(
    { id, version, access_token_sealed, refresh_token_sealed, key_id }: ConnectionRow,
  ): Promise<void> {
    const expires = this.#clock.now() + 3_600_000;
    await this.#own((sql) =>
      sql`
        with restored as (
          update oauth.token_sets set ${sql({ access_token_sealed, refresh_token_sealed, key_id })}
           where connection_id = ${id}
        )
        update oauth.connections
           set version = ${version}, access_expires_at = ${expires}::timestamptz, refresh_after = ${expires}::timestamptz
         where id = ${id}`
    );
  }

  /** So many events of a connection that are past their time. */
  async addOldEvents(id: string, count: number): Promise<void> {
    const past = this.#clock.now() - 91 * 24 * 60 * 60_000;
    await this.#own((sql) =>
      sql`
        insert into oauth.events (connection_id, user_id, kind, version, created_at)
        select c.id, c.user_id, 'refresh_failed', c.version, ${past}::timestamptz
          from oauth.connections c, generate_series(1, ${count}::integer)
         where c.id = ${id}`
    );
  }

  /** How each connection is, as the operator reads it. */
  async health(): Promise<Record<string, string>> {
    const rows = await this.#own((sql) =>
      sql<{ id: string; health: string }[]>`select id, health from oauth.connection_health`
    );
    return Object.fromEntries(rows.map(({ id, health }) => [id, health]));
  }

  /** A user who exists. */
  async user(id: string = crypto.randomUUID()): Promise<string> {
    await this.#own((sql) => sql`insert into auth.users (id) values (${id}) on conflict do nothing`);
    return id;
  }

  /** Deletes a user with all that is theirs. */
  async deleteUser(id: string): Promise<void> {
    const now = String(this.#clock.now());
    await this.#own((sql) => sql`select set_config('test_time.now_ms', ${now}, false)`);
    await this.#own((sql) => sql`delete from auth.users where id = ${id}`);
  }

  /** Moves times of a connection, or with `expires_at` of an authorization request. */
  async backdate(id: string, ms_ago: MsAgo): Promise<void> {
    const times = Object.fromEntries(
      Object.entries(ms_ago).map(([column, ms]) => [column, this.#clock.now() - ms]),
    );
    // The soft window precedes the expiry, wherever that goes.
    const moved = {
      ...(ms_ago.access_expires_at !== undefined && { refresh_after: times.access_expires_at }),
      ...times,
    };
    const { count } = await this.#own((sql) =>
      ms_ago.expires_at === undefined
        ? sql`update oauth.connections set ${sql(moved)} where id = ${id}`
        : sql`update oauth.authorization_requests set ${sql(times)} where id = ${id}`
    );
    if (count !== 1) throw new Error(`no row ${id}`);
  }

  /** `before`: the call never reaches the database. `after`: it does, and its answer is lost. `answer` comes instead. */
  failNext(call: Call, times = 1, when: "before" | "after" = "before", answer = UNREACHABLE): void {
    for (let n = 0; n < times; n += 1) this.#failures.push({ call, when, answer });
  }

  /** Holds the next such call at the door, or its answer on the way back. */
  hold(call: Call, at: "door" | "answer" = "door"): Held {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#holds.push({ call, at, arrive: arrived.resolve, released: released.promise });
    return { arrived: arrived.promise, release: released.resolve };
  }

  /** One call as supabase-js makes it. What is sent together arrives together: the time first. */
  async call(name: string, args: Record<string, unknown>): Promise<RpcAnswer> {
    const call = name.replace(/^oauth_/, "") as Call;
    this.calls.push(call);
    await this.#isHeld(call, "door");
    const failure = takeFirst(this.#failures, (failure) => failure.call === call);
    if (failure?.when === "before") return failure.answer;
    if (this.#over) throw new Error(`${name} was called by a test that is over`);
    const [, answer] = await this.#work(
      Promise.all([this.#tellTime(), this.#connections.rpc.call(name, args)]),
    );
    await this.#isHeld(call, "answer");
    return failure?.answer ?? answer;
  }

  async #isHeld(call: Call, at: "door" | "answer"): Promise<void> {
    const hold = takeFirst(this.#holds, (hold) => hold.call === call && hold.at === at);
    hold?.arrive();
    await hold?.released;
  }

  /** Once nothing of it is under way any more, nothing of it may come. */
  async end(): Promise<void> {
    this.#over = true;
    await Promise.allSettled(this.#working);
  }

  #own<T>(statement: (sql: Sql) => PromiseLike<T>): Promise<T> {
    if (this.#over) throw new Error("a test that is over looks at the database");
    return this.#work(Promise.resolve(statement(this.#connections.owner)));
  }

  async #work<T>(work: Promise<T>): Promise<T> {
    this.#working.add(work);
    try {
      return await underWay(work);
    } finally {
      this.#working.delete(work);
    }
  }
}

const UNREACHABLE: RpcAnswer = { data: null, error: { code: "", message: "connection lost" }, status: 0 };

function takeFirst<T>(list: T[], matches: (item: T) => boolean): T | undefined {
  const index = list.findIndex(matches);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}

const TIMESTAMPTZ = {
  to: 1184,
  from: [1184],
  serialize: (ms: number) => new Date(EPOCH + ms).toISOString(),
  parse: (text: string) => Date.parse(text) - EPOCH,
};

/**
 * The database of this test file, opened when the file is loaded so that no test has to wait for it or leaves a
 * connection behind, and closed with it.
 *
 * Each file has a database of its own and each test finds it empty. Measured on two cores: a copy of the template 69 ms,
 * two connections and the time taken over 45 ms, once a file; to empty it between tests, by deleting the users with
 * all that is theirs, 1 ms. `truncate` took 16 ms; a copy for each test, with its connections, 115 ms; a transaction
 * rolled back 0.3 ms and 0.5 ms more for the savepoint around each call, without which the first error ends it, and
 * then nothing is ever committed as it is in production. A call takes 0.6 ms.
 */
const connections = await open();

async function open(): Promise<Connections> {
  const database = await startDatabase();
  await takeOverDatabaseTime(database.connect());
  const owner = postgres(database.url, {
    max: 1,
    onnotice: () => {},
    types: { bigint: BIGINT, timestamptz: TIMESTAMPTZ },
  });
  const rpc = await openSqlRpc(database.url);
  await owner`select 1`;
  afterAll(async () => {
    await Promise.all([rpc.close(), owner.end()]);
    await database.stop();
  });
  return { rpc, owner };
}

/** The functions' own Deno does not know it yet; there the connections end with the process. */
function afterAll(work: () => Promise<void>): void {
  (Deno.test as { afterAll?: (work: () => Promise<void>) => void }).afterAll?.(work);
}

let last: Stage | undefined;

/** An empty database but for two users, and its dice at their beginning. The test before has ended. */
export async function freshStore(clock: Clock): Promise<TestStore> {
  await last?.end();
  const { owner, rpc } = connections;
  await underWay(Promise.all([
    owner`delete from auth.users`,
    // What the users before have left.
    owner`delete from oauth.revocations`,
    owner`delete from oauth.uninstallations`,
    owner`delete from oauth.last_sweep`,
    owner`insert into auth.users (id) values (${MARI}), (${JONAS})`,
    rpc.sql`select setseed(0.5)`,
  ]));
  const stage = last = new Stage(connections, clock);
  return Object.assign(stage, supabaseStore(rpcClient((name, args) => stage.call(name, args))));
}
