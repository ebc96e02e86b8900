/**
 * What the token module asks of its database, one method per SQL function of `supabase/migrations`.
 *
 * Every method is one transaction. An ordinary no is a value; trouble is a `PublicError` (`STORAGE_UNAVAILABLE`
 * where asking again may help). Times travel as milliseconds from now, so that only the database's clock decides.
 */
export interface Store {
  /** The door: a row of another user is no row. `user_id` null is a secret-key caller. Never waits for a lock. */
  peek(id: string, user_id: string | null, seen_version: number): Promise<Peek | null>;
  claimRefresh(claim: ClaimRequest): Promise<Claim>;
  /** With the expiry of the row as it is after the call. */
  commitRefresh(commit: Commit): Promise<{ outcome: CommitOutcome; access_expires_at: string | null }>;
  failRefresh(failure: Failure): Promise<{ outcome: FailOutcome; retry_in_ms: number }>;
  /** Leases up to `limit` connections of one provider that are due, each as `claimRefresh` would. */
  claimDue(due: ClaimDueRequest): Promise<DueClaim[]>;

  /** What an owner may see, or null. */
  connection(id: string, user_id: string | null): Promise<Connection | null>;
  /** The user's connections at a provider that are not disconnected: id and status, oldest first. */
  connectionsOf(user_id: string, provider: string): Promise<{ id: string; status: Status }[]>;

  beginAuthorization(
    request: NewAuthorizationRequest,
  ): Promise<{ outcome: "begun" | "too_many"; expires_at: string | null }>;
  /** The redirect's one conditional update: stores the sealed code behind a ticket, or the denial. Null: no such request. */
  receiveAuthorizationResponse(response: ReceivedResponse): Promise<{ return_to: string } | null>;
  /** Takes the parked request of this ticket, binding and user, once. Null: unknown, used, expired or someone else's. */
  takeAuthorization(ticket: TakenTicket): Promise<TakenAuthorization | null>;
  /** Puts a taken request back, where the provider gave no final answer and the ticket may be tried again. */
  returnAuthorization(request_id: string): Promise<void>;
  /** Writes the connection and its token set, in place if it exists, and erases the request's secrets. */
  connect(connect: Connect): Promise<Connection>;

  /** Erases the tokens. The sealed refresh token comes back once, to be revoked. Null: no such connection of this user there. */
  disconnect(id: string, user_id: string, provider: string): Promise<Disconnected | null>;
  /** Erases the tokens of every connection of this account that was connected before `occurred_at`. Returns how many. */
  uninstall(provider: string, account_key: string, occurred_at: string | null): Promise<number>;

  /** Up to `limit` token sets sealed under another key than `key_id`. */
  sealedUnderOtherKeys(provider: string, key_id: string, limit: number): Promise<SealedTokenSet[]>;
  /** Replaces the seals if version and key are still those. */
  reseal(reseal: Reseal): Promise<boolean>;
  /** Deletes expired authorization requests and events that were kept for their time, up to `limit` of each. Returns how many. */
  purge(limit: number): Promise<number>;
}

export type Status = "active" | "reauthorization_required" | "disconnected";

/** What an owner may see; the columns of the view `public.oauth_connections`. */
export interface Connection {
  readonly id: string;
  readonly provider: string;
  readonly status: Status;
  readonly account: { readonly id: string; readonly name?: string; readonly email?: string };
  readonly scope: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly access_expires_at: string | null;
}

export interface Disconnected extends Connection {
  readonly refresh_token_sealed: string | null;
}

export interface Peek {
  readonly provider: string;
  readonly status: Status;
  readonly version: number;
  /** Until the access token expires. */
  readonly expires_in_ms: number;
  /** Until it stops being fresh: the leeway before its expiry. */
  readonly fresh_in_ms: number;
  /** Until its soft window begins. */
  readonly refresh_in_ms: number;
  /** Until the present lease ends; 0: nobody holds one. */
  readonly busy_ms: number;
  readonly access_expires_at: string | null;
  /** Null if `version` is not above the version seen. */
  readonly access_token_sealed: string | null;
}

