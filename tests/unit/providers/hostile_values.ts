import type { Value } from "../../../supabase/functions/_shared/oauth/provider.ts";

/** What an attacker would write where a value of a connection is read. */

/** The provider's domain: what is one label below it is the provider's. */
export const SITE = "made-up.example";

/** In the place of a host; with `https://` before them, of an origin. */
const HOSTS: readonly string[] = [
  // Lookalikes, and what is too deep or too short.
  ...["evil.example", `evil${SITE}`, `${SITE}.evil.example`, `acme.${SITE}.evil.example`, `acme-${SITE}`],
  ...[SITE, `a.b.${SITE}`, `evil.example.${SITE}`, `www.acme.${SITE}`, `acme.${SITE}x`, `acme.${SITE}-x`],
  ...["acme.made-up", "acme.example", "acme.made-up.com", `acme_.${SITE}`, `_acme.${SITE}`, `*.${SITE}`],
  // Dots too many.
  ...[`acme.${SITE}.`, `acme.${SITE}..`, `.${SITE}`, `..${SITE}`, `acme..${SITE}`, `.acme.${SITE}`],
  // Users, ports, paths, queries and fragments, which a naive reader takes for the host.
  ...[`acme.${SITE}@evil.example`, `evil.example@acme.${SITE}`, `u:p@acme.${SITE}`, `@acme.${SITE}`],
  ...[`acme.${SITE}:80`, `acme.${SITE}:8443`, `acme.${SITE}:@evil.example`, `evil.example:443@acme.${SITE}`],
  ...[`acme.${SITE}:`, `acme.${SITE}:443443`, `acme.${SITE}:-1`, `evil.example:443.${SITE}`],
  ...[`evil.example/.${SITE}`, `evil.example?.${SITE}`, `evil.example#.${SITE}`, `evil.example\\.${SITE}`],
  ...[`evil.example/acme.${SITE}`, `acme.${SITE}/../..`, `acme.${SITE}/x`, `acme.${SITE}?x`, `acme.${SITE}#`],
  ...[`acme.${SITE}\\@evil.example`, `acme.${SITE}#@evil.example`, `evil.example;.${SITE}`],
  ...[`evil.example,acme.${SITE}`, `acme.${SITE},evil.example`, `acme.${SITE} evil.example`],
  // Encoded once and twice.
  ...[`acme%2e${SITE}`, `acme%2E${SITE}`, `acme%252e${SITE}`, `evil.example%2f.${SITE}`],
  ...[`evil.example%2F.${SITE}`, `evil.example%252f.${SITE}`, `evil.example%00.${SITE}`],
  ...[`evil.example%23.${SITE}`, `evil.example%3f.${SITE}`, `evil.example%5c.${SITE}`, `%61cme.${SITE}`],
  ...[`evil.example%40acme.${SITE}`, `acme.${SITE}%40evil.example`, `evil.example%0d%0a.${SITE}`],
  // What IDNA maps to a dot, to a letter or to nothing.
  ...[`acme\u3002made-up\u3002example`, `evil\u3002example\u3002${SITE}`, `acme\uff0e${SITE}`],
  ...[`acme\uff61${SITE}`, `acme.made-up\u2024example`, `\uff41cme.${SITE}`, `ac\u00adme.${SITE}`],
  ...[`ac\u200bme.${SITE}`, `ac\u200dme.${SITE}`, `ac\u2060me.${SITE}`, `\u0430cme.${SITE}`],
  ...[`acme.made-up.ex\u0430mple`, `\u24d0cme.${SITE}`, `\u{1d41a}cme.${SITE}`, `\u00e4cme.${SITE}`],
  ...[`fa\u00df.${SITE}`, `xn--cme-5cd.${SITE}`, `XN--CME-5CD.${SITE}`, `xn--.${SITE}`, `acme.xn--made-up-x`],
  ...[`evil.example\uff0f.${SITE}`, `evil.example\uff03.${SITE}`, `evil.example\uff1f.${SITE}`],
  ...[`evil.example\u2100.${SITE}`, `evil.example\u2044.${SITE}`, `evil.example\u2215.${SITE}`],
  ...[`\u202eacme.${SITE}`, `acme\u200f.${SITE}`, `acme\u2066.${SITE}`, `\ufeffa\ufeff.${SITE}`],
  // Addresses, in every way of writing them.
  ...["127.0.0.1", "127.1", "2130706433", "017700000001", "0177.0.0.1", "0x7f.1", "0x7f000001", "0x7f.0.0.1"],
  ...["0", "0.0.0.0", "255.255.255.255", "10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "1.0xab"],
  ...["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "a.0x7f"],
  ...["[::1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:169.254.169.254]"],
  ...["[fe80::1%25eth0]", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]", "::1", `[::1].${SITE}`, "127.0.0.1."],
  ...["\u2460\u2461\u2466.0.0.1", "127\u30020\u30020\u30021", `127.0.0.1.${SITE}`, `0x7f.1.${SITE}`],
  // Names of this machine and of what answers beside it.
  ...[
    "localhost",
    "localhost.",
    "LOCALHOST",
    "localhost.localdomain",
    "ip6-localhost",
    "kubernetes.default.svc",
  ],
  ...[
    "metadata.google.internal",
    "metadata",
    "instance-data.ec2.internal",
    "127.0.0.1.nip.io",
    "host.docker.internal",
  ],
  // Labels and hosts that are none.
  ...[`-acme.${SITE}`, `acme-.${SITE}`, `${"a".repeat(64)}.${SITE}`, `${"a.".repeat(119)}${SITE}x`],
  ...[`${"a".repeat(239)}.${SITE}`, `${"a".repeat(4000)}.${SITE}`],
  // Blanks and controls, which parsers strip or stop at.
  ...[
    `ac\tme.${SITE}`,
    `ac\nme.${SITE}`,
    `ac me.${SITE}`,
    `acme.${SITE}\u0000`,
    `evil.example\u0000.${SITE}`,
  ],
  ...[`acme.${SITE}\u0000.evil.example`, `acme.${SITE}\r\nhost: evil.example`, `evil.example\n.${SITE}`],
  ...[`acme.${SITE}\u0085`, `acme.${SITE}\u2028evil.example`, `acme\u00a0.${SITE}`, `acme\u007f.${SITE}`],
  // Templates, and what a template or a shell would make of them.
  ...[
    `{v}.${SITE}`,
    "{client_secret}",
    "{access_token}",
    `$\{v}.${SITE}`,
    `$&.${SITE}`,
    "$`",
    "$'",
    "%7Bv%7D",
  ],
];

/** Whole addresses that are no origin of the provider's. */
const ORIGINS: readonly string[] = [
  ...[`http://acme.${SITE}`, `ftp://acme.${SITE}`, `//acme.${SITE}`, `///acme.${SITE}`, `https:acme.${SITE}`],
  ...[
    `https:/acme.${SITE}`,
    `https:///evil.example/acme.${SITE}`,
    `https:\\\\acme.${SITE}`,
    `\\\\evil.example`,
  ],
  ...[`https://\\evil.example/.${SITE}`, `http://evil.example#https://acme.${SITE}`, "javascript:alert(1)"],
  ...["data:text/html,x", "file:///etc/passwd", "blob:https://evil.example/x", `wss://acme.${SITE}`],
  ...[
    `https://https://acme.${SITE}`,
    `https://acme.${SITE}//evil.example`,
    `https://acme.${SITE}/\\evil.example`,
  ],
  ...[`ht\ntps://evil.example`, `https://acme.${SITE}\r\n\r\nGET / HTTP/1.1`, "http://127.0.0.1:54321"],
  ...[
    "http://localhost:54321",
    "http://[::1]:54321",
    `https://acme.${SITE}:443:443`,
    `https:https://evil.example`,
  ],
];

/** Parts of a path, and texts that end what they stand in. */
const TEXTS: readonly string[] = [
  ...[
    "",
    " ",
    ".",
    "..",
    "...",
    "../..",
    "..%2f..",
    "%2e%2e",
    "%2E.",
    ".%2e",
    "%252e%252e",
    "..;",
    "..\\..",
    "./",
  ],
  ...[
    "/",
    "//",
    "//evil.example",
    "/\\evil.example",
    "\\",
    "?",
    "#",
    "?x=y",
    "#x",
    "&x=y",
    ";x=y",
    "a/b",
    "a%2fb",
  ],
  ...[
    "%",
    "%zz",
    "%00",
    "\u0000",
    "a\u0000b",
    "\r\n",
    "x\r\nx-evil: 1",
    "x\nx",
    "\u000bx",
    "x\u007fx",
    "\u0085x",
  ],
  ...[
    "x\u2028x-evil: 1",
    "x\u0142\u010d\u010ax-evil: 1",
    "\u010d\u010a",
    "\ud800",
    "x\udfffx",
    "\ufffe",
    "\u{1f600}",
  ],
  ...[
    "__proto__",
    "constructor",
    "prototype",
    "hasOwnProperty",
    "toString",
    "null",
    "undefined",
    "NaN",
    "[object Object]",
  ],
  ...[
    "\u202emoc.live",
    "\u200e",
    "\u2066x\u2069",
    "ACME\u212a",
    "\u0130",
    '"',
    "'",
    "<script>",
    "';--",
    "`id`",
    "$(id)",
  ],
  ...[
    "Basic eDp5",
    "x, Bearer y",
    "x; y",
    "a".repeat(129),
    "a".repeat(256),
    "\u00e4".repeat(255),
    "x".repeat(10_000),
  ],
];

/** Each once. */
export const HOSTILE_TEXTS: readonly string[] = [...new Set([...HOSTS, ...ORIGINS, ...TEXTS])];

/** What JSON can hold where a text belongs. */
export const NON_TEXTS: readonly unknown[] = [
  ...[0, 7, -1, 1.5, 1e21, 2130706433, true, false, null, [], {}, [[]], { length: 1 }, { v: "acme" }],
  ...[["acme"], [`https://acme.${SITE}`], [`acme.${SITE}`], { 0: "a", length: 1 }, { toString: "acme" }],
  ...[JSON.parse('{"__proto__": "acme"}'), { constructor: "acme" }, { href: `https://acme.${SITE}` }],
];

/** All of it, as it would be written where a value of this kind is read. */
export function hostileTo(kind: Value["kind"]): readonly unknown[] {
  const hosts = kind === "origin" ? HOSTS.map((host) => `https://${host}`) : HOSTS;
  return [...new Set([...hosts, ...ORIGINS, ...TEXTS]), ...NON_TEXTS];
}
