import { answerApi } from "./api.ts";
import { answerAuthorize } from "./authorize.ts";
import { html, Refusal } from "./answers.ts";
import { deliver, takeFault } from "./faults.ts";
import type { JournalEntry, JournalKind } from "./journal.ts";
import { marketplacePage } from "./marketplace.ts";
import { answerRevoke } from "./revoke.ts";
import { answerToken } from "./token.ts";
import { wait } from "./waiting.ts";
import type { World } from "./world.ts";

/** One request on its way through the sandbox. */
export interface Call {
  readonly world: World;
  readonly request: Request;
  readonly url: URL;
  /** The body, if it is a form; null if there is none or it is something else. */
  readonly form: URLSearchParams | null;
  readonly entry: JournalEntry;
}

const HUNG_UP = 499;

/** Answers one request: fault, endpoint, latency, in that order. Rejects as a failed connection does. */
export async function answer(world: World, request: Request): Promise<Response> {
  const url = new URL(request.url);
  const form = await formOf(request);
  const entry: JournalEntry = {
    kind: kindOf(url.pathname, form),
    at: world.now(),
    status: null,
    outcome: "pending",
  };
  world.journal.push(entry);
  const call: Call = { world, request, url, form, entry };
  try {
    const fault = takeFault(world, entry.kind);
    const response = fault === null ? endpoint(call) : await deliver(call, fault);
    world.keep();
    await wait(call, latencyOf(call));
    entry.status = response.status;
    return response;
  } catch (error) {
    if (request.signal.aborted) entry.status = HUNG_UP;
    throw error;
  }
}

function endpoint(call: Call): Response {
  const { kind } = call.entry;
  call.entry.outcome = "ok";
  try {
    if (kind === "marketplace") return marketplacePage(call.world);
    if (kind === "authorize") return answerAuthorize(call);
    if (kind.startsWith("token:")) return answerToken(call);
    if (kind === "revoke") return answerRevoke(call);
    if (kind !== "other") return answerApi(call);
    throw new Refusal("unknown_route", html(404, "Not found"));
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    call.entry.outcome = error.outcome;
    return error.response;
  }
}

function latencyOf({ world, entry }: Call): number {
  if (entry.kind.startsWith("token:")) return world.switches.token_latency_ms;
  return entry.kind === "users/me" || entry.kind === "search" ? world.switches.api_latency_ms : 0;
}

function kindOf(path: string, form: URLSearchParams | null): JournalKind {
  if (path === "/") return "marketplace";
  if (path === "/oauth/authorize") return "authorize";
  if (path === "/oauth/revoke") return "revoke";
  if (path === "/oauth/token" || path === "/oauth/token/") {
    const grant = form?.get("grant_type");
    if (grant === "refresh_token") return "token:refresh";
    return grant === "authorization_code" ? "token:exchange" : "token:other";
  }
  if (/^(\/api)?\/v1\/users\/me$/.test(path)) return "users/me";
  if (path === "/api/v2/persons/search") return "search";
  return /^(\/api)?\/v[12]\//.test(path) ? "api:other" : "other";
}

async function formOf(request: Request): Promise<URLSearchParams | null> {
  const type = request.headers.get("content-type") ?? "";
  const text = await request.text();
  return /^application\/x-www-form-urlencoded\s*(;|$)/i.test(type) ? new URLSearchParams(text) : null;
}
