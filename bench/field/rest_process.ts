/**
 * The database functions over HTTP, in a process of its own. The argument: the database's address and the keys.
 *
 * A stand-in for PostgREST that knows calls of `public.oauth_…` functions with the secret key and nothing else. The
 * library behind the local stack is not used here: it answers some hundred calls a second, and a run would measure it.
 */
import postgres from "postgres";
import { prepareDatabase } from "../../local/bootstrap.ts";
import type { Keys } from "../../local/keys.ts";
import { applyMigrations } from "../../local/migrations.ts";
import { serve } from "../../local/serve.ts";

/** As many as a small hosted project's PostgREST holds. */
const POOL = 20;
const PATH = /^\/rest\/v1\/rpc\/(oauth_\w+)$/;

const { database_url, keys }: { database_url: string; keys: Keys } = JSON.parse(Deno.args[0] ?? "");
await prepareDatabase(database_url);
await applyMigrations(database_url);

const asText = { serialize: (value: unknown) => String(value), parse: (text: string) => text };
const sql = postgres(database_url, {
  max: POOL,
  onnotice: () => {},
  connect_timeout: 2,
  backoff: () => 0.1,
  // From the first byte on the connection is the server's role, as PostgREST's transactions are.
  connection: { role: "service_role" },
  types: {
    bigint: { to: 20, from: [20], serialize: String, parse: Number },
    timestamptz: { to: 1184, from: [1184], ...asText },
  },
});
/** Which functions give rows; the others give one value. */
const sets = new Map(
  (await sql<{ name: string; rows: boolean }[]>`
    select proname as name, proretset as rows from pg_proc
    where pronamespace = 'public'::regnamespace and proname like 'oauth%'`).map((
    { name, rows },
  ) => [name, rows]),
);

async function answer(request: Request): Promise<Response> {
  const name = PATH.exec(new URL(request.url).pathname)?.[1] ?? "";
  const rows = sets.get(name);
  if (rows === undefined) {
    return Response.json({ code: "PGRST202", message: "no such function" }, { status: 404 });
  }
  if (request.headers.get("apikey") !== keys.secret_key) {
    return Response.json({ code: "42501", message: "permission denied" }, { status: 401 });
  }
  const args: Record<string, string> = await request.json();
  const named = Object.keys(args).map((arg, index) => `${arg} => $${index + 1}`).join(", ");
  try {
    const found = await sql.unsafe(`select * from public.${name}(${named})`, Object.values(args), {
      prepare: true,
    });
    return Response.json(rows ? [...found] : found[0]?.[name] ?? null);
  } catch (error) {
    return trouble(error);
  }
}

/** The statuses that PostgREST gives (https://docs.postgrest.org/en/stable/references/errors.html). */
function trouble(error: unknown): Response {
  if (!(error instanceof postgres.PostgresError)) {
    return Response.json({ code: "PGRST000", message: "no connection to the database" }, { status: 503 });
  }
  const { code, message } = error;
  const status = /^(08|53)/.test(code) ? 503 : /^(25|40|55|57|XX)/.test(code) ? 500 : 400;
  return Response.json({ code, message }, { status });
}

console.log(JSON.stringify({ origin: serve(0, answer).origin }));
