import {
  apiError,
  gatewayError,
  html,
  invalidClient,
  oauthError,
  overLimit,
  scopeMismatch,
  unauthorized,
} from "./answers.ts";
import type { JournalKind } from "./journal.ts";
import type { Call } from "./router.ts";
import { hang } from "./waiting.ts";
import type { World } from "./world.ts";

/** What one request gets instead of its answer. The endpoint never sees it. */
export interface Fault {
  readonly on: "token" | "token:refresh" | "token:exchange" | "api" | "users/me" | "search" | "revoke";
  readonly how: FaultKind;
  /** How many requests, 1 unless told otherwise. */
  times?: number;
  /** `Retry-After`, as a number of seconds or verbatim. */
  readonly retry_after?: number | string;
}

/** The fault that this request meets, if one is waiting for its kind; the oldest first. */
export function takeFault(world: World, kind: JournalKind): Fault | null {
  const fault = world.faults.find(({ on }) => meets(on, kind));
  if (fault === undefined) return null;
  fault.times = (fault.times ?? 1) - 1;
  world.faults = world.faults.filter(({ times }) => times !== 0);
  return fault;
}

function meets(on: Fault["on"], kind: JournalKind): boolean {
  if (on === "token") return kind.startsWith("token:");
  if (on === "api") return kind === "users/me" || kind === "search" || kind === "api:other";
  return on === kind;
}

export async function deliver(call: Call, { how, retry_after }: Fault): Promise<Response> {
  call.entry.outcome = how;
  const response = await FAULTS[how](call);
  if (retry_after !== undefined) response.headers.set("retry-after", String(retry_after));
  return response;
}

export type FaultKind = keyof typeof FAULTS;

export const FAULTS = {
  "401": unauthorized,
  "402": () => apiError(402, "Payment required: company account is not open"),
  "403": () => apiError(403, "You do not have permissions to do this."),
  "403_scope": scopeMismatch,
  "404": () => apiError(404, "Person not found"),
  "429": (call: Call) => isToken(call) ? overLimit() : gatewayError(429, "request over limit", OVER),
  "500": (call: Call) =>
    isToken(call)
      ? oauthError(500, "server_error", "Internal Server Error")
      : apiError(500, "Internal Server Error"),
  "503": () => html(503, "Scheduled maintenance"),
  /** Never answers; ends when the caller hangs up. */
  timeout: hang,
  reset: ({ url }: Call) => Promise.reject(unanswered(url, "(SendRequest): connection closed")),
  html_200: () => html(200, "Pipedrive"),
  html_403: () => html(403, "Attention Required! | Cloudflare"),
  empty: () => json(""),
  truncated: (call: Call) =>
    json(isToken(call) ? '{"access_token":"v1u:AQIBAHj' : '{"success":true,"data":{"items":[{"resu'),
  redirect: ({ url }: Call) =>
    new Response(null, { status: 302, headers: { location: new URL("/elsewhere", url).href } }),
  invalid_client: () => invalidClient(401),
  no_access_token: () => Response.json({ token_type: "Bearer", expires_in: 3599 }),
  huge: () => json(huge()),
};

/** A search's limit, used up; the rest of the window is a number of seconds, not a time. */
const OVER = { "x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2" };

/** As Deno's fetch rejects when there is no answer. */
export function unanswered({ origin, pathname }: URL, why: string): TypeError {
  return new TypeError(`error sending request for url (${origin}${pathname}): client error ${why}`);
}

function isToken(call: Call): boolean {
  return call.entry.kind.startsWith("token:");
}

function json(body: BodyInit): Response {
  return new Response(body, { headers: { "content-type": "application/json" } });
}

const CHUNK_BYTES = 65_536;
const HUGE_CHUNKS = 512;

/** 32 MiB that look like the beginning of JSON, given out only as far as someone reads. */
function huge(): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const chunk = encoder.encode("a".repeat(CHUNK_BYTES));
  let left = HUGE_CHUNKS;
  return new ReadableStream({
    start: (controller) => controller.enqueue(encoder.encode('{"padding":"')),
    pull: (controller) => left-- > 0 ? controller.enqueue(chunk) : controller.close(),
  });
}
