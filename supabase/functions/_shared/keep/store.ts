import type { SupabaseClient } from "@supabase/supabase-js";
import { PublicError } from "../errors.ts";
import type { Database } from "./database.types.ts";

/** A call that takes this many milliseconds is given up; every function behind it may be called again. */
const CALL_MS = 5_000;
/**
 * What says that asking again will not help: a SQLSTATE, but for those of a connection, a standby (0A000, as PostgREST
 * begins with READ WRITE) or else a database that is read-only for now, a rollback, a function that has just been
 * replaced, resources, a lock, an intervention and its own trouble; or PostgREST's word for a malformed call.
 */
const REFUSED = /^(?!08|0A000|25006|40|42883|53|55P03|57|58|XX)[0-9A-Z]{5}$|^PGRST1/;

type Functions = Database["public"]["Functions"];
type Name = keyof Functions extends infer Key ? Key extends `oauth_${infer Rest}` ? Rest : never : never;
type Declared<N extends Name> = Functions[`oauth_${N}`];
/** The generated types do not know which fields may be null: whoever names them here has read the SQL. */
type Fields<T, Nullable> = { readonly [K in keyof T]: K extends Nullable ? T[K] | null : T[K] };
type Args<N extends Name, Nullable = never> = Fields<
  {
    [K in keyof Declared<N>["Args"] as K extends `p_${infer Field}` ? Field : never]: Declared<N>["Args"][K];
  },
  Nullable
>;
type Row<N extends Name, Nullable = never> = Declared<N>["Returns"] extends readonly (infer Columns)[]
  ? Fields<Columns, Nullable>
  : never;

export type Status = "active" | "reauthorization_required" | "disconnected";
/** What an owner may see. */
export type Connection =
  & Omit<Database["public"]["Views"]["oauth_connections"]["Row"], "account" | "status">
  & {
    readonly status: Status;
    readonly account: { readonly id: string; readonly name?: string; readonly email?: string };
  };
/** Of a token that lives until the API refuses it. */
type Endless = "access_expires_at" | "expires_in_ms" | "fresh_in_ms" | "refresh_in_ms";
/** Durations are milliseconds from now, by the database's clock alone, null: no end; `busy_ms` 0: nobody holds a lease. */
export type Peek = Row<"peek", Endless | "access_token_sealed"> & { readonly status: Status };
/** The sole right to spend a refresh token, until the lease ends. */
export type Lease = Row<"claim_due", "access_expires_at" | "expires_in_ms"> & { readonly outcome: "claimed" };
/** The access token comes on `fresh` and `claimed`. */
export type Claim = Omit<Lease, "id"> | Refusal<"claim_refresh">;
type Refusal<N extends "claim_refresh" | "claim_due"> =
  & Row<N, "lease_id" | "access_expires_at" | "access_token_sealed" | "refresh_token_sealed">
  & {
    readonly outcome: "fresh" | "busy" | "backoff" | "unreadable" | Exclude<Status, "active"> | "not_found";
  };
/** Of the authorization; null: not known, or a share of the token's life. */
type Ends = "authorization_expires_in_ms" | "refresh_ahead_ms";
export type Commit = Args<"commit_refresh", "scope" | "expires_in_ms" | Ends>;
export type Failure = Args<"fail_refresh"> & {
  readonly class: "permanent" | "unexplained" | "ambiguous" | "transient" | "accepted";
};
export type Connect = Args<
  "connect",
  "account_name" | "account_email" | "request_id" | "expires_in_ms" | Ends
>;
export type LeaseTimings = Pick<Args<"claim_refresh">, "request_ms" | "lease_ms" | "settle_ms">;
/** Only `taken` brings the code, and only `finished` a connection's id. */
export type TakenAuthorization =
  & Omit<Row<"take_authorization", "code_verifier_sealed">, "outcome">
  & { readonly outcome: "taken" | "finished" | "under_way" | "too_many" };
/** `claimed` is to be revoked, `abandoned` was given up and brings no token. */
export type PendingRevocation =
  & Omit<Row<"claim_revocations">, "outcome">
  & { readonly outcome: "claimed" | "abandoned" };
/** Sealed under a key id that is in use, to be tried. */
export type SampleOfKey = Row<"keys_in_use">;
/** Without an access token it is a refresh token that is left to be revoked. */
export type SealedTokenSet = Row<"sealed_under_other_keys", "access_token_sealed">;

/** The part of a supabase-js client that a store uses. */
export type Rpc = Pick<SupabaseClient<Database>, "rpc">;
export type Store = ReturnType<typeof supabaseStore>;

/**
 * What is asked of the database: one method for each SQL function of `supabase/migrations`, through PostgREST, so that
 * no connection is held and any pooler will do. Each is one transaction.
 *
 * An ordinary no is a value; trouble is a `PublicError`, `STORAGE_UNAVAILABLE` where asking again may help.
 *
 * @param client one with a secret key: the functions are granted to `service_role` alone
 */
