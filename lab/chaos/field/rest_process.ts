/**
 * The database functions over HTTP, in a process of its own. The argument: the database's address and the keys.
 *
 * A stand-in for PostgREST that knows calls of `public.oauth_…` functions with the secret key and nothing else. The
 * library behind the local stack is not used here: it answers some hundred calls a second, and a run would measure it.
 * POST `/mode` makes it what PostgREST is in bad hours; the body is the mode.
 */
import postgres from "postgres";
import { prepareDatabase } from "../../../local/stack/bootstrap.ts";
import type { Keys } from "../../../local/stack/keys.ts";
import { applyMigrations } from "../../../local/stack/migrations.ts";
import { type Asked, type Message, passOn, serveBreakable } from "./breakable_server.ts";
import { answerOf, IN_RECOVERY, noFunction, troubleOf } from "./postgrest_errors.ts";

/**
 * - `usual`
 * - `read only`: every transaction is, and PostgreSQL itself refuses what writes
 * - `in recovery`: the server behind it is a standby now
 * - `without functions`: its cache of the schema has none of ours, as just after a migration
 */
export type Mode = "usual" | "read only" | "in recovery" | "without functions";

/** As many as a small hosted project's PostgREST holds, both together. */
const POOLS = { writing: 12, reading: 8 };
/** A port: the proxy of the process that asks. */
const PATH = /^(?:\/via\/(\d+))?(\/rest\/v1\/rpc\/(oauth_\w+))$/;
/** What the protocol does goes through the asker's proxy, which sends it here again. Reading does not: it would be the proxies that are measured. */
const THROUGH: ReadonlySet<string> = new Set([
  "oauth_claim_refresh",
  "oauth_claim_due",
  "oauth_commit_refresh",
  "oauth_fail_refresh",
  "oauth_disconnect",
  "oauth_connect",
]);

const { database_url, keys }: { database_url: string; keys: Keys } = JSON.parse(Deno.args[0] ?? "");
await prepareDatabase(database_url);
await applyMigrations(database_url);

/** PostgREST begins the transaction of a stable function as READ ONLY, and of any other as READ WRITE. */
const pool = (max: number, read_only: boolean) =>
  postgres(database_url, {
    max,
    onnotice: () => {},
    connect_timeout: 2,
    backoff: () => 0.1,
    // From the first byte on the connection is the server's role, as PostgREST's transactions are.
    connection: { role: "service_role", default_transaction_read_only: read_only },
    // The driver asks a new connection for its types by itself, and nobody hears when the database dies meanwhile.
    fetch_types: false,
  });
const writing = pool(POOLS.writing, false);
const reading = pool(POOLS.reading, true);
/** Which functions give rows (the others give one value), and which only read. */
const functions = new Map(
  (await reading<{ name: string; rows: boolean; stable: boolean }[]>`
    select proname as name, proretset as rows, provolatile <> 'v' as stable from pg_proc
    where pronamespace = 'public'::regnamespace and proname like 'oauth%'`).map(({ name, ...rest }) =>
    [name, rest] as const
  ),
);
let mode: Mode = "usual";

/** Deno (2.9) sends a POST again when a kept connection breaks, and a fault would never be seen. */
const unpooled = Deno.createHttpClient({ poolMaxIdlePerHost: 0 });

async function answer(asked: Asked): Promise<Message> {
  if (asked.path === "/mode") {
    mode = JSON.parse(asked.body);
    return { status: 204, type: "text/plain", text: "" };
  }
  const [, proxy, path = "", name = ""] = PATH.exec(asked.path) ?? [];
  if (proxy !== undefined && THROUGH.has(name)) {
    return await passOn(`http://127.0.0.1:${proxy}`, { ...asked, path }, unpooled);
  }
  if (asked.headers.get("apikey") !== keys.secret_key) {
    return answerOf(401, { code: "PGRST301", message: "No suitable key or wrong key type" });
  }
  const args: Record<string, string | string[]> = JSON.parse(asked.body);
  const known = functions.get(name);
  if (known === undefined || mode === "without functions") return noFunction(name, Object.keys(args));
  if (mode === "in recovery" && !known.stable) return IN_RECOVERY;
  const sql = known.stable || mode === "read only" ? reading : writing;
  const named = Object.keys(args).map((arg, index) => `${arg} => $${index + 1}`).join(", ");
  try {
    // As PostgREST does, the database itself writes the JSON.
    const body = known.rows
      ? `select coalesce(json_agg(f), '[]')::text as body from (select * from public.${name}(${named})) f`
      : `select (row_to_json(f) -> 'value')::text as body from (select public.${name}(${named}) as value) f`;
    const values = Object.values(args).map(parameter);
    const [found] = await sql.unsafe<{ body: string }[]>(body, values, { prepare: true });
    return { status: 200, type: "application/json; charset=utf-8", text: found?.body ?? "null" };
  } catch (error) {
    return troubleOf(error);
  }
}

/** Arrays in PostgreSQL's own words: the driver would have to ask for their types first. */
function parameter(value: string | string[]): string {
  return Array.isArray(value) ? `{${value.map((one) => JSON.stringify(one)).join()}}` : value;
}

// Where the proxy breaks off, so does this.
const { origin } = await serveBreakable(async (asked) => ({ message: await answer(asked), verdict: "pass" }));
console.log(JSON.stringify({ origin }));
