/** A provider that uses one value wherever a definition can. */
import type { Definition, Provider, Value } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { define } from "../../../supabase/functions/_shared/providers/define.ts";
import { SITE } from "./hostile_values.ts";

export type Kind = Value["kind"];

/** Where a value comes from, in the order in which it can be known. */
export const SOURCES = ["user", "deployment", "redirect:v", "token:v", "id_token:v", "account:v"] as const;
export type From = typeof SOURCES[number];

/** Where nothing of a value is. */
export const ISSUER = `https://id.${SITE}`;
/** The address that a value makes, by its kind. */
const PLACES: Readonly<Record<Kind, string>> = {
  label: `https://{v}.${SITE}`,
  host: "https://{v}",
  origin: "{v}",
  segment: `https://api.${SITE}/{v}`,
  text: `https://api.${SITE}/{v}`,
};

const providers = new Map<string, Provider>();

/** The value stands in every address that is made after it is known, and in headers, queries and bodies. */
export function providerOf(kind: Kind, from: From): Provider {
  const name = `${kind} ${from}`;
  const provider = providers.get(name) ?? define(definitionOf(kind, from));
  providers.set(name, provider);
  return provider;
}

function definitionOf(kind: Kind, from: From): Definition {
  const known = SOURCES.indexOf(from);
  const place = (at: From) => known <= SOURCES.indexOf(at) ? PLACES[kind] : ISSUER;
  const far = kind === "host" || kind === "origin";
  const v = { v: "{v}" };
  return {
    name: "made-up",
    documentation: `https://${SITE}/docs`,
    issuer: ISSUER,
    authorization_endpoint: `${place("deployment")}/authorize`,
    token_endpoint: `${place("redirect:v")}/token`,
    refresh_endpoint: `${PLACES[kind]}/refresh`,
    revocation_endpoint: { url: `${PLACES[kind]}/revoke`, parameters: { token: "{refresh_token}", ...v } },
    token_request_headers: { "x-value": "{v}" },
    authorization_parameters: v,
    token_parameters: v,
    refresh_parameters: v,
    values: { v: { kind, from, ...(far && from !== "deployment" && { under: [SITE] }) } },
    account: {
      request: {
        url: `${place("id_token:v")}/me`,
        method: "POST",
        headers: { "x-account": "{v}" },
        body: v,
      },
      key: ["account:id"],
    },
    api: {
      base: PLACES[kind],
      bases: { other: `${PLACES[kind]}/other` },
      headers: { authorization: "Bearer {access_token}", "x-value": "{v}" },
      query: v,
    },
  };
}
