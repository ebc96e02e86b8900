import type postgres from "postgres";

/**
 * Has the database itself note each lease that displaced an unreleased one. No caller is told, and from the answers
 * alone it cannot be known: some of them were lost.
 */
export async function watchTakeovers(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    create schema watch;
    create table watch.takeovers (lease_id uuid primary key);
    create function watch.note_takeover() returns trigger language plpgsql security definer set search_path = '' as $$
    begin
      insert into watch.takeovers (lease_id) values (new.lease_id);
      return null;
    end $$;
    create trigger takeovers_are_noted
      after update of lease_id on oauth.connections
      for each row when (old.lease_id is not null and new.lease_id is not null and old.lease_id <> new.lease_id)
      execute function watch.note_takeover();
  `).simple();
}

/** The leases that displaced another. */
export async function readTakeovers(sql: postgres.Sql): Promise<ReadonlySet<string>> {
  const rows = await sql<{ lease_id: string }[]>`select lease_id from watch.takeovers`;
  return new Set(rows.map(({ lease_id }) => lease_id));
}
