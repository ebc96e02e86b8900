import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import type { Clock } from "../../supabase/functions/_shared/time.ts";
import type * as rows from "../../supabase/functions/_shared/keep/store.ts";
import type { Store } from "../../supabase/functions/_shared/keep/store.ts";
import * as authorizations from "./fake_store/authorizations.ts";
import * as connections from "./fake_store/connections.ts";
import {
  assertConsistent,
  type AuthorizationRow,
  type ConnectionRow,
  type EventRow,
  FakeDatabase,
} from "./fake_store/database.ts";
import * as refreshing from "./fake_store/refreshing.ts";
import type { MsAgo } from "./store_contract/story.ts";

/** A call that waits at the database's door until the test lets it in. */
export interface Held {
  /** Resolves when the call has arrived. */
  readonly arrived: Promise<void>;
  release(): void;
}

/** The SQL functions in memory: the same promises as the migrations keep, by the same contract. */
export class FakeStore implements Store {
  /** The methods called so far, in order. */
  readonly calls: (keyof Store)[] = [];
  readonly #database: FakeDatabase;
  readonly #failures: { method: keyof Store; when: "before" | "after" }[] = [];
  readonly #holds: { method: keyof Store; arrive: () => void; released: Promise<void> }[] = [];

  constructor(clock: Clock, random: () => number = () => 0.5) {
    this.#database = new FakeDatabase(clock, random);
  }

  /** The row as it is stored, tokens sealed. */
  row(id: string): ConnectionRow {
    const row = this.#database.connections.get(id);
    if (!row) throw new Error(`no connection ${id}`);
    return structuredClone(row);
  }

