/**
 * How other people's servers come from a path to a resource, each in its plainest form, and from a query to the names
 * of its parameters. An error: it answers 400.
 */
interface Server {
  readonly name: string;
  /** Whether capitals make no difference. */
  readonly insensitive?: boolean;
  readonly read: (path: string) => string;
}

/** RFC 3986 §5.2.4, with slashes merged as nginx does (`merge_slashes`). */
function resolved(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  return `/${kept.join("/")}`;
}

const decoded = decodeURIComponent;

function slashed(path: string): string {
  return path.replaceAll("\\", "/");
}

/** Windows drops dots and blanks at the end of a name. */
function trimmed(path: string): string {
  const names = path.split("/").map((name) => /^\.{1,2}$/.test(name) ? name : name.replace(/[. ]+$/, ""));
  return names.join("/");
}

/** As servers decoded that took `%uXXXX`, and UTF-8 that is longer than it need be (RFC 3629 §10). */
function lenient(text: string): string {
  const bytes: number[] = [];
  for (const [piece] of text.matchAll(/%u[0-9a-f]{4}|%[0-9a-f]{2}|[^]/giu)) {
    if (/^%[0-9a-f]{2}$/i.test(piece)) bytes.push(parseInt(piece.slice(1), 16));
    else {
      const character = piece.length === 6 ? String.fromCharCode(parseInt(piece.slice(2), 16)) : piece;
      bytes.push(...new TextEncoder().encode(character));
    }
  }
  let read = "";
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at] ?? 0;
    const more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
    const rest = bytes.slice(at + 1, at + 1 + more);
    const whole = rest.length === more && rest.every((byte) => byte >> 6 === 2);
    const first = more === 0 ? lead : lead & (63 >> more);
    const point = rest.reduce((value, byte) => value * 64 + (byte & 63), first);
    read += whole && point <= 0x10ffff ? String.fromCodePoint(point) : "\ufffd";
    at += whole ? 1 + more : 1;
  }
  return read;
}

/** What looks like a slash or a dot is one, and what nobody sees is nothing. */
function bestFit(text: string): string {
  const plain = text.normalize("NFKC").replace(/[\u00ad\u200b-\u200f\u2060\ufeff]/g, "");
  const dotted = plain.replaceAll("\u3002", ".");
  return dotted.replace(/[\u2044\u2215]/g, "/").replace(/[\u2216\u00a5\u20a9]/g, "\\");
}

function parsedAgain(path: string): string {
  return decoded(new URL(`http://gateway.invalid${path}`).pathname);
}

export const SERVERS: readonly Server[] = [
  { name: "one that decodes nothing", read: (path) => path },
  // Routes what is not decoded, decodes each name; strict routing and case are off.
  { name: "Express", insensitive: true, read: (path) => path.split("/").map(decoded).join("/") },
  { name: "nginx", read: (path) => resolved(decoded(path)) },
  { name: "nginx before one that decodes again", read: (path) => resolved(decoded(resolved(decoded(path)))) },
  // Path parameters go first, then it decodes and normalises.
  { name: "Tomcat", read: (path) => resolved(slashed(decoded(path.replace(/;[^/]*/g, "")))) },
  { name: "an older Spring", read: (path) => resolved(decoded(path).replace(/;[^/]*/g, "")) },
  { name: "an older IIS", insensitive: true, read: (path) => resolved(trimmed(slashed(lenient(path)))) },
  // Merges slashes, and takes the end of the last name for a format.
  { name: "Rails", read: (path) => decoded(path.replace(/\/+/g, "/")).replace(/([^/])\.\w+\/?$/, "$1") },
  { name: "a gateway that parses what it decoded", read: (path) => parsedAgain(decoded(path)) },
  { name: "one written in C", read: (path) => resolved(decoded(path).split("\0")[0] ?? "") },
  { name: "one of best fit", read: (path) => resolved(slashed(bestFit(decoded(path)))) },
  { name: "best fit before one that decodes", read: (path) => resolved(decoded(bestFit(decoded(path)))) },
];

interface QueryReader {
  readonly name: string;
  /** The parameters' names. */
  readonly read: (query: string) => string[];
}

function names(query: string, separator: RegExp): string[] {
  return query.split(separator).map((parameter) => form(parameter.split("=")[0] ?? ""));
}

function form(text: string): string {
  return lenient(text.replaceAll("+", " "));
}

/** Blanks in front go, a NUL ends the name, and `.`, a blank and a bracket that is not closed become `_`. */
function phpName(name: string): string {
  const text = (name.replace(/^ +/, "").split("\0")[0] ?? "").replace(/^([^[]*)\[(?=[^\]]*$)/, "$1_");
  return (text.split("[")[0] ?? "").replace(/[ .]/g, "_");
}

function rackName(name: string): string {
  return /^[[\]]*([^[\]]+)/.exec(name)?.[1] ?? "";
}

function qsName(name: string): string {
  return /^[^[]+|(?<=^\[)[^\]]+/.exec(name)?.[0] ?? "";
}

export const QUERY_READERS: readonly QueryReader[] = [
  { name: "one that takes names as they are", read: (query) => names(query, /&/) },
  { name: "PHP", read: (query) => names(query, /&/).map(phpName) },
  { name: "Rack", read: (query) => names(query, /[&;]/).map(rackName) },
  { name: "qs", read: (query) => names(query, /&/).map(qsName) },
  { name: "one that decodes names twice", read: (query) => names(query, /&/).map(form) },
  { name: "one of best fit", read: (query) => names(query, /&/).map(bestFit) },
];
