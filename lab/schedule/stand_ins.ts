import type postgres from "postgres";

/** What a Supabase project has and plain PostgreSQL does not. */
export type StandIn = "pg_cron" | "pg_net" | "supabase_vault" | "realtime" | "webhooks";

/** Puts stand-ins into a database: the schemas, signatures and refusals of the real ones, as far as they are used. */
export async function standIn(sql: postgres.Sql, ...names: StandIn[]): Promise<void> {
  for (const name of names) {
    const text = await Deno.readTextFile(new URL(`stand_ins/${name}.sql`, import.meta.url));
    await sql.unsafe(text).simple();
  }
}

/** A request that waits for pg_net to send it. */
export interface Queued {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly timeout_milliseconds: number;
}

/** Takes what is queued, oldest first. */
export async function takeQueued(sql: postgres.Sql): Promise<Queued[]> {
  const taken = await sql<(Queued & { id: string })[]>`
    delete from net.http_request_queue
    returning id, method, url, headers, convert_from(body, 'UTF8') as body, timeout_milliseconds`;
  return taken.toSorted((a, b) => Number(a.id) - Number(b.id)).map(({ id: _, ...request }) => request);
}

/** Runs what a job would, as it would. */
export async function runJob(sql: postgres.Sql, jobname = "oauth-sweep"): Promise<void> {
  const [job] = await sql<{ command: string }[]>`select command from cron.job where jobname = ${jobname}`;
  if (!job) throw new Error(`there is no job "${jobname}"`);
  await sql.unsafe(job.command);
}
