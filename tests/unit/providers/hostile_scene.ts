/** What is kept of one connection, and a context on it. */
import { beginAuthorization } from "../../../supabase/functions/_shared/connect/begin.ts";
import type { Context } from "../../../supabase/functions/_shared/context.ts";
import { PublicError } from "../../../supabase/functions/_shared/errors.ts";
import { type Store, supabaseStore } from "../../../supabase/functions/_shared/keep/store.ts";
import { sealTokenSet } from "../../../supabase/functions/_shared/keep/token_set.ts";
import type { Client } from "../../../supabase/functions/_shared/oauth/client.ts";
import type { Values } from "../../../supabase/functions/_shared/oauth/values.ts";
import type { Clock } from "../../../supabase/functions/_shared/time.ts";
import { callApi } from "../../../supabase/functions/_shared/use/call_api.ts";
import { contextOn, makeClient, makeKeyring } from "../../support/make.ts";
import { rpcClient } from "../../support/sql_rpc.ts";
import type { Watch } from "./hostile_watch.ts";

export const OWNER = { id: "7d0f8f0e-3c1b-4a57-8f8e-2f0a7a9d1c11", provider: "made-up" };
export const USER = { user_id: "0b9ff0a2-8f5d-4d6a-9f0a-3f1b2c4d5e6f" };
export const keyring = await makeKeyring();

/** No time passes: nothing here waits. */
const STILL: Clock = {
  now: () => 0,
  sleep: (_ms, signal) =>
    new Promise((_, reject) =>
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true })
    ),
};

type Row = Record<string, unknown>;

/**
 * A database that holds one authorization request and one connection, and says yes: what is looked at is what is sent,
 * tens of thousands of times.
 */
export class Stored {
  readonly store: Store = supabaseStore(rpcClient((name, args) => {
    const answer = this.#answers[name.slice("oauth_".length)];
    if (!answer) throw new Error(`${name} was not expected`);
    return Promise.resolve({ data: answer(args), error: null, status: 200 });
  }));
  /** What was stored last, by the function that stored it. */
  readonly last: Record<string, Row> = {};
  /** The connection's row. */
  row: Row = {};

  readonly #answers: Record<string, (args: Row) => unknown> = {
    begin_authorization: (args) => this.#keep("begun", args, [{ outcome: "begun", expires_at: "" }]),
    receive_authorization_response: (args) => this.#keep("parked", args, [{ return_to: "" }]),
    take_authorization: () => [{
      outcome: "taken",
      id: this.last.begun?.p_id,
      redirect_uri: this.last.begun?.p_redirect_uri,
      code_sealed: this.last.parked?.p_code_sealed,
      code_verifier_sealed: this.last.begun?.p_code_verifier_sealed,
    }],
    return_authorization: () => null,
    connect: (args) => this.#keep("stored", args, [{ id: args.p_id }]),
    peek: () => [{ ...this.row, status: "active", version: 1, age_ms: 60_000, busy_ms: 0 }],
    claim_refresh: () => [{ ...this.row, outcome: "claimed", lease_id: "1", version: 1 }],
    commit_refresh: (args) => this.#keep("stored", args, [{ outcome: "committed", access_expires_at: null }]),
    fail_refresh: () => [{ outcome: "retry", retry_in_ms: 60_000, counts: false }],
    claim_revocations: () => [{ ...this.row, outcome: "claimed", connection_id: this.row.id }],
    finish_revocation: () => null,
  };

  #keep(name: string, args: Row, answer: unknown): unknown {
    this.last[name] = args;
    return answer;
  }
}

const CLEAN = ["INVALID_REQUEST", "PROVIDER_RESPONSE_INVALID", "CONFIGURATION_INVALID"];

/** Whether it was done, or refused in words of ours; whatever else is thrown is a fault. */
export async function isDone(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof PublicError && CLEAN.includes(error.code)) return false;
    throw error;
  }
}

export interface Scene {
  readonly context: Context & { readonly reports: unknown[] };
  readonly stored: Stored;
  readonly watch: Watch;
}

export async function sceneOf(watch: Watch, client: Partial<Client>): Promise<Scene> {
  const stored = new Stored();
  const context = await contextOn(stored.store, {
    clock: STILL,
    client: makeClient(client),
    fetch: watch.fetch,
    keyring,
  });
  return { context, stored, watch };
}

/** A value as a definition, a database or an answer may hold it, whatever its type says. */
export const holding = (v: unknown) => ({ v }) as Values;

export async function begin({ context, watch }: Scene, values: Values): Promise<URL> {
  const begun = await beginAuthorization(context, { ...USER, return_to: "https://app.example/", values });
  watch.look(begun.authorization_url);
  return new URL(begun.authorization_url);
}

/** Puts the connection there, as an older version or a restored backup may have left it. */
export async function plant({ stored }: Scene, values: Values, expires_in_ms = 3_600_000): Promise<void> {
  const grant = { access_token: "access-0", refresh_token: "refresh-0", values };
  const sealed = await sealTokenSet(keyring, OWNER, grant);
  const life = { expires_in_ms, fresh_in_ms: expires_in_ms, refresh_in_ms: expires_in_ms };
  stored.row = { ...sealed, ...life, id: OWNER.id, access_expires_at: null };
}

export const call = ({ context }: Scene, base?: string) =>
  callApi(context, { ...USER, connection_id: OWNER.id, path: "/things", base });
