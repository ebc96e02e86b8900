/** A call's path and query, as they would be sent and as servers may read them. */
export interface Sent {
  readonly path: string;
  /** With its question mark; empty: there is none. */
  readonly search: string;
  /** The segments of the path, read. Null: what cannot be. */
  readonly segments: readonly (string | null)[];
  /** The whole query, read. */
  readonly query: string | null;
  /** The names of its parameters, read. */
  readonly names: readonly (string | null)[];
}

/** What keeps a call from being sent, whatever the lines say. */
export interface Rule {
  /** In words of our own, for the log and for the caller. */
  readonly why: string;
  readonly breaks: (sent: Sent) => boolean;
}

const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
/** What code pages without them make of fraction, division and drawn slashes, of set minus, and of yen and won. */
const SLASHES = /[\u2044\u2215\u29f8\u2571]/g;
const BACKSLASHES = /[\u2216\u29f5\u29f9\u2572\u00a5\u20a9]/g;

/**
 * A text as the most obliging server could read it: decoded, what looks like another character as that one (Unicode
 * Standard Annex #15, NFKC, and Windows' best fit), without what nobody sees. Null: it is not UTF-8, percent-encoded
 * (RFC 3986 §2.1, RFC 3629 §3).
 */
export function readingOf(text: string): string | null {
  try {
    const plain = decodeURIComponent(text).replace(INVISIBLE, "").normalize("NFKC");
    return plain.replace(SLASHES, "/").replace(BACKSLASHES, "\\").replaceAll("\u3002", ".");
  } catch {
    return null;
  }
}

/** The names of a query's parameters, as encoded as they are but for `+`. A semicolon, too, ends a parameter for some (HTML 4.01 §B.2.2). */
export function namesIn(search: string): string[] {
  const parameters = search.slice(1).split(/[&;]/);
  return parameters.map((parameter) => (parameter.split("=")[0] ?? "").replaceAll("+", " "));
}

/** In the order in which they are looked at. Lines hold nothing that breaks one, so only what `*` would match does. */
export const RULES: readonly Rule[] = [
  {
    why: "the path is not as the URL parser writes it",
    breaks: ({ path }) => written(path)?.pathname !== path,
  },
  { why: "the path is not UTF-8, percent-encoded", breaks: ({ segments }) => segments.includes(null) },
  inPath("an encoded control character", /[\p{Cc}\p{Zl}\p{Zp}]/u),
  inPath("an empty segment", /^$/),
  inPath("a segment of dots and blanks alone", /^[.\s]+$/),
  inPath("an encoded slash or backslash", /[/\\]/),
  inPath("an encoded percent sign", /%/),
  inPath("a semicolon", /;/),
  inPath("an encoded question mark or number sign", /[?#]/),
  {
    why: "the query is not as the URL parser writes it",
    breaks: ({ search }) => search !== "" && written(`/${search}`)?.search !== search,
  },
  { why: "the query is not UTF-8, percent-encoded", breaks: ({ query }) => query === null },
  inNames("is encoded twice or holds a control character", (name) => /[%\p{Cc}]/u.test(name)),
  inNames("carries a credential or a method", carriesMore),
];

function inPath(what: string, pattern: RegExp): Rule {
  const breaks = ({ segments }: Sent) => segments.some((read) => read !== null && pattern.test(read));
  return { why: `the path has ${what}`, breaks };
}

function inNames(what: string, is: (name: string) => boolean): Rule {
  const breaks = ({ names }: Sent) => names.some((name) => name !== null && is(name));
  return { why: `the name of a parameter ${what}`, breaks };
}

/** Dot segments, also encoded ones, backslashes, tabs and much else do not survive the parser (https://url.spec.whatwg.org/#path-state). */
function written(text: string): URL | null {
  const address = `https://host.invalid${text}`;
  return URL.canParse(address) ? new URL(address) : null;
}

/** Without capitals and signs. All that begins so is OAuth 1.0's as well (RFC 5849 §3.5.3): `oauth`. */
const CREDENTIALS = new Set(
  "accesskey accesstoken apikey apisecret apitoken appkey appsecret assertion auth authenticationtoken authorization \
authtoken bearer bearertoken clientassertion clientsecret consumerkey consumersecret hapikey idtoken jsessionid jwt \
ocpapimsubscriptionkey password passwd personalaccesstoken phpsessid privatetoken refreshtoken secret secretkey \
sessiontoken subscriptionkey token usertoken xaccesstoken xamzcredential xamzsecuritytoken xamzsignature xapikey \
xauthtoken".split(" "),
);
/** Google's `$httpHeaders` sets any header. */
const METHODS = new Set(
  "httpheaders httpmethod httpmethodoverride methodoverride xhttpmethod xhttpmethodoverride xmethodoverride"
    .split(" "),
);

/**
 * Names as servers read them: a bracket begins a list (Rack, PHP, qs), one at the front is skipped (Rack), and one
 * that is left open, a dot and a blank count as `_` (PHP).
 */
function carriesMore(name: string): boolean {
  const whole = name.toLowerCase();
  const [first = ""] = whole.replace(/^[\s[\]]+/, "").split(/[[\]]/);
  return [whole, first].some((text) => {
    const bare = text.replace(/[^a-z0-9]/g, "");
    if (CREDENTIALS.has(bare) || METHODS.has(bare) || bare.startsWith("oauth")) return true;
    return /^[^a-z0-9]+method$/.test(text);
  });
}
