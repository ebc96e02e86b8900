/**
 * The database functions over HTTP, in a process of its own. The argument: the database's address and the keys.
 *
 * A stand-in for PostgREST that knows calls of `public.oauth_…` functions with the secret key and nothing else. The
 * library behind the local stack is not used here: it answers some hundred calls a second, and a run would measure it.
 */
import postgres from "postgres";
import { prepareDatabase } from "../../../local/stack/bootstrap.ts";
import type { Keys } from "../../../local/stack/keys.ts";
import { applyMigrations } from "../../../local/stack/migrations.ts";
import { type Asked, type Message, passOn, serveBreakable } from "./breakable_server.ts";

/** As many as a small hosted project's PostgREST holds. */
const POOL = 20;
/** A port: the proxy of the process that asks. */
const PATH = /^(?:\/via\/(\d+))?(\/rest\/v1\/rpc\/(oauth_\w+))$/;
/** What the protocol does goes through the asker's proxy, which sends it here again. Reading does not: it would be the proxies that are measured. */
const THROUGH: ReadonlySet<string> = new Set([
  "oauth_claim_refresh",
  "oauth_claim_due",
  "oauth_commit_refresh",
  "oauth_fail_refresh",
  "oauth_disconnect",
]);

const { database_url, keys }: { database_url: string; keys: Keys } = JSON.parse(Deno.args[0] ?? "");
await prepareDatabase(database_url);
await applyMigrations(database_url);

const sql = postgres(database_url, {
  max: POOL,
  onnotice: () => {},
  connect_timeout: 2,
  backoff: () => 0.1,
  // From the first byte on the connection is the server's role, as PostgREST's transactions are.
  connection: { role: "service_role" },
  // The driver asks a new connection for its types by itself, and nobody hears when the database dies meanwhile.
  fetch_types: false,
});
/** Which functions give rows; the others give one value. */
const sets = new Map(
  (await sql<{ name: string; rows: boolean }[]>`
    select proname as name, proretset as rows from pg_proc
    where pronamespace = 'public'::regnamespace and proname like 'oauth%'`).map((
    { name, rows },
  ) => [name, rows]),
);

/** Deno (2.9) sends a POST again when a kept connection breaks, and a fault would never be seen. */
const unpooled = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

async function answer(asked: Asked): Promise<Message> {
  const [, proxy, path = "", name = ""] = PATH.exec(asked.path) ?? [];
  if (proxy !== undefined && THROUGH.has(name)) {
    return await passOn(`http://127.0.0.1:${proxy}`, { ...asked, path }, unpooled);
  }
  const rows = sets.get(name);
  if (rows === undefined) return json(404, { code: "PGRST202", message: "no such function" });
  if (asked.headers.get("apikey") !== keys.secret_key) {
    return json(401, { code: "42501", message: "permission denied" });
  }
  const args: Record<string, string> = JSON.parse(asked.body);
  const named = Object.keys(args).map((arg, index) => `${arg} => $${index + 1}`).join(", ");
  try {
    // As PostgREST does, the database itself writes the JSON.
    const body = rows
      ? `select coalesce(json_agg(f), '[]')::text as body from public.${name}(${named}) f`
      : `select (row_to_json(f) -> 'value')::text as body from (select public.${name}(${named}) as value) f`;
    const [found] = await sql.unsafe<{ body: string }[]>(body, Object.values(args), { prepare: true });
    return { status: 200, type: "application/json", text: found?.body ?? "null" };
  } catch (error) {
    return trouble(error);
  }
}

/** The statuses that PostgREST gives (https://docs.postgrest.org/en/stable/references/errors.html). */
function trouble(error: unknown): Message {
  if (!(error instanceof postgres.PostgresError)) {
    return json(503, { code: "PGRST000", message: "no connection to the database" });
  }
  const { code, message } = error;
  const status = /^(08|53)/.test(code) ? 503 : /^(25|40|55|57|XX)/.test(code) ? 500 : 400;
  return json(status, { code, message });
}

function json(status: number, body: unknown): Message {
  return { status, type: "application/json", text: JSON.stringify(body) };
}

// Where the proxy breaks off, so does this.
const { origin } = await serveBreakable(async (asked) => ({ message: await answer(asked), verdict: "pass" }));
console.log(JSON.stringify({ origin }));
