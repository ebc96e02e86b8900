import { failure, type Functions } from "./functions.ts";
import type { Keys } from "./keys.ts";
import type { Rest } from "./rest.ts";
import { type Refusal, UserTokens } from "./user_tokens.ts";

export interface GatewayOptions {
  keys: Keys;
  rest: Pick<Rest, "fetch">;
  functions: Pick<Functions, "names" | "fetch">;
  /** The gateway's own origin; tokens name `{origin}/auth/v1` as their issuer. */
  origin: string;
}

type Handler = (request: Request) => Promise<Response>;

const JWKS_PATH = "/auth/v1/.well-known/jwks.json";
/** What a JWT in compact form looks like (RFC 7515 §7.1); an `sb_` key as a Bearer does not. */
const BEARER_JWT = /^Bearer ([\w-]+\.[\w-]+\.[\w-]*)$/;

/** One origin for Auth, REST and functions, as a project's `*.supabase.co` is. */
export function createGateway(options: GatewayOptions): Handler {
  const tokens = new UserTokens(options.keys);
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/functions/v1/")) return await toFunction(request, options);
    if (!pathname.startsWith("/auth/v1/") && !pathname.startsWith("/rest/v1/")) return notFound();
    if (request.method === "OPTIONS") return preflight(request);
    if (pathname === JWKS_PATH) return withCors(Response.json(tokens.jwks));
    return withCors(await toRest(request, pathname, options, tokens));
  };
}

/** The function sees the path without `/functions/v1`, and decides about OPTIONS and callers itself. */
async function toFunction(request: Request, { functions }: GatewayOptions): Promise<Response> {
  const path = request.url.slice(request.url.indexOf("/functions/v1/") + "/functions/v1".length);
  const name = /^\/([^/?#]*)/.exec(path)?.[1] ?? "";
  if (!functions.names.includes(name)) {
    return withCors(failure(404, "NOT_FOUND", "Requested function was not found"));
  }
  return await functions.fetch(name, path, request);
}

async function toRest(
  request: Request,
  pathname: string,
  options: GatewayOptions,
  tokens: UserTokens,
): Promise<Response> {
  const headers = new Headers(request.headers);
  useOneSecretKey(headers, options.keys);
  const jwt = BEARER_JWT.exec(headers.get("authorization") ?? "")?.[1];
  if (jwt !== undefined) {
    const inside = await tokens.inward(jwt);
    if ("refused" in inside) return refusal(pathname, inside.refused);
    headers.set("authorization", `Bearer ${inside.token}`);
  }
  const { url, method, body } = request;
  const response = await options.rest.fetch(new Request(url, { method, headers, body }));
  return pathname.startsWith("/auth/v1/") ? await reissued(response, options.origin, tokens) : response;
}

/** The library knows one secret key; the others of this project work like it. */
function useOneSecretKey(headers: Headers, { cron_key, secret_key }: Keys): void {
  for (const [name, prefix] of [["apikey", ""], ["authorization", "Bearer "]] as const) {
    if (headers.get(name) === prefix + cron_key) headers.set(name, prefix + secret_key);
  }
}

/** Auth's answer with its access token signed as hosted ones are. */
async function reissued(response: Response, origin: string, tokens: UserTokens): Promise<Response> {
  if (!response.headers.get("content-type")?.includes("application/json")) return response;
  const text = await response.text();
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  const body = text === "" ? null : JSON.parse(text);
  if (typeof body?.access_token !== "string") return new Response(text, { status: response.status, headers });
  const access_token = await tokens.outward(body.access_token, `${origin}/auth/v1`);
  return new Response(JSON.stringify({ ...body, access_token }), { status: response.status, headers });
}

/** In the words of the service that would have refused: PostgREST, or Auth. */
function refusal(pathname: string, reason: Refusal): Response {
  if (pathname.startsWith("/auth/v1/")) {
    const msg = `invalid JWT: unable to parse or verify signature, token is ${reason}`;
    return Response.json({ code: 403, error_code: "bad_jwt", msg }, {
      status: 403,
      headers: { "x-sb-error-code": "bad_jwt" },
    });
  }
  const [code, message] = reason === "expired"
    ? ["PGRST303", "JWT expired"]
    : ["PGRST301", "No suitable key or wrong key type"];
  return Response.json({ code, details: null, hint: null, message }, { status: 401 });
}

function notFound(): Response {
  return withCors(Response.json({ message: "no Route matched with those values" }, { status: 404 }));
}

function preflight(request: Request): Response {
  const response = new Response(null, { status: 200 });
  response.headers.set("access-control-allow-methods", "GET,HEAD,PUT,PATCH,POST,DELETE,OPTIONS");
  response.headers.set(
    "access-control-allow-headers",
    request.headers.get("access-control-request-headers") ?? "apikey, authorization, content-type",
  );
  response.headers.set("access-control-max-age", "3600");
  return withCors(response);
}

const EXPOSED =
  "Content-Encoding, Content-Location, Content-Range, Content-Type, Date, Location, Preference-Applied";

function withCors(response: Response): Response {
  const headers = new Headers(response.headers);
  headers.set("access-control-allow-origin", "*");
  headers.set("access-control-expose-headers", EXPOSED);
  return new Response(response.body, { status: response.status, headers });
}