export interface LeaseTimings {
  readonly request_ms: number;
  readonly lease_ms: number;
  readonly settle_ms: number;
}

export interface ClaimRequest extends LeaseTimings {
  readonly id: string;
  readonly seen_version: number;
  readonly force: boolean;
}

export type ClaimOutcome =
  | "fresh"
  | "claimed"
  | "busy"
  | "backoff"
  | "reauthorization_required"
  | "disconnected"
  | "not_found";

export interface Claim {
  readonly outcome: ClaimOutcome;
  readonly version: number;
  readonly lease_id: string | null;
  /** On `busy` until the lease ends, on `backoff` until the next attempt. */
  readonly retry_in_ms: number;
  readonly expires_in_ms: number;
  readonly access_expires_at: string | null;
  /** On `fresh` and `claimed`. */
  readonly access_token_sealed: string | null;
  /** On `claimed` only. */
  readonly refresh_token_sealed: string | null;
}

export interface ClaimDueRequest extends LeaseTimings {
  readonly provider: string;
  readonly limit: number;
  /** Without a commit for this long a connection is due. */
  readonly idle_ms: number;
}

export interface DueClaim extends Claim {
  readonly id: string;
}

export interface Commit {
  readonly id: string;
  readonly lease_id: string;
  readonly base_version: number;
  readonly access_token_sealed: string;
  readonly refresh_token_sealed: string;
  readonly key_id: string;
  /** Null: as before. */
  readonly scope: readonly string[] | null;
  readonly expires_in_ms: number;
  /** What the exchange took; taken off the lifetime. */
  readonly elapsed_ms: number;
}

export type CommitOutcome = "committed" | "already_committed" | "superseded" | "disconnected";

export interface Failure {
  readonly id: string;
  readonly lease_id: string;
  readonly class: "permanent" | "ambiguous" | "transient";
  /** At least this long until the next attempt. */
  readonly wait_ms: number;
  /** What is recorded: an OAuth error code or a word of ours, never the provider's text. */
  readonly code: string;
}

export type FailOutcome = "retry" | "reauthorization_required" | "superseded";

export interface NewAuthorizationRequest {
  /** SHA-256 of `state`, base64url: the request's id. */
  readonly id: string;
  readonly user_id: string;
  readonly provider: string;
  readonly binding_hash: string;
  readonly redirect_uri: string;
  readonly return_to: string;
  readonly code_verifier_sealed: string | null;
  readonly lifetime_ms: number;
  /** Open requests a user may have. */
  readonly limit: number;
}

export interface ReceivedResponse {
  readonly id: string;
  readonly provider: string;
  /** Both null: the authorization was denied. */
  readonly ticket_hash: string | null;
  readonly code_sealed: string | null;
}

export interface TakenTicket {
  readonly provider: string;
  readonly ticket_hash: string;
  readonly binding_hash: string;
  readonly user_id: string;
}

export interface TakenAuthorization {
  readonly id: string;
  readonly redirect_uri: string;
  readonly code_sealed: string;
  readonly code_verifier_sealed: string | null;
}

export interface Connect {
  readonly id: string;
  readonly user_id: string;
  readonly provider: string;
  readonly account_key: string;
  readonly account_name: string | null;
  readonly account_email: string | null;
  readonly scope: readonly string[];
  readonly access_token_sealed: string;
  readonly refresh_token_sealed: string;
  readonly key_id: string;
  readonly expires_in_ms: number;
  readonly elapsed_ms: number;
  /** The taken authorization request, or null for a token set that came another way. */
  readonly request_id: string | null;
}

export interface SealedTokenSet {
  readonly id: string;
  readonly version: number;
  readonly key_id: string;
  readonly access_token_sealed: string;
  readonly refresh_token_sealed: string;
}

export interface Reseal extends SealedTokenSet {
  /** The key of the new seals; `key_id` is the one found. */
  readonly new_key_id: string;
}
