import { answerApi } from "./api.ts";
import { answerAuthorize } from "./authorize.ts";
import { html } from "./bodies.ts";
import { type Call, refuse } from "./call.ts";
import { deliver, takeFault } from "./faults.ts";
import { credentialsOf, record } from "./journal.ts";
import { answerRevoke } from "./revoke.ts";
import { answerToken } from "./token.ts";
import { wait } from "./waiting.ts";
import type { World } from "./world.ts";
import type { FaultRequest, JournalKind } from "./types.ts";

/** Answers one request: fault, endpoint, latency, in that order. Rejects as a failed connection does. */
export async function route(world: World, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const form = await formOf(request);
  const kind = kindOf(url.pathname, form);
  const credentials = credentialsOf(request.headers, form);
  const entry = record(world, { method: request.method, path: url.pathname, kind, credentials });
  const call: Call = { world, request, url, form, entry };
  if (!kind.startsWith("token:")) return await answer(call);
  entry.grant = KNOWN_GRANTS.find((grant) => grant === form?.get("grant_type")) ?? "other";
  const tallies = world.tallies;
  tallies.open += 1;
  tallies.peak = Math.max(tallies.peak, tallies.open);
  try {
    return await answer(call);
  } finally {
    tallies.open -= 1;
  }
}

const KNOWN_GRANTS = ["authorization_code", "refresh_token", "exchange_api_token"];

async function answer(call: Call): Promise<Response> {
  const { world, entry } = call;
  const fault = takeFault(world, entry.kind);
  const response = fault === null ? endpoint(call) : await faulty(call, fault);
  await wait(world, latencyOf(call), call.request.signal);
  entry.status = response.status;
  return response;
}

/** Either the endpoint never sees the request, or it acts and its answer is lost. */
async function faulty(call: Call, fault: FaultRequest): Promise<Response> {
  call.entry.outcome = "not_reached";
  return await deliver(call, fault, fault.after_rotation ? endpoint(call) : null);
}

function endpoint(call: Call): Response {
  const { kind } = call.entry;
  if (kind === "authorize") return answerAuthorize(call);
  if (kind.startsWith("token:")) return answerToken(call);
  if (kind === "revoke") return answerRevoke(call);
  if (kind !== "other") return answerApi(call);
  if (call.url.pathname === "/elsewhere") return refuse(call, "elsewhere", html(200, "Somewhere else"));
  return refuse(call, "unknown_route", html(404, "Not found"));
}

function latencyOf(call: Call): number {
  const { kind } = call.entry;
  if (kind.startsWith("token:")) return call.world.switches.token_latency_ms;
  return kind === "users/me" || kind === "search" ? call.world.switches.api_latency_ms : 0;
}

function kindOf(path: string, form: URLSearchParams | null): JournalKind {
  if (path === "/oauth/authorize") return "authorize";
  if (path === "/oauth/revoke") return "revoke";
  if (path === "/oauth/token" || path === "/oauth/token/") {
    const grant = form?.get("grant_type");
    if (grant === "refresh_token") return "token:refresh";
    return grant === "authorization_code" ? "token:exchange" : "token:other";
  }
  if (/^(\/api)?\/v1\/users\/me$/.test(path)) return "users/me";
  if (/^(\/api)?\/v[12]\/persons\/search$/.test(path)) return "search";
  return /^(\/api)?\/v[12]\//.test(path) ? "api:other" : "other";
}

async function formOf(request: Request): Promise<URLSearchParams | null> {
  const type = request.headers.get("content-type") ?? "";
  const text = await request.text();
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type) ? new URLSearchParams(text) : null;
}
