/// <reference lib="dom" />
/**
 * Pipedrive for an application: copy this file. It needs @supabase/supabase-js 2, imports nothing while it runs, and
 * never sees a token of Pipedrive's. In a browser or on a server: whoever `supabase` is signed in as is who asks.
 */
import type { SupabaseClient } from "@supabase/supabase-js";

export interface Connection {
  readonly id: string;
  readonly provider: string;
  readonly status: "active" | "reauthorization_required" | "disconnected";
  readonly account: { readonly id: string; readonly name?: string; readonly email?: string };
  readonly scope: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
  readonly access_expires_at: string | null;
  readonly authorization_expires_at: string | null;
}

export interface Begun {
  readonly authorization_url: string;
  readonly binding: string;
  readonly expires_at: string;
}

export interface Person {
  readonly id: number;
  readonly type?: string;
  readonly name?: string | null;
  readonly emails?: readonly string[] | null;
  readonly phones?: readonly string[] | null;
  readonly owner?: { readonly id?: number } | null;
  readonly organization?: { readonly id?: number; readonly name?: string } | null;
  readonly custom_fields?: readonly unknown[] | null;
  readonly notes?: readonly unknown[] | null;
}

export interface Page {
  readonly success: true;
  readonly data: { readonly items: readonly { readonly result_score?: number; readonly item: Person }[] };
  readonly additional_data?: { readonly next_cursor?: string | null } | null;
}

export interface Search {
  readonly term: string;
  /** A comma list of custom_fields, email, notes, phone, name. */
  readonly fields?: string;
  readonly exact_match?: boolean;
  readonly organization_id?: number;
  readonly include_fields?: "person.picture";
  readonly limit?: number;
  readonly cursor?: string;
  /** Needed only by a user with several connections, and with a secret key. */
  readonly connection_id?: string;
}

/** docs/openapi.json says what each means; the last two are this file's own. Others may be added. */
// deno-fmt-ignore
export type Code =
  | "INVALID_REQUEST" | "MISSING_CREDENTIALS" | "INVALID_CREDENTIALS" | "METHOD_NOT_ALLOWED" | "UNKNOWN_PROVIDER"
  | "AUTHORIZATION_REQUEST_INVALID" | "AUTHORIZATION_DENIED" | "AUTHORIZATION_NOT_STARTED_HERE"
  | "CONNECTION_NOT_FOUND" | "CONNECTION_AMBIGUOUS" | "REAUTHORIZATION_REQUIRED" | "REFRESH_IN_PROGRESS"
  | "REQUEST_NOT_ALLOWED" | "PROVIDER_FORBIDDEN" | "PROVIDER_REJECTED" | "PROVIDER_RATE_LIMITED"
  | "PROVIDER_UNAVAILABLE" | "PROVIDER_RESPONSE_INVALID" | "STORAGE_UNAVAILABLE" | "CONFIGURATION_INVALID"
  | "INTERNAL_ERROR" | "INVALID_JWT" | "INVALID_API_KEY" | "UNUSABLE_CREDENTIAL"
  | "UNREACHABLE" | "POPUP_BLOCKED" | (string & Record<never, never>);

interface Details {
  readonly status?: number;
  readonly retry_after?: number;
  readonly connections?: readonly string[];
}

/** An answer that is not a success. Decide by `code`. */
export class PipedriveError extends Error {
  override readonly name = "PipedriveError";
  readonly code: Code;
  /** 0: no answer came. */
  readonly status: number;
  /** Seconds after which to ask again; asking again is pointless without it. */
  readonly retry_after: number | undefined;
  /** Ids to choose from, with `CONNECTION_AMBIGUOUS`. */
  readonly connections: readonly string[];

  constructor(code: Code, message: string, { status = 0, retry_after, connections = [] }: Details = {}) {
    super(message);
    this.code = code;
    this.status = status;
    this.retry_after = retry_after;
    this.connections = connections;
  }
}

export interface Cancel {
  readonly signal?: AbortSignal;
}

export interface Begin extends Cancel {
  /** A path of the application; on a server an absolute URL, too. Where the browser is, unless given. */
  readonly return_to?: string;
}

interface Invocation extends Cancel {
  readonly body?: Record<string, unknown>;
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly headers?: Record<string, string>;
}

const BINDING = "oauth_binding";
/** The popup's name, which it keeps on its way, and what it calls its message. */
const POPUP = "oauth_popup";

