import type { SupabaseClient } from "@supabase/supabase-js";
import { TokenError } from "./errors.ts";
import type { Claim, Commit, Connect, Connection, DueClaim, Peek, SealedTokenSet, Store } from "./store.ts";

/** A call that takes this many milliseconds is given up; every function behind it may be called again. */
const CALL_MS = 5_000;
/** SQLSTATE classes, and PostgREST's own codes, after which the same call may succeed: connection, rollback, resources, intervention, lock. */
const RETRYABLE = /^(08|40|53|57)|^55P03$|^PGRST00[0-3]$/;

/**
 * The store on the SQL functions of `supabase/migrations`, through PostgREST: no connection is held, so it works
 * behind any pooler.
 *
 * @param client one with a secret key: the functions are granted to `service_role` alone
 */
export function supabaseStore(client: Pick<SupabaseClient, "rpc">): Store {
  const rows = <Row>(name: string, args: object): Promise<Row[]> => call<Row[]>(client, name, args);
  const row = async <Row>(name: string, args: object): Promise<Row> => {
    const [first] = await rows<Row>(name, args);
    if (first === undefined) throw new Error(`oauth_${name} answered without a row`);
    return first;
  };
  const perhaps = async <Row>(name: string, args: object): Promise<Row | null> =>
    (await rows<Row>(name, args))[0] ?? null;

  return {
    peek: (id, user_id, seen_version) => perhaps<Peek>("peek", { id, user_id, seen_version }),
    claimRefresh: (claim) => row<Claim>("claim_refresh", claim),
    commitRefresh: (commit) => row("commit_refresh", withScope(commit)),
    failRefresh: (failure) => row("fail_refresh", failure),
    claimDue: (due) => rows<DueClaim>("claim_due", due),

    connection: (id, user_id) => perhaps<Connection>("connection", { id, user_id }),
    connectionsOf: (user_id, provider) => rows("connections_of", { user_id, provider }),

    beginAuthorization: (request) => row("begin_authorization", request),
    receiveAuthorizationResponse: (response) => perhaps("receive_authorization_response", response),
    takeAuthorization: (ticket) => perhaps("take_authorization", ticket),
    returnAuthorization: (request_id) => call(client, "return_authorization", { request_id }),
    connect: (connect) => row("connect", withScope(connect)),

    disconnect: (id, user_id) => perhaps("disconnect", { id, user_id }),
    uninstall: (provider, account_key, occurred_at) =>
      call<number>(client, "uninstall", { provider, account_key, occurred_at }),

    sealedUnderOtherKeys: (provider, key_id, limit) =>
      rows<SealedTokenSet>("sealed_under_other_keys", { provider, key_id, limit }),
    reseal: (reseal) => call<boolean>(client, "reseal", reseal),
    purgeAuthorizationRequests: (limit) => call<number>(client, "purge_authorization_requests", { limit }),
  };
}

async function call<Result>(
  client: Pick<SupabaseClient, "rpc">,
  name: string,
  args: object,
): Promise<Result> {
  const { data, error, status } = await client
    .rpc(`oauth_${name}`, named(args))
    .abortSignal(AbortSignal.timeout(CALL_MS));
  if (!error) return data as Result;
  if (status === 0 || status >= 500 || RETRYABLE.test(error.code ?? "")) {
    throw new TokenError("STORAGE_UNAVAILABLE", "the database does not answer: try again", {
      retry_after: 1,
    });
  }
  throw new Error(`the database refused oauth_${name} with ${error.code || status}`);
}

/** Arguments are named after the fields: `seen_version` travels as `p_seen_version`. */
function named(args: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(args).map(([field, value]) => [`p_${field}`, value]));
}

/** One text, blanks between, as RFC 6749 §3.3 writes it. */
function withScope(args: Commit | Connect): object {
  return { ...args, scope: args.scope?.join(" ") ?? null };
}
