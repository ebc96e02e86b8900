import { prepareDatabase } from "../../local/stack/bootstrap.ts";
import { applyMigrations } from "../../local/stack/migrations.ts";
import { type Postgres, startPostgres } from "../../local/stack/postgres.ts";

/** A PostgreSQL server whose database `postgres` has what a new Supabase project has, and the migrations. */
export async function startServer(): Promise<Postgres> {
  const server = await startPostgres();
  try {
    await prepareDatabase(server.url);
    await applyMigrations(server.url);
    return server;
  } catch (error) {
    await server.stop();
    throw error;
  }
}