/** Begins, and keeps nothing: on a server, whose caller keeps `binding` in the tab that completes. */
export function begin(
  supabase: SupabaseClient,
  { return_to = here(), ...cancel }: Begin = {},
): Promise<Begun> {
  return invoke(supabase, "oauth-callback/pipedrive/authorize", { body: { return_to }, ...cancel });
}

/** Begins in this tab, which alone can complete. Returns where to send it: `location.assign(await connect(supabase))`. */
export async function connect(supabase: SupabaseClient, options: Begin = {}): Promise<string> {
  const { authorization_url, binding } = await begin(supabase, options);
  sessionStorage.setItem(BINDING, binding);
  return authorization_url;
}

/**
 * Connects in a window of its own. Call it on a click, before anything is awaited, or the browser blocks the window;
 * the page of `return_to` calls `complete`, as ever.
 *
 * @returns null if the user closed the window
 */
export async function connectInPopup(
  supabase: SupabaseClient,
  options: Begin = {},
): Promise<Connection | null> {
  const popup = open("about:blank", POPUP, "popup,width=560,height=760");
  if (popup === null) throw new PipedriveError("POPUP_BLOCKED", "The browser blocked the window");
  try {
    const { authorization_url, binding } = await begin(supabase, options);
    popup.location.replace(authorization_url);
    const answer = await handedOver(popup, options);
    return answer && await finish(supabase, answer, binding, options);
  } finally {
    popup.close();
  }
}

let completing: Promise<Connection | null> | undefined;

/**
 * Completes, on every load of the page named by `return_to`; in a popup, hands over to the window that opened it.
 *
 * @returns null if the page was opened in another way; called twice, both calls get the same
 */
export function complete(supabase: SupabaseClient, options: Cancel = {}): Promise<Connection | null> {
  const answer = takeAnswer();
  const tab: Partial<Window> = globalThis.self;
  if (answer && tab.opener && tab.name === POPUP) {
    tab.opener.postMessage({ [POPUP]: answer }, location.origin);
    tab.close?.();
  } else if (answer) {
    const binding = sessionStorage.getItem(BINDING) ?? "another tab";
    completing = finish(supabase, answer, binding, options).finally(() => completing = undefined);
    sessionStorage.removeItem(BINDING);
  }
  return completing ?? Promise.resolve(null);
}

/** One page of persons. */
export function search(supabase: SupabaseClient, wanted: Search, options: Cancel = {}): Promise<Page> {
  return invoke(supabase, "search-persons", { body: { ...wanted }, ...options });
}

/** All persons, page after page, as long as the loop goes on. */
export async function* searchAll(
  supabase: SupabaseClient,
  wanted: Search,
  options: Cancel = {},
): AsyncGenerator<Person, void, undefined> {
  let cursor = wanted.cursor;
  do {
    const page = await search(supabase, { ...wanted, ...(cursor !== undefined && { cursor }) }, options);
    for (const { item } of page.data.items) yield item;
    cursor = page.additional_data?.next_cursor ?? undefined;
  } while (cursor !== undefined);
}

export interface Call extends Cancel {
  readonly body?: Record<string, unknown>;
  readonly connection_id?: string;
}

/** Whatever a line of supabase/functions/proxy/allowed.ts lets through; `path` may have a query. Answers as the API does. */
export function call<T = unknown>(
  supabase: SupabaseClient,
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  { connection_id, ...options }: Call = {},
): Promise<T> {
  const headers: Record<string, string> = connection_id === undefined
    ? {}
    : { "x-connection-id": connection_id };
  return invoke(supabase, `proxy/pipedrive/${path}`, { method, headers, ...options });
}

/** Ends a connection: revoked at Pipedrive, erased here. */
export async function disconnect(
  supabase: SupabaseClient,
  connection_id: string,
  options: Cancel = {},
): Promise<Connection> {
  const path = "oauth-callback/pipedrive/disconnect";
  const { connection } = await invoke<Connected>(supabase, path, { body: { connection_id }, ...options });
  return connection;
}

/** The user's own connections, straight from the database: row level security shows no others. */
export async function connections(
  supabase: SupabaseClient,
  { signal }: Cancel = {},
): Promise<readonly Connection[]> {
  const query = supabase.from("oauth_connections").select().order("created_at");
  const { data, error, status } = await (signal ? query.abortSignal(signal) : query);
  signal?.throwIfAborted();
  // What PostgREST says has a code.
  const code = error?.code ? "STORAGE_UNAVAILABLE" : "UNREACHABLE";
  if (error) throw new PipedriveError(code, error.message, { status });
  return data;
}

