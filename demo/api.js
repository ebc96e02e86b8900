/** The project as this page uses it: supabase-js, and errors that carry their documented code. */

const EVENTS_SHOWN = 40;
/** How long the page waits to know whom it can connect. */
const OFFER_MS = 5_000;

/** Something that did not work. `code` is one of `sentences.js`, or unknown. */
export class Trouble extends Error {
  constructor(code, { message = "", ...details } = {}) {
    super(message);
    Object.assign(this, details, { code });
  }
}

/** Which project it is. @throws {Trouble} where the page was not told, or supabase-js is not there */
export async function readConfig() {
  try {
    if (!globalThis.supabase) throw new Error("supabase.js was not loaded");
    return await (await fetch("/config.json")).json();
  } catch ({ message }) {
    throw new Trouble("UNREACHABLE", { message });
  }
}

export function openApi({ api_url, publishable_key }) {
  // supabase.js is a classic script: it brings the same API to every page without a bundler.
  const client = globalThis.supabase.createClient(api_url, publishable_key, {
    auth: { detectSessionInUrl: false },
  });
  return {
    client,
    call: (path, body, signal) => call(client, path, body, signal),
    readOffer: () => readOffer(api_url),
    readConnections: () => read(client.from("oauth_connections").select().order("created_at")),
    readEvents: () =>
      read(client.from("oauth_events").select().order("id", { ascending: false }).limit(EVENTS_SHOWN)),
  };
}

/** @throws {Trouble} unless the call was aborted */
async function call(client, path, body, signal) {
  const { data, error } = await client.functions.invoke(path, { body, ...(signal && { signal }) });
  signal?.throwIfAborted();
  const provider = /^oauth-callback\/([^/]+)/.exec(path)?.[1];
  // Not ours: a page that somebody on the way answers with says 200, too.
  if (!error && typeof data !== "object") throw new Trouble("UNREACHABLE", { provider });
  if (!error) return data;
  if (!(error.context instanceof Response)) {
    throw new Trouble("NETWORK", { message: error.message, provider });
  }
  const answer = await error.context.json().catch(() => ({}));
  const request_id = error.context.headers.get("x-request-id");
  throw new Trouble(answer.code ?? "UNREACHABLE", { ...answer, request_id, provider });
}

/** Whom the functions can connect. Anybody may ask: a login that has ended is no hindrance. */
async function readOffer(api_url) {
  const signal = AbortSignal.timeout(OFFER_MS);
  const response = await fetch(`${api_url}/functions/v1/oauth-callback`, { signal }).catch(({ message }) => {
    throw new Trouble("NETWORK", { message });
  });
  const answer = await response.json().catch(() => ({}));
  if (!answer.providers) throw new Trouble(answer.code ?? "UNREACHABLE", answer);
  return answer.providers;
}

/** A select. PostgREST says PGRST301 to PGRST303 where the functions say INVALID_JWT. */
async function read(query) {
  const { data, error, status } = await query;
  if (!error) return data;
  if (status === 401 || /^PGRST30[123]$/.test(error.code)) throw new Trouble("INVALID_JWT", error);
  throw new Trouble(status === 0 ? "NETWORK" : "STORAGE_UNAVAILABLE", { message: error.message });
}
