import { setTimeout as delay } from "node:timers/promises";
import postgres from "postgres";

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]"]);
const MOST_CALLERS = 100;
/** After these a caller comes back, as the contract says: nothing was lost, and nothing reached the provider. */
const COME_BACK = new Set(["REFRESH_IN_PROGRESS", "STORAGE_UNAVAILABLE"]);
const MOST_TURNS = 5;

export interface PageToolsOptions {
  readonly functions_url: string;
  readonly publishable_key: string;
  readonly database_url: string;
}

/**
 * What the page's local panel can do and no API of the project may: move the database's clock for one access token,
 * and ask many times at once, which a browser cannot (it opens six connections to one origin).
 *
 * Only for this machine: the Host must be loopback, the type JSON, and a page asking must be the one served here.
 */
export function createPageTools(options: PageToolsOptions): (request: Request) => Promise<Response> {
  return async (request) => {
    const url = new URL(request.url);
    const origin = request.headers.get("origin");
    if (!LOOPBACK.has(url.hostname) || (origin !== null && origin !== url.origin)) {
      return Response.json({ error: "Only the page on this machine" }, { status: 403 });
    }
    if (request.method !== "POST" || request.headers.get("content-type") !== "application/json") {
      return Response.json({ error: "POST one JSON object" }, { status: 405 });
    }
    const input = await request.json();
    if (url.pathname === "/local/expire") {
      return Response.json({ expired: await expireAccessTokens(options.database_url, input.connection_id) });
    }
    if (url.pathname === "/local/searches") return searches(options, request, input);
    return Response.json({ error: "There is no such tool" }, { status: 404 });
  };
}

/**
 * The access token of this connection, or of all, is over by the database's clock, as it would be in an hour.
 *
 * @returns how many
 */
export async function expireAccessTokens(
  database_url: string,
  connection_id: string | null,
): Promise<number> {
  const sql = postgres(database_url, { max: 1 });
  try {
    const { count } = await sql`update oauth.connections
      set access_expires_at = now() - interval '1 second', refresh_after = now() - interval '5 minutes'
      where id = coalesce(${connection_id}, id) and status = 'active'`;
    return count;
  } finally {
    await sql.end();
  }
}

interface Searches {
  readonly connection_id: string;
  readonly term: string;
  readonly callers: number;
}

/**
 * Sends the searches at once in the asking user's name and tells line by line (NDJSON) when each began and ended.
 * Each caller asks for as many persons as its number is, so that the sandbox's journal tells the callers apart. Where
 * the machine is too slow for all at once, a caller told to come back does.
 */
function searches(
  { functions_url, publishable_key }: PageToolsOptions,
  request: Request,
  { connection_id, term, callers }: Searches,
): Response {
  const headers = {
    authorization: request.headers.get("authorization") ?? "",
    apikey: publishable_key,
    "content-type": "application/json",
  };
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      const tell = (line: object) => controller.enqueue(encoder.encode(JSON.stringify(line) + "\n"));
      const ask = async (caller: number) => {
        tell({ caller, began_at: Date.now() });
        for (let turn = 1;; turn++) {
          const body = JSON.stringify({ connection_id, term, limit: caller });
          const answer = await fetch(`${functions_url}/search-persons`, { method: "POST", headers, body });
          const { code = null, retry_after = 1 } = await answer.json();
          if (turn === MOST_TURNS || !COME_BACK.has(code)) {
            return tell({ caller, ended_at: Date.now(), status: answer.status, code, turn });
          }
          // Not all at the same moment again.
          await delay(1_000 * retry_after * (1 + Math.random()));
        }
      };
      const count = Math.min(callers, MOST_CALLERS);
      const all = await Promise.allSettled(Array.from({ length: count }, (_, place) => ask(place + 1)));
      const lost = all.find((one) => one.status === "rejected");
      if (lost) controller.error(lost.reason);
      else controller.close();
    },
  });
  return new Response(body, {
    headers: { "content-type": "application/x-ndjson", "cache-control": "no-store" },
  });
}
