import postgres from "postgres";

/**
 * Names the migrated database of a server that runs for all tests, from which each takes a copy: `tests/run.ts` starts
 * one. Without it, whoever needs a database starts a server of its own, in about two seconds.
 */
export const TEMPLATE_URL = "TESTS_DATABASE_URL";

export interface TestDatabase {
  /** Of a superuser; the migrations are applied. */
  readonly url: string;
  /** Up to `connections` connections, closed with the database. */
  connect(connections?: number): postgres.Sql;
  stop(): Promise<void>;
}

/** A database of its own with what a new Supabase project has, and the migrations. Nothing of it outlives `stop`. */
export async function startDatabase(): Promise<TestDatabase> {
  const template = Deno.env.get(TEMPLATE_URL);
  const { url, stop } = template ? await copyOf(new URL(template)) : await ownServer();
  const clients: postgres.Sql[] = [];
  return {
    url,
    connect(connections = 1) {
      const client = postgres(url, { max: connections, onnotice: () => {} });
      clients.push(client);
      return client;
    },
    async stop() {
      await Promise.all(clients.map((client) => client.end({ timeout: 5 })));
      await stop();
    },
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

type Place = Pick<TestDatabase, "url" | "stop">;

/** Loaded only if needed: the functions' own Deno, which runs unit tests too, cannot start a server. */
async function ownServer(): Promise<Place> {
  const { startServer } = await import("./server.ts");
  return await startServer();
}

async function copyOf(template: URL): Promise<Place> {
  const name = `test_${crypto.randomUUID().replaceAll("-", "_")}`;
  // Not connected to the template: PostgreSQL copies no database that somebody uses.
  const server = new URL("/template1", template).href;
  await run(server, `create database ${name} template ${template.pathname.slice(1)}`);
  // Belongs to the database and is not copied with it.
  await run(server, `alter database ${name} set search_path = "$user", public, extensions`);
  return {
    url: new URL(`/${name}`, template).href,
    stop: () => run(server, `drop database ${name} with (force)`),
  };
}

async function run(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end();
  }
}
