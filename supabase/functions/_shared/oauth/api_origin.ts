import type { Client } from "./client.ts";
import { isLoopback } from "./http.ts";

/**
 * A provider's address as the URL parser would write it, where it only looks otherwise (RFC 3986 §6.2): blanks around
 * it, capitals, the scheme's own port and the path `/` lead nowhere else. Whatever more it holds stays, to be judged
 * by `allowedApiOrigin`. Null: it is no text.
 */
export function readOrigin(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const small = value.trim().replace(/[A-Z]+/g, (capitals) => capitals.toLowerCase());
  return small.replace(/\/$/, "").replace(/^(https:.*):443$|^(http:.*):80$/, "$1$2");
}

/**
 * The origin, if a bearer token may be sent there; else null.
 *
 * The address comes with the token response and is untrusted until then (RFC 9700 §4.9.1). Only what is written exactly
 * as the URL parser would write it counts, so no second reading of the same text can lead elsewhere: no userinfo,
 * port, path, blank, escape, capital, or other spelling of an address. It must match the provider's pattern or be
 * one of the sandbox's in the settings. Plain `http` is for this machine alone.
 */
export function allowedApiOrigin(client: Client, origin: string): string | null {
  const url = URL.canParse(origin) ? new URL(origin) : null;
  if (url === null || url.origin !== origin) return null;
  if (client.api_origins.includes(origin)) return isProtected(url) ? origin : null;
  const internationalized = url.hostname.split(".").some((label) => label.startsWith("xn--"));
  if (url.protocol !== "https:" || url.port !== "" || internationalized) return null;
  return client.provider.api.origins.test(origin) ? origin : null;
}

function isProtected(url: URL): boolean {
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url));
}
