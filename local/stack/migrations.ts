import postgres from "postgres";
import { splitStatements } from "./statements.ts";

const FOLDER = new URL("../../supabase/migrations/", import.meta.url);
/** What the Supabase CLI takes for a migration: 14 digits, a name. */
const NAME = /^(\d{14})_(.+)\.sql$/;

/** Ours, by their names; a fork keeps its own beside them. */
export const OURS = /^\d{14}_oauth(_\w+)?\.sql$/;

export interface MigrationOptions {
  folder?: URL;
  /** Those to apply; all, if left out. */
  only?: RegExp;
  /** Told of each migration before it runs. */
  onApply?: (file: string) => void;
}

export class MigrationError extends Error {
  override readonly name = "MigrationError";
}

/**
 * Applies the migrations that the database has not seen, in order, each in a transaction of its own, and keeps the
 * CLI's history: `supabase migration list` and `db push` agree with it.
 *
 * Returns the applied files. A failing migration leaves nothing behind, and the error names file and reason.
 *
 * @throws {MigrationError}
 */
export async function applyMigrations(url: string, options: MigrationOptions = {}): Promise<string[]> {
  const folder = options.folder ?? FOLDER;
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await sql.unsafe(HISTORY).simple();
    const seen = await sql<{ version: string }[]>`select version from supabase_migrations.schema_migrations`;
    const applied = new Set(seen.map((row) => row.version));
    const waiting = (await migrationFiles(folder)).filter(({ file, version }) =>
      !applied.has(version) && (options.only ?? NAME).test(file)
    );
    for (const migration of waiting) {
      options.onApply?.(migration.file);
      await apply(sql, migration, await Deno.readTextFile(new URL(migration.file, folder)));
    }
    return waiting.map(({ file }) => file);
  } finally {
    await sql.end();
  }
}

interface Migration {
  readonly file: string;
  readonly version: string;
  readonly name: string;
}

async function migrationFiles(folder: URL): Promise<Migration[]> {
  const files: Migration[] = [];
  for await (const { name: file, isFile } of Deno.readDir(folder)) {
    const [, version, name] = NAME.exec(file) ?? [];
    if (isFile && version !== undefined && name !== undefined) files.push({ file, version, name });
  }
  return files.sort((a, b) => a.file < b.file ? -1 : 1);
}

async function apply(sql: postgres.Sql, { file, version, name }: Migration, text: string): Promise<void> {
  try {
    await sql.begin(async (begun) => {
      // The driver's type forgets that a transaction can be called too.
      const transaction = begun as unknown as postgres.Sql;
      await transaction.unsafe(text).simple();
      await transaction`reset search_path`;
      await transaction`
        insert into supabase_migrations.schema_migrations (version, name, statements)
        values (${version}, ${name}, ${splitStatements(text)})`;
    });
  } catch (error) {
    throw new MigrationError(`The migration "${file}" failed: ${reason(error, text)}`, { cause: error });
  }
}

/** PostgreSQL counts the error's place in characters; people look for lines. */
function reason(error: unknown, text: string): string {
  if (!(error instanceof postgres.PostgresError)) return String(error);
  const line = error.position ? `, line ${text.slice(0, Number(error.position)).split("\n").length}` : "";
  const more = [error.detail, error.hint, error.where].filter(Boolean).join(" ");
  return `${error.message} (${error.code}${line})${more ? `: ${more}` : ""}`;
}

const HISTORY = `
  create schema if not exists supabase_migrations;
  create table if not exists supabase_migrations.schema_migrations (version text not null primary key);
  alter table supabase_migrations.schema_migrations add column if not exists statements text[];
  alter table supabase_migrations.schema_migrations add column if not exists name text;
`;
