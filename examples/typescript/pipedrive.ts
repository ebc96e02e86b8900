/**
 * Pipedrive for a front end: copy this file. It needs @supabase/supabase-js 2 and a signed-in user, and never sees a
 * token of Pipedrive's.
 */
import { FunctionsHttpError, type SupabaseClient } from "@supabase/supabase-js";

export interface Connection {
  readonly id: string;
  readonly provider: string;
  readonly status: "active" | "reauthorization_required" | "disconnected";
  readonly account: { readonly id: string; readonly name?: string; readonly email?: string };
  readonly scope: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly access_expires_at: string | null;
}

export interface Person {
  readonly id: number;
  readonly name: string | null;
  readonly emails?: readonly string[] | null;
  readonly phones?: readonly string[] | null;
  readonly organization?: { readonly name?: string } | null;
}

export interface Page {
  readonly data: { readonly items: readonly { readonly item: Person }[] };
  readonly additional_data?: { readonly next_cursor?: string | null } | null;
}

export interface Search {
  readonly term: string;
  /** A comma list of custom_fields, email, notes, phone, name. */
  readonly fields?: string;
  readonly exact_match?: boolean;
  readonly organization_id?: number;
  readonly limit?: number;
  readonly cursor?: string;
  /** Needed only by a user with several connections. */
  readonly connection_id?: string;
}

/** An answer that is not a success. Decide by `code`; docs/openapi.json lists them. */
export class PipedriveError extends Error {
  override readonly name = "PipedriveError";
  constructor(
    readonly code: string,
    message: string,
    /** 0: no answer came. */
    readonly status = 0,
    /** Seconds after which to ask again; asking again is pointless without it. */
    readonly retry_after?: number,
    /** Ids to choose from, with `CONNECTION_AMBIGUOUS`. */
    readonly connections: readonly string[] = [],
  ) {
    super(message);
  }
}

/** Begins: returns where to send the browser. `binding` stays in this tab, so that only this tab can complete. */
export async function connect(supabase: SupabaseClient, return_to = "/"): Promise<string> {
  const path = "oauth-callback/pipedrive/authorize";
  const begun = await invoke<{ authorization_url: string; binding: string }>(supabase, path, { return_to });
  sessionStorage.setItem("oauth_binding", begun.binding);
  return begun.authorization_url;
}

/**
 * Completes, on every load of the page named by `return_to`.
 *
 * @param hash `location.hash`; remove it from the address bar afterwards
 * @returns null if the page was opened in another way
 */
export async function complete(supabase: SupabaseClient, hash: string): Promise<Connection | null> {
  const answer = new URLSearchParams(hash.slice(1));
  const refused = answer.get("oauth_error");
  if (refused !== null) throw new PipedriveError(refused, "Pipedrive was not connected");
  const ticket = answer.get("oauth_ticket");
  if (ticket === null) return null;
  const binding = sessionStorage.getItem("oauth_binding") ?? "another tab";
  const path = "oauth-callback/pipedrive/complete";
  const { connection } = await invoke<{ connection: Connection }>(supabase, path, { ticket, binding });
  sessionStorage.removeItem("oauth_binding");
  return connection;
}

/** One page of persons. */
export function search(supabase: SupabaseClient, search: Search): Promise<Page> {
  return invoke(supabase, "search-persons", search);
}

/** All persons, page after page, as long as the loop goes on. */
export async function* searchAll(supabase: SupabaseClient, wanted: Search): AsyncGenerator<Person> {
  let cursor = wanted.cursor;
  do {
    const page = await search(supabase, { ...wanted, ...(cursor !== undefined && { cursor }) });
    for (const { item } of page.data.items) yield item;
    cursor = page.additional_data?.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

/** Ends a connection: revoked at Pipedrive, erased here. */
export async function disconnect(supabase: SupabaseClient, connection_id: string): Promise<Connection> {
  const path = "oauth-callback/pipedrive/disconnect";
  return (await invoke<{ connection: Connection }>(supabase, path, { connection_id })).connection;
}

/** The user's own connections, straight from the database: row level security shows no others. */
export async function connections(supabase: SupabaseClient): Promise<readonly Connection[]> {
  const { data, error } = await supabase.from("oauth_connections").select().order("created_at");
  if (error) throw new PipedriveError("STORAGE_UNAVAILABLE", error.message);
  return data;
}

/** Calls again where the answer says that it helps, as often as `times`. */
export async function patiently<T>(
  call: () => Promise<T>,
  times = 3,
  sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms)),
): Promise<T> {
  for (let tried = 1;; tried += 1) {
    try {
      return await call();
    } catch (error) {
      const wait = error instanceof PipedriveError ? error.retry_after : undefined;
      if (wait === undefined || tried >= times) throw error;
      await sleep(wait * 1000);
    }
  }
}

async function invoke<T>(supabase: SupabaseClient, path: string, body: object): Promise<T> {
  const { data, error } = await supabase.functions.invoke(path, { body });
  if (!error) return data;
  // Any status but 2xx; the body is still to be read. Everything else is the network's, or the gateway's.
  if (!(error instanceof FunctionsHttpError)) throw new PipedriveError("UNREACHABLE", error.message);
  const answer: Response = error.context;
  const { code, message, retry_after, connections } = await answer.json();
  throw new PipedriveError(code, message, answer.status, retry_after, connections);
}
