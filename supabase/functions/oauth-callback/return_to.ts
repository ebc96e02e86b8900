import * as v from "valibot";
import { isListed } from "../_shared/app_origins.ts";
import { PublicError } from "../_shared/errors.ts";

const MAX_LENGTH = 1024;

/** Where the browser comes back to, before it is known which origin asks. */
export const returnTo = v.pipe(
  v.string(),
  v.maxLength(MAX_LENGTH, `must not be longer than ${MAX_LENGTH} characters`),
  // What the URL parser takes away unseen, or what it would encode as something else.
  v.check((text) => !/[\p{Cc}\p{Cs}\u2028\u2029]|^\s|\s$/u.test(text), "must have no control characters"),
);

/**
 * The address to come back to: a path of the page that asks, with its query and its hash route; a server, which sends no
 * `Origin`, may name the whole of it. Wherever it is written so that it leaves the origins of `APP_URL`, it is refused
 * (RFC 9700 §4.11).
 *
 * @throws {PublicError} `INVALID_REQUEST` naming the field, or the setting that lacks the origin
 */
export function placeFor(request: Request, return_to: string, app_origins: readonly string[]): string {
  const origin = request.headers.get("origin");
  if (origin !== null && !isListed(origin, app_origins)) {
    throw new PublicError("INVALID_REQUEST", "the origin of this page is not one of APP_URL: add it there");
  }
  const base = origin ?? app_origins[0] ?? "";
  const isPath = /^\/(?![/\\])/.test(return_to);
  const whole = /^https?:\/\//.test(return_to);
  const url = (isPath || whole) && URL.canParse(return_to, base) && new URL(return_to, base);
  const own = url && (isPath || origin !== null ? url.origin === base : isListed(url.origin, app_origins));
  if (!own || url.username !== "" || url.password !== "") throw new PublicError("INVALID_REQUEST", NO_PLACE);
  return url.href;
}

const NO_PLACE =
  '"return_to" must be a path that begins with one "/", or from a server an address under an origin of APP_URL';

/** Whether a browser may be sent there. What was stored is judged again: the settings, or the row, may have changed. */
export function isUnderApp(url: string, app_origins: readonly string[]): boolean {
  return URL.canParse(url) && isListed(new URL(url).origin, app_origins);
}

/**
 * With our answer in the fragment, behind the application's own where it has one: `#/route?oauth_ticket=…`. Not in the
 * query, which servers log.
 */
export function withAnswer(place: string, name: "oauth_ticket" | "oauth_error", value: string): string {
  const [before = "", route = ""] = place.split(/#(.*)/s);
  const joint = route === "" ? "" : route.includes("?") ? `${route}&` : `${route}?`;
  return `${before}#${joint}${name}=${value}`;
}
