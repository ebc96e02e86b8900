import type { SupabaseClient } from "@supabase/supabase-js";
import type { Database } from "./database.types.ts";
import { PublicError } from "../errors.ts";
import type { Commit, Connect, Store } from "./store.ts";

/** A call that takes this many milliseconds is given up; every function behind it may be called again. */
const CALL_MS = 5_000;
/** SQLSTATE classes, and PostgREST's own codes, after which the same call may succeed: connection, rollback, resources, intervention, lock. */
const RETRYABLE = /^(08|40|53|57)|^55P03$|^PGRST00[0-3]$/;

type Rpc = Pick<SupabaseClient<Database>, "rpc">;
type Functions = Database["public"]["Functions"];
type Name = keyof Functions extends infer Key ? Key extends `oauth_${infer Rest}` ? Rest : never : never;
type Declared<N extends Name> = Functions[`oauth_${N}`];

/** SQL declares no argument and no column of an answer as not null, so each may be. */
type Perhaps<T> = (T extends readonly (infer Item)[] ? readonly Item[] : T) | null;
type Args<N extends Name> = {
  readonly [K in keyof Declared<N>["Args"] as K extends `p_${infer Field}` ? Field : never]: Perhaps<
    Declared<N>["Args"][K]
  >;
};
type Row<N extends Name> = Declared<N>["Returns"] extends readonly (infer Columns)[]
  ? { readonly [K in keyof Columns]: Perhaps<Columns[K]> }
  : never;
/** What fits `Shape` and has nothing beside it: PostgREST finds no function by a name too many. */
type Exactly<Shape, T> = Shape & { readonly [K in Exclude<keyof T, keyof Shape>]: never };

/**
 * The store on the SQL functions of `supabase/migrations`, through PostgREST: no connection is held, so it works
 * behind any pooler. Names, arguments and answers are checked against the types generated from the migrations.
 *
 * @param client one with a secret key: the functions are granted to `service_role` alone
 */
export function supabaseStore(client: Rpc): Store {
  const rows = <N extends Name, A extends Exactly<Args<N>, A>, R extends Exactly<Row<N>, R>>(
    name: N,
    args: A,
  ): Promise<R[]> => call<R[]>(client, name, args);
  const row = async <N extends Name, A extends Exactly<Args<N>, A>, R extends Exactly<Row<N>, R>>(
    name: N,
    args: A,
  ): Promise<R> => {
    const [first] = await rows<N, A, R>(name, args);
    if (first === undefined) throw new Error(`oauth_${name} answered without a row`);
    return first;
  };
  const perhaps = async <N extends Name, A extends Exactly<Args<N>, A>, R extends Exactly<Row<N>, R>>(
    name: N,
    args: A,
  ): Promise<R | null> => (await rows<N, A, R>(name, args))[0] ?? null;
  const value = <N extends Name, A extends Exactly<Args<N>, A>>(
    name: N,
    args: A,
  ): Promise<Declared<N>["Returns"]> => call(client, name, args);

  return {
    peek: (id, user_id, seen_version) => perhaps("peek", { id, user_id, seen_version }),
    claimRefresh: (claim) => row("claim_refresh", claim),
    commitRefresh: (commit) => row("commit_refresh", withScope(commit)),
    failRefresh: (failure) => row("fail_refresh", failure),
    claimDue: (due) => rows("claim_due", due),

    connection: (id, user_id) => perhaps("connection", { id, user_id }),
    connectionsOf: (user_id, provider) => rows("connections_of", { user_id, provider }),

    beginAuthorization: (request) => row("begin_authorization", request),
    receiveAuthorizationResponse: (response) => perhaps("receive_authorization_response", response),
    takeAuthorization: (ticket) => perhaps("take_authorization", ticket),
    returnAuthorization: (request_id) => value("return_authorization", { request_id }),
    connect: (connect) => row("connect", withScope(connect)),

    disconnect: (id, user_id, provider) => perhaps("disconnect", { id, user_id, provider }),
    uninstall: (provider, account_key, occurred_at) =>
      value("uninstall", { provider, account_key, occurred_at }),

    sealedUnderOtherKeys: (provider, key_id, limit) =>
      rows("sealed_under_other_keys", { provider, key_id, limit }),
    reseal: (reseal) => value("reseal", reseal),
    purge: (limit) => value("purge", { limit }),
  };
}

async function call<Result>(
  client: Rpc,
  name: Name,
  args: object,
): Promise<Result> {
  const { data, error, status } = await client
    .rpc(`oauth_${name}`, named(args))
    .abortSignal(AbortSignal.timeout(CALL_MS));
  if (!error) return data as Result;
  if (status === 0 || status >= 500 || RETRYABLE.test(error.code ?? "")) {
    throw new PublicError("STORAGE_UNAVAILABLE", "the database does not answer: try again", {
      retry_after: 1,
    });
  }
  throw new Error(`the database refused oauth_${name} with ${error.code || status}`);
}

/** Arguments are named after the fields: `seen_version` travels as `p_seen_version`. */
function named(args: object): Declared<Name>["Args"] {
  const fields = Object.entries(args).map(([field, value]) => [`p_${field}`, value] as const);
  return Object.fromEntries(fields) as Declared<Name>["Args"];
}

/** One text, blanks between, as RFC 6749 §3.3 writes it. */
function withScope<A extends Commit | Connect>(args: A): Omit<A, "scope"> & { scope: string | null } {
  return { ...args, scope: args.scope?.join(" ") ?? null };
}
