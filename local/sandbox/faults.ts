import {
  apiError,
  gatewayError,
  html,
  invalidClient,
  oauthError,
  scopeMismatch,
  unauthorized,
} from "./bodies.ts";
import type { Call } from "./call.ts";
import { hang } from "./waiting.ts";
import type { World } from "./world.ts";
import type { FaultKind, FaultRequest, FaultTarget, JournalKind } from "./types.ts";

/** The fault that this request meets, if one is waiting for its kind; the oldest first. */
export function takeFault(world: World, kind: JournalKind): FaultRequest | null {
  const fault = world.faults.find((one) => one.times > 0 && meets(one.on, kind));
  if (fault === undefined) return null;
  fault.times -= 1;
  world.faults = world.faults.filter((one) => one.times > 0);
  return fault;
}

function meets(on: FaultTarget, kind: JournalKind): boolean {
  if (on === "token") return kind.startsWith("token:");
  if (on === "api") return kind === "users/me" || kind === "search" || kind === "api:other";
  return on === kind;
}

/** What the caller gets instead of `answer`, which is null if the endpoint was never reached. */
export async function deliver(call: Call, fault: FaultRequest, answer: Response | null): Promise<Response> {
  call.entry.fault = fault.how;
  if (fault.how === "timeout") return await hang(call.world, call.request.signal);
  if (fault.how === "reset") throw connectionReset(call.url);
  if (fault.how === "truncated") return await truncated(call, answer);
  await answer?.body?.cancel();
  const response = FAULTS[fault.how](call);
  if (fault.retry_after !== undefined) response.headers.set("retry-after", String(fault.retry_after));
  return response;
}

type Answering = Exclude<FaultKind, "timeout" | "reset" | "truncated">;

const FAULTS: Record<Answering, (call: Call) => Response> = {
  "401": unauthorized,
  "402": () => apiError(402, "Payment required: company account is not open"),
  "403": () => apiError(403, "You do not have permissions to do this."),
  "403_scope": scopeMismatch,
  "404": () => apiError(404, "Person not found"),
  "429": (call) => gatewayError(429, "request over limit", overLimitHeaders(call)),
  "500": (call) =>
    isToken(call)
      ? oauthError(500, "server_error", "Internal Server Error")
      : apiError(500, "Internal Server Error"),
  "503": () => html(503, "Scheduled maintenance"),
  html_200: () => html(200, "Pipedrive"),
  html_403: () => html(403, "Attention Required! | Cloudflare"),
  empty: () => new Response("", { headers: { "content-type": "application/json" } }),
  redirect: (call) =>
    new Response(null, { status: 302, headers: { location: new URL("/elsewhere", call.url).href } }),
  invalid_client: (call) => invalidClient(call.world.switches.invalid_client_status),
  invalid_grant: () => oauthError(400, "invalid_grant", "Invalid grant: refresh token is invalid"),
  no_access_token: () => Response.json({ token_type: "Bearer", expires_in: 3599 }),
  huge,
};

export function isFaultKind(how: string): how is FaultKind {
  return how in FAULTS || how === "timeout" || how === "reset" || how === "truncated";
}

/** As Deno's fetch rejects when the other side closes the connection without an answer. */
export function connectionReset(url: URL): TypeError {
  const where = `${url.origin}${url.pathname}`;
  return new TypeError(
    `error sending request for url (${where}): client error (SendRequest): connection closed before message completed`,
  );
}

function isToken(call: Call): boolean {
  return call.entry.kind.startsWith("token:");
}

function overLimitHeaders(call: Call): Record<string, string> {
  if (!call.world.switches.rate_headers || isToken(call)) return {};
  const limit = call.world.switches.search_burst ?? 10;
  return { "x-ratelimit-limit": String(limit), "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2" };
}

/** Half of the true answer, or the beginning of one. */
async function truncated(call: Call, answer: Response | null): Promise<Response> {
  const beginning = isToken(call)
    ? '{"access_token":"v1u:AQIBAHj'
    : '{"success":true,"data":{"items":[{"resu';
  const text = answer === null ? beginning : await answer.text();
  const half = answer === null ? text : text.slice(0, Math.floor(text.length / 2));
  return new Response(half, { headers: { "content-type": "application/json" } });
}

const CHUNK_BYTES = 65_536;
const HUGE_CHUNKS = 512;

/** 32 MiB that look like the beginning of JSON, given out only as far as someone reads. */
function huge(): Response {
  const chunk = new TextEncoder().encode("a".repeat(CHUNK_BYTES));
  let sent = 0;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode('{"padding":"')),
    pull: (controller) => {
      if (sent === HUGE_CHUNKS) return controller.close();
      sent += 1;
      controller.enqueue(chunk);
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}
