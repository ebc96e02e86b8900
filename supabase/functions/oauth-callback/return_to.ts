import * as v from "valibot";

const MAX_LENGTH = 1024;
/**
 * A path and a query in the characters of RFC 3986 §3.3 and §3.4, without `@`, which turns what precedes it into a user,
 * and without quotes, which the URL parser rewrites.
 */
const PATH_AND_QUERY =
  /^\/(?:[\w\-.~!$&()*+,;=:/]|%[0-9a-f]{2})*(?:\?(?:[\w\-.~!$&()*+,;=:/?]|%[0-9a-f]{2})*)?$/i;
/** Encoded control characters anywhere; encoded `/`, `\` and `@` in the path, which some router decodes. */
const ENCODED_CONTROL = /%(?:[01][0-9a-f]|7f)/i;
const ENCODED_DELIMITER = /%(?:2f|5c|40)/i;

/**
 * A path under the application: wherever it is joined to an origin, the origin stays (no open redirector, RFC 9700
 * §4.11). A fragment is refused, because the answer travels in it.
 */
export const pathUnderApp = v.pipe(
  v.string(),
  v.maxLength(MAX_LENGTH, `must not be longer than ${MAX_LENGTH} characters`),
  v.check(isPathUnderApp, 'must be a path of the application that begins with one "/"'),
);

/** @returns of several applications the one the page says it is, else the first */
export function originFor(request: Request, app_origins: readonly string[]): string {
  const origin = request.headers.get("origin");
  return app_origins.find((allowed) => allowed === origin) ?? app_origins[0] ?? "";
}

/** Whether a browser may be sent there. What was stored is judged again: the settings, or the row, may have changed. */
export function isUnderApp(url: string, app_origins: readonly string[]): boolean {
  return URL.canParse(url) && app_origins.includes(new URL(url).origin);
}

function isPathUnderApp(text: string): boolean {
  if (!PATH_AND_QUERY.test(text) || ENCODED_CONTROL.test(text)) return false;
  const [path = ""] = text.split("?");
  if (path.includes("//") || ENCODED_DELIMITER.test(path)) return false;
  // Dot segments, encoded ones too, do not survive the parser.
  const url = new URL(text, "https://app.invalid");
  return url.origin === "https://app.invalid" && url.pathname + url.search === text.replace(/\?$/, "");
}
