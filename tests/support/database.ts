import postgres from "postgres";
import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { applyMigrations } from "../../local/stack/migrations.ts";
import { startPostgres } from "../../local/stack/postgres.ts";

export interface TestDatabase {
  /** Of a superuser; the migrations are applied. */
  readonly url: string;
  /** Up to `connections` connections, closed with the database. */
  connect(connections?: number): postgres.Sql;
  stop(): Promise<void>;
}

/** A server of its own with what a new Supabase project has, and the migrations. Nothing of it outlives `stop`. */
export async function startDatabase(): Promise<TestDatabase> {
  const server = await startPostgres();
  const clients: postgres.Sql[] = [];
  const stop = async () => {
    await Promise.all(clients.map((client) => client.end({ timeout: 5 })));
    await server.stop();
  };
  try {
    await prepareDatabase(server.url);
    await applyMigrations(server.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: server.url,
    connect(connections = 1) {
      const client = postgres(server.url, { max: connections, onnotice: () => {} });
      clients.push(client);
      return client;
    },
    stop,
  };
}

export async function withDatabase<T>(work: (database: TestDatabase) => Promise<T>): Promise<T> {
  const database = await startDatabase();
  try {
    return await work(database);
  } finally {
    await database.stop();
  }
}
