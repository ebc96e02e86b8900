import { CLIENT } from "./client.ts";
import { Refusal } from "./refusal.ts";
import type { ClientAuthentication } from "./types.ts";

type Format = "form" | "json" | "query";

/**
 * The parameters of a request, each once (RFC 6749 §3.2), in a format that the endpoint takes.
 *
 * @throws {Refusal}
 */
export async function parametersOf(request: Request, formats: readonly Format[]): Promise<URLSearchParams> {
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const text = await request.text();
  const { searchParams: query } = new URL(request.url);
  const format = formats.find((own) => own === "query" ? text === "" : isOf(own, type));
  if (format === undefined) throw invalidRequest(`the body is "${type}"`);
  if (format !== "query" && query.size > 0) throw invalidRequest("the address has a query");
  const read = { query: () => query, form: () => new URLSearchParams(text), json: () => fromJson(text) };
  const found = read[format]();
  for (const name of found.keys()) {
    if (found.getAll(name).length > 1) throw invalidRequest(`"${name}" is there more than once`);
  }
  return found;
}

function isOf(format: "form" | "json", type: string | undefined): boolean {
  return type === (format === "form" ? "application/x-www-form-urlencoded" : "application/json");
}

/** An object of texts. */
function fromJson(text: string): URLSearchParams {
  const object = parsed(text);
  if (typeof object !== "object" || object === null) throw invalidRequest("the body is no object");
  const entries = Object.entries(object);
  const odd = entries.find(([, value]) => typeof value !== "string");
  if (odd) throw invalidRequest(`"${odd[0]}" is no text`);
  return new URLSearchParams(entries);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalidRequest("the body is no JSON");
  }
}

/** @throws {Refusal} */
export function parameter(parameters: URLSearchParams, name: string): string {
  const value = parameters.get(name);
  if (!value) throw invalidRequest(`"${name}" is missing`);
  return value;
}

export function invalidRequest(what: string): Refusal {
  return new Refusal("invalid_request", what);
}

const BASIC = /^Basic ((?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)$/;

/**
 * Judges who the client is: by one way that the endpoint takes, and by one alone (RFC 6749 §2.3).
 *
 * @throws {Refusal}
 */
export function judgeClient(
  ways: readonly ClientAuthentication[],
  headers: Headers,
  parameters: URLSearchParams,
): void {
  const header = headers.get("authorization");
  const [id, secret] = [parameters.get("client_id"), parameters.get("client_secret")];
  if (header !== null && secret !== null) throw invalidRequest("the client authenticates twice");
  const proved = ways.some((way) => {
    const given = way === "body" ? [id, secret] : readBasic(header ?? "", way);
    return given[0] === CLIENT.client_id && given[1] === CLIENT.client_secret;
  });
  if (!proved) throw new Refusal("invalid_client", `the client is not proved by ${ways.join(" or ")}`);
  if (id !== null && id !== CLIENT.client_id) throw new Refusal("invalid_client", '"client_id" is another');
}

/** Id and secret of HTTP Basic (RFC 7617 §2), or form-urlencoded within it (RFC 6749 §2.3.1). */
function readBasic(header: string, way: "basic_raw" | "basic_urlencoded"): readonly (string | null)[] {
  const text = atob(BASIC.exec(header)?.[1] ?? "");
  const colon = text.indexOf(":");
  if (colon < 0) return [];
  const parts = [text.slice(0, colon), text.slice(colon + 1)];
  return way === "basic_raw" ? parts : parts.map(formDecoded);
}

/** Null for what no encoder of a form makes of ASCII. */
function formDecoded(text: string): string | null {
  if (!/^(?:[A-Za-z0-9*._+~-]|%[0-7][0-9A-Fa-f])*$/.test(text)) return null;
  return decodeURIComponent(text.replaceAll("+", " "));
}
