import { couldMean, type Line, matches, mistakeIn, type Parts, partsOf, readLine } from "./line.ts";
import { namesIn, readingOf, type Rule, RULES } from "./rules.ts";

/** By a provider's name: the lines that pass. */
export type Lines = Readonly<Record<string, readonly string[]>>;

/** What an application lets through, written as `allowed.ts` says. */
export interface Policy {
  readonly users: Lines;
  readonly secret_keys: Lines;
}

/** What of the definitions lines are held against, by a provider's name. */
export type Definitions = ReadonlyMap<string, {
  readonly api: {
    readonly bases: Readonly<Record<string, unknown>>;
    /** Paths whose GET changes something: lines without a method. */
    readonly changing_gets: readonly string[];
  };
}>;

type ByProvider = ReadonlyMap<string, readonly Line[]>;

/** A policy that was checked. Made by `compile`. */
export interface Compiled {
  readonly user: ByProvider;
  readonly secret: ByProvider;
  /** The GETs that change something, whoever calls. */
  readonly changing: ByProvider;
}

/** Where a call goes, as its address says: nothing is decoded. */
export interface Target {
  readonly provider: string;
  /** One of the definition's `bases`; undefined: its `base`. */
  readonly base?: string;
  /** Below the base. */
  readonly path: string;
  /** With its question mark; empty: there is none. */
  readonly search: string;
}

export interface Call extends Target {
  readonly caller: "user" | "secret";
  readonly method: string;
}

export type Judgement =
  | {
    readonly allowed: true;
    /** It waits until the connection is known to be there, and is never repeated. */
    readonly changes: boolean;
    /** The query as it is sent. */
    readonly search: string;
  }
  /** `why`: in words of our own, for the log. */
  | { readonly allowed: false; readonly why: string };

/** Why what breaks no rule is refused. */
export const NO_LINE = "no line of policy lets it through";

/**
 * After the function's name, which the platform passes with `/functions/v1` in front or without it: a provider, a colon
 * and the name of one of its bases if it is not the first, the path, and the query.
 */
const ADDRESS = /^[a-z]+:\/\/[^/?#]*(?:\/functions\/v1)?\/proxy\/([^/?#:]+)(?::([^/?#]*))?([^?]*)(\?.*)?$/s;
/** The platform's own parameter, https://supabase.com/docs/guides/functions/regional-invocation. */
const REGION = "forceFunctionRegion";

/**
 * Reads `/proxy/{provider}/{path}?{query}`, or `/proxy/{provider}:{base}/{path}?{query}`. An address that names no
 * provider has an empty one, which no line is for.
 *
 * Path and query are cut out of `request.url` as they stand there. A runtime that has parsed the address has resolved
 * its dot segments, turned backslashes into slashes and encoded what it would not send: what a caller wrote before that
 * is gone, may even have named another provider, and counts for nothing, since what is left is both compared and sent.
 * One that hands over the request's line as it came changes nothing here: `judge` refuses what a parser would write
 * otherwise.
 *
 * @example
 * ```ts
 * target(new Request("https://x.supabase.co/functions/v1/proxy/google:gmail/gmail/v1/users/me/labels?fields=labels"));
 * // { provider: "google", base: "gmail", path: "/gmail/v1/users/me/labels", search: "?fields=labels" }
 * ```
 */
export function target({ url }: Pick<Request, "url">): Target {
  const [, provider = "", base, path = "", search = ""] = ADDRESS.exec(url) ?? [];
  return { provider, base, path, search };
}

/**
 * The policy, read and checked: what is wrong with it nobody finds out by being refused.
 *
 * @throws {TypeError} naming the provider, the line and what it may be, all that is wrong at once
 */
export function compile(policy: Policy, definitions: Definitions): Compiled {
  const problems = new Set(problemsOf(policy, definitions));
  if (problems.size > 0) throw new TypeError(`proxy/allowed.ts: ${[...problems].join("; ")}`);
  const [user, secret] = [linesOf(policy.users), linesOf(policy.secret_keys)];
  const changing = new Map(
    [...user.keys(), ...secret.keys()].map((provider) => {
      const gets = definitions.get(provider)?.api.changing_gets.map((path) => readLine(asLine(path))) ?? [];
      const lines = [...user.get(provider) ?? [], ...secret.get(provider) ?? [], ...gets];
      return [provider, lines.filter(({ changes }) => changes)];
    }),
  );
  return { user, secret, changing };
}

function linesOf(lines: Lines): ByProvider {
  return new Map(Object.entries(lines).map(([provider, own]) => [provider, own.map(readLine)]));
}

function asLine(changing_get: string): string {
  return `GET ${changing_get} changes`;
}

function problemsOf(policy: Policy, definitions: Definitions): string[] {
  if (Object.keys(policy).sort().join() !== "secret_keys,users") {
    return ['it must have "users" and "secret_keys", and nothing else'];
  }
  return (["users", "secret_keys"] as const).flatMap((caller) =>
    Object.entries(policy[caller]).flatMap(([provider, lines]) => {
      const api = definitions.get(provider)?.api;
      const where = `${caller}.${provider}`;
      if (!api) return [`${where}: there is no such provider`];
      if (!Array.isArray(lines)) return [`${where} must be a list of lines`];
      const bases = Object.keys(api.bases);
      return [
        ...mistakes(where, lines, bases),
        ...repeated(where, lines),
        ...mistakes(`"api.changing_gets" of ${provider}`, api.changing_gets.map(asLine), bases),
      ];
    })
  );
}

function mistakes(where: string, lines: readonly unknown[], bases: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const mistake = mistakeIn(line, bases);
    return mistake === undefined ? [] : [`${where}: ${JSON.stringify(line)} ${mistake}`];
  });
}

