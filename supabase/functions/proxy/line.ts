/** A path in its parts. */
export interface Parts {
  readonly segments: readonly string[];
  /** Whether it ends in a slash. */
  readonly open: boolean;
}

/** One line of policy. Of its segments `*` is any, and `**` at the end one or more of any. */
export interface Line extends Parts {
  readonly method: string;
  /** One of the definition's `bases`; undefined: its `base`. */
  readonly base?: string;
  /** A GET that changes something. */
  readonly changes: boolean;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
/** Ends the line of a GET that changes something. */
const CHANGES = "changes";
/** A base's name, if it has one, and a path. */
const PLACE = /^(?:([^/]*):)?(\/.*)$/;

type Mistakes = readonly (readonly [RegExp, string])[];

const OF_LINES: Mistakes = [
  [/^$/, "is empty"],
  [/\p{Cc}/u, "has a control character"],
  [/[^ -~]/, "has a character that is not ASCII: what is encoded is matched by * alone"],
  [/^ | $| {2}/, "has a blank too many: one stands between method and path, and none at either end"],
];

const OF_PATHS: Mistakes = [
  [/%/, "has a percent sign: what is encoded is matched by * alone"],
  [/\?/, "has a query: a line is a path, and any query passes"],
  [/#/, "has a fragment, which is never sent"],
  [/;/, "has a semicolon: some servers cut a path there"],
  [/\\/, "has a backslash: a path has slashes"],
  [/[{}]|\/:/, "has a placeholder: a segment that may be anything is *"],
  [/[^\w\-.~!$&'()+,=:@*/]/, "has a character that no path holds as it is"],
  [/\/\//, "has an empty segment"],
  [/\/\.+(?:\/|$)/, "has a segment of dots"],
  [/\*{3}|[^/*]\*|\*[^/*]/, "has a star beside something else: * and ** are whole segments"],
  [/\*\*\//, "has ** before its end: it is the last segment"],
];

/**
 * What is wrong with a line, as the end of a sentence that begins with it; undefined: nothing.
 *
 * @param bases the names of the definition's `bases`
 */
export function mistakeIn(line: unknown, bases: readonly string[]): string | undefined {
  if (typeof line !== "string") return "is no text";
  const mistake = among(OF_LINES, line);
  if (mistake) return mistake;
  const [method = "", place, mark, more] = line.split(" ");
  if (!METHODS.includes(method)) return `begins with no method: it may be one of ${METHODS.join(", ")}`;
  if (place === undefined) return "has a method and no path";
  if (more !== undefined || (mark !== undefined && mark !== CHANGES)) {
    return `has more than a method and a path: after them it may say "${CHANGES}"`;
  }
  if (mark && method !== "GET") {
    return `says "${CHANGES}", which is for a GET: HEAD is judged by it, and whatever else is sent changes something`;
  }
  return mistakeInPlace(place, bases);
}

function mistakeInPlace(place: string, bases: readonly string[]): string | undefined {
  const [, base, path] = PLACE.exec(place) ?? [];
  if (path === undefined) return "has a path that does not begin with a slash";
  if (path.startsWith("//") && (base === "https" || base === "http")) {
    return "has an address: what is before the path is the definition's";
  }
  if (base !== undefined && !bases.includes(base)) {
    return `names the base "${base}", which is none: it may be ${bases.join(", ") || "left out"}`;
  }
  return among(OF_PATHS, path);
}

function among(mistakes: Mistakes, text: string): string | undefined {
  return mistakes.find(([pattern]) => pattern.test(text))?.[1];
}

/** @param line one without a mistake */
export function readLine(line: string): Line {
  const [method = "", place = "", mark] = line.split(" ");
  const [, base, path = ""] = PLACE.exec(place) ?? [];
  return { method, base, ...partsOf(path), changes: mark === CHANGES };
}

export function partsOf(path: string): Parts {
  if (path === "/") return { segments: [], open: true };
  const open = path.endsWith("/");
  return { segments: path.slice(1, open ? -1 : undefined).split("/"), open };
}

/** Whether the path is one of the line's, byte for byte. */
export function matches(line: Line, { segments, open }: Parts): boolean {
  return line.open === open && fits(line, segments, (own, other) => own === other);
}

/**
 * Whether some server could take the path for one of the line's: to one or another capitals, what is encoded without
 * need, dots and blanks at the end of a name, an ending such as `.json` and a last slash make no difference.
 *
 * @param readings of the path's segments, decoded
 */
export function couldMean(line: Line, readings: readonly string[]): boolean {
  return fits(line, readings, (own, reading) => {
    const [name, read] = [own.toLowerCase(), reading.toLowerCase().replace(/[.\s]+$/, "")];
    return read === name || read.startsWith(`${name}.`);
  });
}

function fits(
  { segments: own }: Line,
  segments: readonly string[],
  same: (own: string, other: string) => boolean,
): boolean {
  const more = own.at(-1) === "**";
  if (more ? segments.length < own.length : segments.length !== own.length) return false;
  return own.every((segment, at) => segment === "*" || segment === "**" || same(segment, segments[at] ?? ""));
}