  authorization(id: string): AuthorizationRow | null {
    return structuredClone(this.#database.authorizations.get(id) ?? null);
  }

  events(): readonly EventRow[] {
    return structuredClone(this.#database.events);
  }

  /** Moves times of a connection, or of an authorization request (`expires_at`), into the past. */
  backdate(id: string, ms_ago: MsAgo): void {
    if (ms_ago.expires_at !== undefined) return this.expireAuthorization(id, ms_ago.expires_at);
    const row = this.#database.connections.get(id);
    if (!row) throw new Error(`no connection ${id}`);
    const times = Object.entries(ms_ago).map(([column, ms]) => [column, this.#database.now() - ms]);
    const moved = { ...row, ...Object.fromEntries(times) };
    if (ms_ago.refresh_after === undefined && moved.refresh_after > moved.access_expires_at) {
      moved.refresh_after = moved.access_expires_at; // the soft window precedes the expiry, wherever that goes
    }
    assertConsistent(moved);
    this.#database.connections.set(id, moved);
  }

  expireAuthorization(id: string, ms_ago = 1): void {
    const row = this.#database.authorizations.get(id);
    if (!row) throw new Error(`no authorization request ${id}`);
    row.expires_at = this.#database.now() - ms_ago;
  }

  /** As if all events so far had been recorded this much earlier. */
  backdateEvents(ms_ago: number): void {
    for (const event of this.#database.events) event.at -= ms_ago;
  }

  /** `before`: the call never reaches the database. `after`: it does, and its answer is lost. */
  failNext(method: keyof Store, times = 1, when: "before" | "after" = "before"): void {
    for (let n = 0; n < times; n += 1) this.#failures.push({ method, when });
  }

  /** Holds the next call of `method` at the door. */
  hold(method: keyof Store): Held {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#holds.push({ method, arrive: arrived.resolve, released: released.promise });
    return { arrived: arrived.promise, release: released.resolve };
  }

  peek(id: string, user_id: string | null, seen_version: number): Promise<rows.Peek | null> {
    return this.#call("peek", (database) => refreshing.peek(database, id, user_id, seen_version));
  }
  claimRefresh(claim: rows.ClaimRequest): Promise<rows.Claim> {
    return this.#call("claimRefresh", (database) => refreshing.claimRefresh(database, claim));
  }
  commitRefresh(
    commit: rows.Commit,
  ): Promise<{ outcome: rows.CommitOutcome; access_expires_at: string | null }> {
    return this.#call("commitRefresh", (database) => refreshing.commitRefresh(database, commit));
  }
  failRefresh(failure: rows.Failure): Promise<{ outcome: rows.FailOutcome; retry_in_ms: number }> {
    return this.#call("failRefresh", (database) => refreshing.failRefresh(database, failure));
  }
  claimDue(due: rows.ClaimDueRequest): Promise<rows.DueClaim[]> {
    return this.#call("claimDue", (database) => refreshing.claimDue(database, due));
  }
  connection(id: string, user_id: string | null): Promise<rows.Connection | null> {
    return this.#call("connection", (database) => connections.connection(database, id, user_id));
  }
  connectionsOf(user_id: string, provider: string): Promise<{ id: string; status: rows.Status }[]> {
    return this.#call("connectionsOf", (database) => connections.connectionsOf(database, user_id, provider));
  }
  beginAuthorization(
    request: rows.NewAuthorizationRequest,
  ): Promise<{ outcome: "begun" | "too_many"; expires_at: string | null }> {
    return this.#call(
      "beginAuthorization",
      (database) => authorizations.beginAuthorization(database, request),
    );
  }
  receiveAuthorizationResponse(response: rows.ReceivedResponse): Promise<{ return_to: string } | null> {
    return this.#call(
      "receiveAuthorizationResponse",
      (database) => authorizations.receiveAuthorizationResponse(database, response),
    );
  }
  takeAuthorization(ticket: rows.TakenTicket): Promise<rows.TakenAuthorization | null> {
    return this.#call("takeAuthorization", (database) => authorizations.takeAuthorization(database, ticket));
  }
  returnAuthorization(request_id: string): Promise<void> {
    return this.#call(
      "returnAuthorization",
      (database) => authorizations.returnAuthorization(database, request_id),
    );
  }
  connect(connect: rows.Connect): Promise<rows.Connection> {
    return this.#call("connect", (database) => connections.connect(database, connect));
  }
  disconnect(id: string, user_id: string, provider: string): Promise<rows.Disconnected | null> {
    return this.#call("disconnect", (database) => connections.disconnect(database, id, user_id, provider));
  }
  uninstall(provider: string, account_key: string, occurred_at: string | null): Promise<number> {
    return this.#call(
      "uninstall",
      (database) => connections.uninstall(database, provider, account_key, occurred_at),
    );
  }
  sealedUnderOtherKeys(provider: string, key_id: string, limit: number): Promise<rows.SealedTokenSet[]> {
    return this.#call(
      "sealedUnderOtherKeys",
      (database) => connections.sealedUnderOtherKeys(database, provider, key_id, limit),
    );
  }
  reseal(reseal: rows.Reseal): Promise<boolean> {
    return this.#call("reseal", (database) => connections.reseal(database, reseal));
  }
  purge(limit: number): Promise<number> {
    return this.#call(
      "purge",
      (database) => database.purgeEvents(limit) + authorizations.purgeAuthorizationRequests(database, limit),
    );
  }

  /** One transaction: all of it at one moment. What comes back is a copy, as it is from a database. */
  async #call<T>(method: keyof Store, transaction: (database: FakeDatabase) => T): Promise<T> {
    this.calls.push(method);
    await Promise.resolve();
    const hold = takeFirst(this.#holds, (hold) => hold.method === method);
    hold?.arrive();
    await hold?.released;
    const failure = takeFirst(this.#failures, (failure) => failure.method === method);
    if (failure?.when === "before") throw unavailable();
    const result = structuredClone(transaction(this.#database));
    if (failure?.when === "after") throw unavailable();
    return result;
  }
}

function takeFirst<T>(list: T[], matches: (item: T) => boolean): T | undefined {
  const index = list.findIndex(matches);
  return index < 0 ? undefined : list.splice(index, 1)[0];
}

function unavailable(): PublicError {
  return new PublicError("STORAGE_UNAVAILABLE", "the database cannot be reached", { retry_after: 1 });
}
