import type { Call, Judgement } from "../../supabase/functions/proxy/policy.ts";
import { BASES, LISTED, type Listed } from "./lists.ts";
import { QUERY_READERS, SERVERS } from "./servers.ts";

/** What a caller must not say, whatever the line. */
const FORBIDDEN = new Set([
  ...["access_token", "api_token", "apikey", "api_key", "token", "oauth_token", "client_secret"],
  ...["_method", "x-http-method-override"],
]);

/** A line as two expressions: for who tells capitals apart, and for who does not. */
const LINES = LISTED.map((line) => ({
  ...line,
  exact: new RegExp(line.pattern),
  insensitive: new RegExp(line.pattern, "i"),
}));

type Allowed = Extract<Judgement, { allowed: true }>;

/**
 * What would go wrong if the call were sent: to another host, to an address that was not compared, to a resource that
 * is not on the list as some server reads it, or with a parameter that is not a caller's. Null: nothing.
 */
export function harm(call: Call, { search, changes }: Allowed): string | null {
  const base = BASES[call.base ?? ""];
  if (call.provider !== "acme" || base === undefined) return "it goes to nobody's base";
  return misaddressed(base, call.path, search) ?? misread(base, call, changes) ?? misnamed(search);
}

/** However the address is put together, it is the base's, with what was compared. */
function misaddressed(base: string, path: string, search: string): string | null {
  const { host, origin, pathname } = new URL(base);
  const whole = pathname.replace(/\/$/, "") + path;
  const set = new URL(base);
  set.pathname = whole;
  set.search = search;
  const addresses = [
    set,
    parsed(() => new URL(origin + whole + search)),
    parsed(() => new URL(whole + search, origin)),
  ];
  for (const address of addresses) {
    if (address === null) return "it is no address";
    if (address.host !== host || address.username !== "") return `it goes to ${address}`;
    const same = address.pathname === whole && address.search === search && address.hash === "";
    if (!same) return `what is sent is ${address}`;
  }
  return null;
}

function misread(base: string, call: Call, changes: boolean): string | null {
  const root = new URL(base).pathname.replace(/\/$/, "");
  for (const { name, read, insensitive = false } of SERVERS) {
    const whole = parsed(() => read(root + call.path))?.replace(/\/$/, "") ?? null;
    if (whole === null) continue;
    const lines = whole.startsWith(root) ? linesFor(call, whole.slice(root.length), insensitive) : [];
    if (!lines.some(({ caller }) => caller === call.caller)) return `${name} reads ${JSON.stringify(whole)}`;
    const unmarked = !changes && (!isRead(call) || lines.some((line) => line.changes));
    if (unmarked) return `${name} changes something at ${JSON.stringify(whole)}`;
  }
  return null;
}

/** The lines that name the resource, whoever may call it. */
function linesFor(call: Call, resource: string, insensitive: boolean): readonly Listed[] {
  return LINES.filter((line) =>
    line.base === (call.base ?? "") && (insensitive ? line.insensitive : line.exact).test(resource) &&
    (line.method === call.method || (line.method === "GET" && call.method === "HEAD"))
  );
}

function isRead({ method }: Call): boolean {
  return method === "GET" || method === "HEAD";
}

function misnamed(search: string): string | null {
  if (search === "") return null;
  for (const { name, read } of QUERY_READERS) {
    const found = read(search.slice(1)).find((parameter) => FORBIDDEN.has(parameter.toLowerCase()));
    if (found !== undefined) return `${name} reads the parameter "${found}"`;
  }
  return null;
}

/** What cannot be decoded, or parsed, is answered 400. */
function parsed<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
