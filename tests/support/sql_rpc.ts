import postgres from "postgres";
import type { supabaseStore } from "../../supabase/functions/_shared/keep/store.ts";

/** The part of the supabase-js client that a store uses. */
export type RpcClient = Parameters<typeof supabaseStore>[0];

/** What supabase-js resolves to. Status 0: the call never reached the database, or its answer was lost. */
export interface RpcAnswer {
  readonly data: unknown;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly status: number;
}

export type CallRpc = (name: string, args: Record<string, unknown>) => Promise<RpcAnswer>;

/** A client whose every call goes through `call`. It gives none up when a signal fires: `call` decides how long it takes. */
export function rpcClient(call: CallRpc): RpcClient {
  const rpc = (name: string, args: Record<string, unknown> = {}) => {
    const answer = call(name, args);
    return Object.assign(answer, { abortSignal: () => answer });
  };
  // The type of the real `rpc` is a builder of queries; a store only ever waits for it.
  return { rpc: rpc as unknown as RpcClient["rpc"] };
}

export const BIGINT = { to: 20, from: [20], serialize: String, parse: Number };
/** As PostgREST writes it. */
const TIMESTAMPTZ = {
  to: 1184,
  from: [1184],
  serialize: String,
  parse: (text: string) => text.replace(" ", "T").replace(/([+-]\d\d)$/, "$1:00"),
};

/** Numbers for `bigint`: named, because TypeScript is not always of one mind on whether it is also an `Sql<{}>`. */
type Sql = postgres.Sql<{ bigint: number }>;

export interface SqlRpc extends RpcClient {
  readonly call: CallRpc;
  /** The connection, as `service_role`: what is set on it holds for every call. */
  readonly sql: Sql;
  close(): Promise<void>;
}

interface Signature {
  readonly name: string;
  readonly arguments: readonly string[];
  /** How many of them must be given: the first. */
  readonly required: number;
  readonly returns_set: boolean;
  /** Of these PostgREST answers 204. */
  readonly returns_void: boolean;
}

/**
 * Calls SQL functions as supabase-js does through PostgREST, on one connection of its own and without HTTP between:
 * each call is one statement, and calls run in the order in which they were made.
 */
export async function openSqlRpc(database_url: string): Promise<SqlRpc> {
  const sql = postgres(database_url, {
    max: 1,
    onnotice: () => {},
    types: { bigint: BIGINT, timestamptz: TIMESTAMPTZ },
    connection: { role: "service_role" },
  });
  const signatures = await readSignatures(sql);
  const call: CallRpc = (name, args) => answerOf(sql, signatures.get(name), name, args);
  return { ...rpcClient(call), call, sql, close: () => sql.end({ timeout: 5 }) };
}

async function answerOf(
  sql: Sql,
  signature: Signature | undefined,
  name: string,
  args: Record<string, unknown>,
): Promise<RpcAnswer> {
  // JSON leaves out what is undefined.
  const given = Object.keys(args).filter((argument) => args[argument] !== undefined);
  const known = given.every((argument) => signature?.arguments.includes(argument));
  if (!signature || !known || !signature.arguments.slice(0, signature.required).every((one) => one in args)) {
    return refused("PGRST202", `no function ${name}(${given})`, 404);
  }
  const named = given.map((argument, index) => `${argument} => $${index + 1}`).join(", ");
  const values = given.map((argument) => args[argument] as postgres.ParameterOrJSON<never>);
  try {
    const rows = await sql.unsafe(`select * from public.${name}(${named})`, values, { prepare: true });
    const value = signature.returns_void ? null : rows[0]?.[name] ?? null;
    const data = signature.returns_set ? [...rows] : value;
    return { data, error: null, status: 200 };
  } catch (error) {
    if (error instanceof postgres.PostgresError) return refused(error.code, error.message, 400);
    throw error;
  }
}

function refused(code: string, message: string, status: number): RpcAnswer {
  return { data: null, error: { code, message }, status };
}

/** As PostgREST's schema cache: a function's arguments by name, and whether it answers with rows. */
async function readSignatures(sql: Sql): Promise<Map<string, Signature>> {
  const functions = await sql<Signature[]>`
    select p.proname as name, p.proargnames[1:p.pronargs] as arguments,
           p.pronargs - p.pronargdefaults as required, p.proretset as returns_set,
           p.prorettype = 'void'::regtype as returns_void
      from pg_catalog.pg_proc p
     where p.pronamespace = 'public'::regnamespace and p.proname like 'oauth\_%'`;
  return new Map(functions.map((signature) => [signature.name, signature]));
}
