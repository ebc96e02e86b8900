import { valueAt } from "../bytes.ts";
import type { Client } from "./client.ts";
import { isLoopback } from "./http.ts";
import { readText } from "./json.ts";
import type { Source, Value } from "./provider.ts";

/** What a connection is made of beside its tokens, by name. Judged when it comes and again at every use. */
export type Values = Readonly<Record<string, string>>;

/** What has been answered so far, by the word that a source begins with. */
export interface Answers {
  readonly token?: unknown;
  readonly id_token?: unknown;
  readonly redirect?: unknown;
  readonly account?: unknown;
  readonly value?: Values;
}

const MOST_CHARACTERS = 255;
/** RFC 1035 §2.3.4, RFC 5890 §2.3.1: letters, digits and hyphens, and no A-label, which may look like another name. */
const LABEL = /^(?!xn--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
/** The unreserved characters of RFC 3986 §2.3, without the dot segments. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._~-]{1,128}$/;
/** No control characters, and no dot segment: alone in a path, nothing encodes it. */
const TEXT = /^(?!\.{1,2}$)[^\p{Cc}]+$/u;

/** What stands at a source; undefined where nothing does. */
export function readSource(source: Source, answers: Answers): unknown {
  const colon = source.indexOf(":");
  const answer = answers[source.slice(0, colon) as keyof Answers];
  return valueAt(answer, source.slice(colon + 1));
}

/** Values that were found, and the names of those that are not allowed. */
export interface Learnt {
  readonly values: Values;
  readonly refused: readonly string[];
}

/**
 * The values that some answers bring, beside what is known. One that is not allowed does not replace a good one.
 *
 * @param from what is read now: a source's first word, `user` or `deployment`
 */
export function learn(client: Client, from: keyof Answers | "user", answers: Answers, known: Values): Learnt {
  const values: Record<string, string> = { ...known };
  const refused: string[] = [];
  for (const [name, value] of Object.entries(client.provider.values)) {
    if (value.from.split(":")[0] !== from) continue;
    const raw = from === "user" ? answers.value?.[name] : readSource(value.from as Source, answers);
    const judged = raw === undefined || raw === null ? undefined : judge(client, value, raw);
    if (judged === null) refused.push(name);
    else if (judged !== undefined) values[name] = judged;
  }
  return { values, refused };
}

/** The values as they may be used now, defaults in their place; those that are not allowed (any more) are absent. */
export function usable(client: Client, values: Values): Values {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(client.provider.values)) {
    const own = valueAt(values, name) ?? client.values[name];
    const judged = own === undefined ? fallback(client, value) : judge(client, value, own);
    if (judged !== null && judged !== undefined) found[name] = judged;
  }
  return found;
}

/** The names of values that are needed and have not come. */
export function missing(client: Client, values: Values): string[] {
  const found = usable(client, values);
  return Object.keys(client.provider.values).filter((name) => found[name] === undefined);
}

/** A sandbox's address comes before the provider's own. */
function fallback(client: Client, { kind, default: own }: Value): string | undefined {
  return kind === "origin" ? client.api_origins[0] ?? own : own;
}

/**
 * A value as it may be used, written as the URL parser would write it where it only looks otherwise (RFC 3986 §6.2);
 * null if it is not allowed.
 *
 * A host or an origin decides where tokens go and is untrusted (RFC 9700 §4.9.1): only what is written exactly as the
 * parser would write it counts, so that no second reading of the same text can lead elsewhere.
 */
export function judge(
  client: Pick<Client, "api_origins" | "hosts">,
  value: Value,
  raw: unknown,
): string | null {
  const text = typeof raw === "number" && Number.isSafeInteger(raw) ? String(raw) : raw;
  if (typeof text !== "string") return null;
  const judged = JUDGES[value.kind](text, client, value);
  return judged !== null && allowedBy(value, judged) ? judged : null;
}

type Judge = (text: string, client: Pick<Client, "api_origins" | "hosts">, value: Value) => string | null;

const JUDGES: Readonly<Record<Value["kind"], Judge>> = {
  label: (text) => matching(LABEL, text.trim().toLowerCase()),
  segment: (text) => matching(SEGMENT, text.trim()),
  text: (text) => {
    const read = readText(text, MOST_CHARACTERS + 1) ?? "";
    return matching(TEXT, read) !== null && read.length <= MOST_CHARACTERS ? read : null;
  },
  host: (text, client, value) => {
    const host = text.trim().replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
    return isOwnHost(host, client, value) ? host : null;
  },
  origin: (text, client, value) => {
    const origin = readOrigin(text);
    const url = URL.canParse(origin) ? new URL(origin) : null;
    if (url === null || url.origin !== origin) return null;
    if (client.api_origins.includes(origin)) return isProtected(url) ? origin : null;
    return url.protocol === "https:" && isOwnHost(origin.slice("https://".length), client, value)
      ? origin
      : null;
  },
};

function matching(pattern: RegExp, text: string): string | null {
  return pattern.test(text) ? text : null;
}

/** The list decides alone where there is one; a host's domains are looked at with the host. */
function allowedBy({ kind, one_of }: Value, judged: string): boolean {
  return one_of === undefined || kind === "host" || kind === "origin" || one_of.includes(judged);
}

/**
 * Labels only, so no port, no user and no address in numbers, and within what the definition or the operator allows:
 * one label below a domain, since whatever is deeper may be somebody else's.
 */
function isOwnHost(host: string, { hosts }: Pick<Client, "hosts">, { one_of, under }: Value): boolean {
  const labels = host.split(".");
  // A parser reads a last label that begins with a digit as part of an address, `0x7f` too.
  const named = labels.every((label) => LABEL.test(label)) && /^[a-z]/.test(labels.at(-1) ?? "");
  if (labels.length < 2 || host.length > 253 || !named) return false;
  if (hosts.includes(host) || one_of?.some((own) => own === host || own === `https://${host}`)) return true;
  return under?.includes(labels.slice(1).join(".")) ?? false;
}

/**
 * A provider's address as the URL parser would write it, where it only looks otherwise: blanks around it, capitals, the
 * scheme's own port and the path `/` lead nowhere else. Whatever more it holds stays, to be judged.
 */
function readOrigin(text: string): string {
  const small = text.trim().replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
  return small.replace(/\/$/, "").replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2");
}

/** Plain `http` is for this machine alone. */
function isProtected(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
}
