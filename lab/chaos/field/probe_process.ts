/**
 * A query that has nothing to do with refreshes, asked every 20 ms from a process of its own. The argument: the
 * database's address. At SIGTERM it prints how long the answers took, in milliseconds.
 */
import postgres from "postgres";

const PAUSE_MS = 20;
const { database_url }: { database_url: string } = JSON.parse(Deno.args[0] ?? "");
const sql = postgres(database_url, { max: 1, onnotice: () => {} });
await sql`create table if not exists public.unrelated (id integer primary key, name text)`;
await sql`insert into public.unrelated select n, 'row ' || n from generate_series(1, 1000) n on conflict do nothing`;
const took: number[] = [];
let over = false;
Deno.addSignalListener("SIGTERM", () => over = true);
console.log(JSON.stringify({}));
for (let asked = 0; !over; asked++) {
  const began = performance.now();
  await sql`select name from public.unrelated where id = ${asked % 1000 + 1}`;
  took.push(performance.now() - began);
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}
console.log(JSON.stringify(took));
await sql.end();
Deno.exit(0);
