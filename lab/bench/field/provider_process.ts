/**
 * A provider that does nothing but wait, check tokens and count, in a process of its own. Fast, so that it is not what
 * is measured; strict, as Pipedrive's status page has it: a refresh token is taken once.
 */
import { LARGE_PAGE, SMALL_PAGE } from "./pages.ts";

/** What a run sets, in milliseconds. */
export interface Delays {
  readonly api_ms: number;
  readonly token_ms: number;
}

/** What was asked since the last look. */
export interface Counts {
  readonly searches: number;
  readonly token_requests: number;
  /** Of them, those whose refresh token had been spent. */
  readonly refused: number;
}

export interface Granted {
  readonly access_token: string;
  readonly refresh_token: string;
}

const EXPIRES_IN_S = 3_600;
const NOTHING: Counts = { searches: 0, token_requests: 0, refused: 0 };

let delays: Delays = { api_ms: 0, token_ms: 0 };
let counts = { ...NOTHING };
let issued = 0;
const access_tokens = new Set<string>();
const refresh_tokens = new Set<string>();

function grant(): Granted {
  issued += 1;
  const tokens = { access_token: `access-${issued}`, refresh_token: `refresh-${issued}` };
  access_tokens.add(tokens.access_token);
  refresh_tokens.add(tokens.refresh_token);
  return tokens;
}

async function search(request: Request, query: URLSearchParams): Promise<Response> {
  counts.searches += 1;
  await wait(delays.api_ms);
  const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
  if (!access_tokens.has(token)) return json({ success: false, error: "unauthorized access" }, 401);
  const page = query.get("limit") === "500" ? LARGE_PAGE : SMALL_PAGE;
  return new Response(page, { headers: { "content-type": "application/json" } });
}

async function token(request: Request): Promise<Response> {
  const form = new URLSearchParams(await request.text());
  counts.token_requests += 1;
  // Spent when it arrives, not when it is answered.
  const good = refresh_tokens.delete(form.get("refresh_token") ?? "");
  await wait(delays.token_ms);
  if (!good) {
    counts.refused += 1;
    return json({ error: "invalid_grant" }, 400);
  }
  const { origin } = new URL(request.url);
  const rest = { token_type: "Bearer", expires_in: EXPIRES_IN_S, scope: "base", api_domain: origin };
  return json({ ...grant(), ...rest });
}

async function control(request: Request): Promise<Response> {
  const { grants = 0, ...set }: Partial<Delays> & { grants?: number } = await request.json();
  delays = { ...delays, ...set };
  const seen = counts;
  counts = { ...NOTHING };
  return json({ counts: seen, granted: Array.from({ length: grants }, grant) });
}

function json(body: unknown, status = 200): Response {
  return Response.json(body, { status });
}

async function wait(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}

if (import.meta.main) {
  const onListen = ({ port }: { port: number }) =>
    console.log(JSON.stringify({ origin: `http://127.0.0.1:${port}` }));
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, (request) => {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/api/v2/persons/search":
        return search(request, searchParams);
      case "/oauth/token":
        return token(request);
      case "/control":
        return control(request);
      default:
        return json({ success: false }, 404);
    }
  });
}