function repeated(where: string, lines: readonly unknown[]): string[] {
  const calls = lines.map((line) => String(line).replace(/ changes$/, ""));
  return calls.filter((call, at) => calls.indexOf(call) < at).map((call) =>
    `${where}: ${JSON.stringify(call)} is there more than once`
  );
}

/** What a call is held against beside the lines. */
export interface Checks {
  readonly rules: readonly Rule[];
  /** A piece of an address as a server may read it; null: it cannot be read. */
  readonly read: (text: string) => string | null;
}

/**
 * Whether a call may be sent. What is compared is what is sent, byte for byte: a path that the URL parser would write
 * otherwise is none, and neither is one that the provider's server could read as another, once it has decoded it.
 *
 * @param checks a test takes parts away
 */
export function judge(
  compiled: Compiled,
  call: Call,
  { rules, read }: Checks = { rules: RULES, read: readingOf },
): Judgement {
  const { path } = call;
  const search = withoutRegion(call.search);
  const parts = partsOf(path);
  const segments = parts.segments.map(read);
  const sent = { path, search, segments, query: read(search), names: namesIn(search).map(read) };
  const broken = rules.find(({ breaks }) => breaks(sent));
  if (broken) return { allowed: false, why: broken.why };
  if (!isOnList(compiled, call, parts)) return { allowed: false, why: NO_LINE };
  const readings = segments.map((segment) => segment ?? "");
  return { allowed: true, changes: isChanging(compiled, call, readings), search };
}

function withoutRegion(search: string): string {
  const isRegion = (parameter: string) => parameter.split("=")[0] === REGION;
  const kept = search.slice(1).split("&").filter((parameter) => !isRegion(parameter)).join("&");
  return search.startsWith("?") ? kept && `?${kept}` : search;
}

function isOnList(compiled: Compiled, { caller, provider, base, method }: Call, parts: Parts): boolean {
  const lines = compiled[caller].get(provider) ?? [];
  return lines.some((line) =>
    (line.method === method || (line.method === "GET" && method === "HEAD")) &&
    line.base === base && matches(line, parts)
  );
}

/** In doubt it does: then it is only slower. */
function isChanging(
  { changing }: Compiled,
  { provider, base, method }: Call,
  readings: readonly string[],
): boolean {
  if (method !== "GET" && method !== "HEAD") return true;
  return changing.get(provider)?.some((line) => line.base === base && couldMean(line, readings)) ?? false;
}