/** Calls again where the answer says that it helps, as often as `times`. */
export async function patiently<T>(
  act: () => Promise<T>,
  { times = 3, signal, sleep = pause }: Cancel & { readonly times?: number; readonly sleep?: typeof pause } =
    {},
): Promise<T> {
  for (let tried = 1;; tried += 1) {
    try {
      return await act();
    } catch (error) {
      const wait = error instanceof PipedriveError ? error.retry_after : undefined;
      if (wait === undefined || tried >= times) throw error;
      await sleep(wait * 1000, signal);
    }
  }
}

interface Connected {
  readonly connection: Connection;
}

interface Answer {
  readonly of: string;
  readonly value: string;
}

/** It stands at the end of the fragment, behind what is the application's own. */
const ANSWER = /(?:^#|[?&])(oauth_ticket|oauth_error)=([^?&]*)$/;

/** What the redirect brought. The address is touched only if it brought something, and keeps all the rest. */
function takeAnswer(): Answer | null {
  if (typeof location === "undefined") return null;
  const [text = "", of = "", value = ""] = ANSWER.exec(location.hash) ?? [];
  if (of === "") return null;
  history.replaceState(history.state, "", location.href.slice(0, -text.length));
  return { of, value };
}

async function finish(
  supabase: SupabaseClient,
  { of, value }: Answer,
  binding: string,
  options: Cancel,
): Promise<Connection> {
  if (of === "oauth_error") throw new PipedriveError(value, "Pipedrive was not connected");
  const path = "oauth-callback/pipedrive/complete";
  const body = { ticket: value, binding };
  const { connection } = await patiently(
    () => invoke<Connected>(supabase, path, { body, ...options }),
    options,
  );
  return connection;
}

/** Heard from that window and this origin alone, whatever others send; null once the window is closed. */
function handedOver(popup: Window, { signal }: Cancel): Promise<Answer | null> {
  const over = new AbortController();
  let looks = 0;
  let timer: ReturnType<typeof setInterval> | undefined;
  return new Promise<Answer | null>((resolve, reject) => {
    const heard = ({ source, origin, data }: MessageEvent) => {
      if (source === popup && origin === location.origin && data?.[POPUP]) resolve(data[POPUP]);
    };
    addEventListener("message", heard, { signal: over.signal });
    // What it said last may arrive after it has closed.
    timer = setInterval(() => popup.closed && ++looks > 2 && resolve(null), 250);
    if (signal?.aborted) reject(signal.reason);
    signal?.addEventListener("abort", () => reject(signal.reason), { signal: over.signal });
  }).finally(() => {
    clearInterval(timer);
    over.abort();
  });
}

/** Without an answer that has been taken already. */
function here(): string {
  return typeof location === "undefined" ? "/" : location.pathname + location.search + location.hash;
}

function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => reject(signal?.reason);
    if (signal?.aborted) stop();
    signal?.addEventListener("abort", () => (clearTimeout(timer), stop()), { once: true });
  });
}

async function invoke<T>(
  supabase: SupabaseClient,
  path: string,
  { signal, ...options }: Invocation,
): Promise<T> {
  const { data, error } = await supabase.functions.invoke(path, { ...options, ...(signal && { signal }) });
  signal?.throwIfAborted();
  // Text, where JSON is answered: somebody in between said it.
  if (!error && (typeof data !== "string" || data === "")) return data;
  throw await errorOf(error?.context, error?.message ?? "The answer is not JSON");
}

/** Of an answer that is not a success, still to be read, or of what happened instead of an answer. */
async function errorOf(answer: unknown, message: string): Promise<PipedriveError> {
  if (!(answer instanceof Response)) return new PipedriveError("UNREACHABLE", message);
  const { status } = answer;
  const said = await answer.json().catch(() => null);
  if (typeof said?.code === "string" && typeof said.message === "string") {
    return new PipedriveError(said.code, said.message, { ...said, status });
  }
  // In Pipedrive's own words, passed on to `call`.
  if (said?.success === false) return new PipedriveError("PROVIDER_REJECTED", String(said.error), { status });
  return new PipedriveError("UNREACHABLE", message, { status });
}