export function supabaseStore(client: Rpc) {
  const { call, value, rows, first, only } = callsOf(client);
  return {
    /**
     * The door: a row of another user is no row. `user_id` null is a secret-key caller; `id` null asks for all of the
     * user's at the provider that are not disconnected, oldest first. Never waits for a lock.
     */
    peek: (args: Args<"peek", "id" | "user_id">) => rows<Peek>("peek", args),
    claimRefresh: (args: Args<"claim_refresh">) => only<Claim>("claim_refresh", args),
    commitRefresh: (args: Commit) =>
      only<
        Row<"commit_refresh", "access_expires_at"> & {
          readonly outcome: "committed" | "already_committed" | "superseded" | "disconnected";
        }
      >("commit_refresh", args),
    failRefresh: (args: Failure) =>
      only<
        Row<"fail_refresh"> & { readonly outcome: "retry" | "reauthorization_required" | "superseded" }
      >("fail_refresh", args),
    /** Leases up to `limit` connections of one provider that are due, each as `claimRefresh` would. */
    claimDue: (args: Args<"claim_due", "idle_ms">) => rows<Lease | Refusal<"claim_due">>("claim_due", args),

    connection: (args: Args<"connection", "user_id">) => first<Connection>("connection", args),

    beginAuthorization: (args: Args<"begin_authorization", "code_verifier_sealed">) =>
      only<Row<"begin_authorization", "expires_at"> & { readonly outcome: "begun" | "too_many" }>(
        "begin_authorization",
        args,
      ),
    /** Stores the sealed code behind a ticket, or with both null the denial. Null: no such request. */
    receiveAuthorizationResponse: (
      args: Args<"receive_authorization_response", "ticket_hash" | "code_sealed">,
    ) => first<Row<"receive_authorization_response">>("receive_authorization_response", args),
    /** Takes the parked request of this ticket, binding and user, once. Null: unknown, refused, expired or someone else's. */
    takeAuthorization: (args: Args<"take_authorization">) =>
      first<TakenAuthorization>("take_authorization", args),
    /** Puts back what this attempt has taken, or ends it, where the code is of no more use. */
    returnAuthorization: (args: Args<"return_authorization">) => call("return_authorization", args),
    /** Writes the connection and its token set, unless a later exchange or its end came first, and erases the request's secrets. */
    connect: (args: Connect) => only<Connection>("connect", args, "id"),

    /** Erases the tokens and leaves the refresh token to be revoked. Null: no such connection of this user. */
    disconnect: (args: Args<"disconnect">) => first<Connection>("disconnect", args),
    /** Erases the tokens of every connection of this account that was connected before `occurred_at`. Returns how many. */
    uninstall: (args: Args<"uninstall", "occurred_at">) => value<number>("uninstall", args),
    /** Up to `limit` refresh tokens to be revoked: of the connection with this id, or of any whose time has come. */
    claimRevocations: (args: Args<"claim_revocations", "id">) =>
      rows<PendingRevocation>("claim_revocations", args),
    /** Erases what was revoked. */
    finishRevocation: (args: Args<"finish_revocation">) => call("finish_revocation", args),

    /** Keeps which providers are offered for `health`. */
    beginSweep: (args: Args<"begin_sweep">) => call("begin_sweep", args),
    /** The key ids under which tokens lie, each with some of them. */
    keysInUse: (args: Args<"keys_in_use">) => rows<SampleOfKey>("keys_in_use", args),
    /** Keeps what did not open for `health`. Returns how many of the provider that are, by key id. */
    markUnreadable: (args: Args<"mark_unreadable">) => rows<Row<"mark_unreadable">>("mark_unreadable", args),
    sealedUnderOtherKeys: (args: Args<"sealed_under_other_keys">) =>
      rows<SealedTokenSet>("sealed_under_other_keys", args),
    /** Replaces the seals if `sealed` is still the refresh token's. */
    reseal: (args: Args<"reseal", "access_token_sealed">) => value<boolean>("reseal", args),
    /** Deletes expired authorization requests, events past their time and tokens of no more use, up to `limit` of each. Returns how many. */
    purge: (args: Args<"purge">) => value<number>("purge", args),
  };
}

/** Calls by what they give: anything, a value, rows, one or none, and exactly one. */
function callsOf(client: Rpc) {
  const call = (name: Name, args: object) => callFunction(client, name, args);
  const value = async <R>(name: Name, args: object) => (await call(name, args) ?? unanswered(name)) as R;
  const rows = async <R>(name: Name, args: object) => {
    const answer = await call(name, args);
    return Array.isArray(answer) ? answer as R[] : unanswered(name);
  };
  const first = async <R>(name: Name, args: object) => (await rows<R>(name, args))[0] ?? null;
  const only = async <R extends object>(name: Name, args: object, field = "outcome") => {
    const row = await first<R>(name, args);
    return row && field in row ? row : unanswered(name);
  };
  return { call, value, rows, first, only };
}

async function callFunction(client: Rpc, name: Name, args: object): Promise<unknown> {
  const { data, error, status } = await client
    .rpc(`oauth_${name}`, named(args))
    .abortSignal(AbortSignal.timeout(CALL_MS));
  if (!error && status < 300) return data;
  throw refusalOf(name, status, error?.code ?? "");
}

/** What is no answer of the function (a page, another's status, a schema not read yet) says nothing of what it did. */
function refusalOf(name: Name, status: number, code: string): Error {
  if (status === 401 || code === "42501") {
    const message = "the database refuses the secret key: check the project's API keys";
    return new PublicError("CONFIGURATION_INVALID", message, { reason: `oauth_${name}: ${status}` });
  }
  // A login outlives its user for as long as its token lasts.
  if (code === "23503") return new PublicError("INVALID_CREDENTIALS", "the user does not exist any more");
  if (status < 500 && REFUSED.test(code)) return new Error(`the database refused oauth_${name} with ${code}`);
  const known = /^\w{1,8}$/.test(code) ? ` ${code}` : "";
  return new PublicError("STORAGE_UNAVAILABLE", "the database does not answer: try again", {
    reason: `oauth_${name}: ${status}${known}`,
  });
}

/** A success without what the function gives; supabase-js also makes one of an empty 404. */
function unanswered(name: Name): never {
  throw refusalOf(name, 200, "");
}

/** Arguments are named after the fields: `seen_version` travels as `p_seen_version`. */
function named(args: object): Declared<Name>["Args"] {
  const fields = Object.entries(args).map(([field, value]) => [`p_${field}`, value] as const);
  return Object.fromEntries(fields) as Declared<Name>["Args"];
}
