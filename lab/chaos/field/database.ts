import postgres from "postgres";
import { type Postgres, startPostgres } from "../../../local/stack/postgres.ts";

/** A PostgreSQL with its real settings (every commit waits for the disk), and ways to hurt it. */
export class Database {
  readonly url: string;
  readonly sql: postgres.Sql;
  readonly #dir: string;
  #server: Postgres;
  /** One injury after another: nobody can cut the connections of a server that is just down. */
  #hurt: Promise<unknown> = Promise.resolve();

  private constructor(dir: string, server: Postgres) {
    this.#dir = dir;
    this.#server = server;
    this.url = server.url;
    this.sql = postgres(server.url, { max: 4, onnotice: () => {} });
  }

  static async start(dir: string): Promise<Database> {
    return new Database(dir, await startPostgres({ dir }));
  }

  /** Ends the server as a crash would (SIGQUIT: no checkpoint, every connection cut), and starts it again after `down_ms`. */
  crash(down_ms = 0): Promise<void> {
    return this.#next(() => this.#crash(down_ms));
  }

  /** Cuts every connection but our own. */
  cutConnections(): Promise<number> {
    return this.#next(() => this.#cut());
  }

  #next<T>(hurt: () => Promise<T>): Promise<T> {
    const next = this.#hurt.then(hurt);
    this.#hurt = next.catch(() => {});
    return next;
  }

  async #crash(down_ms: number): Promise<void> {
    const [row] = await this.sql`select split_part(pg_read_file('postmaster.pid'), E'\n', 1) as pid`;
    Deno.kill(Number(row?.pid), "SIGQUIT");
    await this.#server.stop();
    await new Promise((resolve) => setTimeout(resolve, down_ms));
    this.#server = await startPostgres({ dir: this.#dir, port: this.#server.port });
  }

  async #cut(): Promise<number> {
    const rows = await this.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
    return rows.length;
  }

  async stop(): Promise<void> {
    await this.sql.end({ timeout: 2 });
    await this.#server.stop();
  }
}
