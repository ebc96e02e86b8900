import type { Client } from "./client.ts";
import { type Fillings, fillUrl } from "./template.ts";
import type { Template } from "./provider.ts";
import { usable, type Values } from "./values.ts";

/**
 * An endpoint of the authorization server, or the sandbox's that stands in for it; null where a value that it needs is
 * missing or not allowed.
 */
export function endpointOf(
  { oauth_origin, ...client }: Client,
  template: Template,
  values: Values,
  own: Fillings = {},
): URL | null {
  const url = addressOf(client, template, values, own);
  return url && oauth_origin ? moved(url, oauth_origin) : url;
}

/** Who speaks for the provider (RFC 9207, OpenID Connect Core §2); null where it names nobody, or a value is missing. */
export function issuerOf({ oauth_origin, ...client }: Client, values: Values): string | null {
  const { issuer } = client.provider;
  if (issuer === undefined) return null;
  const text = fillUrl(issuer, usable(client, values));
  // As it is written: a slash more is another name.
  return text !== null && oauth_origin ? text.replace(/^https:\/\/[^/]+/, oauth_origin) : text;
}

/**
 * Where a request to the API goes: below its base, or to an address of its own. Null as above.
 *
 * @param base the name of one of `bases`; undefined: `base`
 */
export function apiUrl(
  client: Client,
  values: Values,
  { base, url = "" }: { readonly base?: string; readonly url?: Template },
): URL | null {
  const { api } = client.provider;
  const root = base === undefined ? api.base : api.bases[base];
  if (root === undefined) return null;
  const template = /^(https:|\{)/.test(url) ? url : root.replace(/\/$/, "") + url;
  const found = addressOf(client, template, values, { client_id: client.client_id });
  const [sandbox] = client.api_origins;
  // An origin of the connection's own was judged with the sandbox's.
  if (!found || sandbox === undefined || client.api_origins.includes(found.origin)) return found;
  return template.startsWith("{") ? found : moved(found, sandbox);
}

function addressOf(
  client: Omit<Client, "oauth_origin">,
  template: Template,
  values: Values,
  own: Fillings,
): URL | null {
  const text = fillUrl(template, { ...usable(client, values), ...own });
  const url = text !== null && URL.canParse(text) ? new URL(text) : null;
  return url?.username === "" && url.password === "" ? url : null;
}

function moved({ pathname, search, hash }: URL, origin: string): URL {
  return new URL(`${origin}${pathname}${search}${hash}`);
}
