import type { Provider, Signal, Source, Value } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { CLIENT } from "./client.ts";
import { API, AUTHORIZATION, LIFE, lives, oauthError, rfc7009, TOKEN } from "./facts/common.ts";
import type { Answer, ApiFacts, Facts, Issued, Limit, RevocationFacts } from "./types.ts";

type Fill = (template: string) => string;

/** What stands at any path that a definition reads. */
const SOMETHING = "acme-1";
/** Seconds that a limited caller is told to wait: longer than a call does. */
const WAIT = 30;

/**
 * Facts made of a definition, for a provider of whom nobody has written any down: they show that the definition holds
 * together, and not that it is right. A text names what the stand-in does not play.
 */
export function fromDefinition(provider: Provider): Facts | string {
  const unplayed = UNPLAYED.find(([, is]) => is(provider));
  if (unplayed) return unplayed[0];
  const { name, rotation, reuse_grace, default_expires_in } = provider;
  const samples = Object.entries(provider.values).map(([own, kind]) => [own, sample(kind)]);
  const values: Readonly<Record<string, string>> = Object.fromEntries(samples);
  const fill: Fill = (template) => template.replaceAll(/\{(\w+)\}/g, (_, own) => known(values, own));
  return {
    name,
    values,
    authorization: {
      ...AUTHORIZATION,
      endpoint: place(fill(provider.authorization_endpoint)),
      required: provider.authorization_parameters.response_type === null ? {} : AUTHORIZATION.required,
      code_challenge: provider.code_challenge_methods_supported.length > 0 ? "required" : "refused",
      scope_separators: [provider.scope_separator === "," ? "," : " "],
      offline: () => rotation !== "none",
      redirect: {
        ...Object.fromEntries(readAt(provider, values, "redirect")),
        ...(provider.issuer && { iss: fill(provider.issuer) }),
      },
    },
    token: tokenOf(provider, fill, readAt(provider, values, "token")),
    life: {
      ...LIFE,
      rotation: rotation === "none" ? "single_use" : rotation,
      reuse_grace,
      lifetimes: lives(default_expires_in === "never" ? Infinity : default_expires_in),
    },
    revocations: revocationsOf(provider, fill),
    api: apiOf(provider, fill, readAt(provider, values, "account")),
  };
}

const UNPLAYED: readonly (readonly [what: string, is: (provider: Provider) => boolean])[] = [
  ["private_key_jwt or a public client", ({ token_endpoint_auth_method: by }) => !/^client_secret/.test(by)],
  ["the secret as user", ({ basic_credentials }) => basic_credentials === "secret_as_user"],
  ["a token request in the query", ({ token_request_format }) => token_request_format === "query"],
  [
    "another name in the redirect",
    ({ redirect_parameters: { code, state } }) => code + state !== "codestate",
  ],
  ["another unit of expires_in", ({ expires_in_is }) => expires_in_is !== "seconds"],
  [
    "an ID token",
    ({ account, values }) =>
      [...account.key, account.name, account.email, ...Object.values(values).map(({ from }) => from)].some((
        source,
      ) => source?.startsWith("id_token:")),
  ],
  ["a transform", ({ transform }) => transform !== undefined],
  ["a revocation by GET", ({ revocation }) => revocation?.method === "GET"],
  [
    "a token elsewhere than in the header",
    ({ api }) => !/ \{access_token\}$/.test(api.headers.authorization ?? ""),
  ],
  [
    "a deployment's own host",
    ({ values }) =>
      Object.values(values).some(({ kind, from }) => from === "deployment" && /^(host|origin)$/.test(kind)),
  ],
];

function sample({ kind, default: given, one_of, under }: Value): string {
  const host = one_of?.[0] ?? `acme.${under?.[0]}`;
  const of = { label: "acme", segment: SOMETHING, text: "Acme", host, origin: `https://${host}` };
  return given ?? of[kind];
}

function known(values: Readonly<Record<string, string>>, name: string): string {
  return values[name] ?? (name === "client_id" ? CLIENT.client_id : SOMETHING);
}

/** By its path: what a definition reads there. */
function readAt(
  { account, values: kinds }: Provider,
  values: Readonly<Record<string, string>>,
  where: "token" | "redirect" | "account",
): [path: string, value: string][] {
  const sources: [Source | string | undefined, string][] = [
    ...[...account.key, account.name, account.email].map((
      source,
    ): [string | undefined, string] => [source, SOMETHING]),
    ...Object.entries(kinds).map(([name, { from }]): [string, string] => [from, known(values, name)]),
  ];
  return sources.flatMap(([source, value]) =>
    source?.startsWith(`${where}:`) ? [[source.slice(where.length + 1), value]] : []
  );
}

function tokenOf(provider: Provider, fill: Fill, read: readonly [string, string][]): Facts["token"] {
  const { token_response: at, token_endpoint, refresh_endpoint, basic_credentials } = provider;
  const basic = basic_credentials === "raw" ? "basic_raw" : "basic_urlencoded";
  const names = ["access_token", "refresh_token", "expires_in", "refresh_token_expires_in"] as const;
  const answer = (issued: Issued) =>
    objectOf([
      ...names.map((name): [string, unknown] => [at[name][0] ?? "", issued[name]]),
      [at.token_type[0] ?? "", "Bearer"],
      [at.scope[0] ?? "", issued.scope.join(provider.scope_separator)],
      ...read,
    ]);
  return {
    ...TOKEN,
    endpoints: [...new Set([token_endpoint, refresh_endpoint])].map((url) => ({ url: place(fill(url)) })),
    client_authentication: [provider.token_endpoint_auth_method === "client_secret_post" ? "body" : basic],
    format: provider.token_request_format === "json" ? "json" : "form",
    answer,
    over: [{ ...oauthError("invalid_grant"), body: objectOf([[at.error[0] ?? "error", "invalid_grant"]]) }],
  };
}

function revocationsOf(provider: Provider, fill: Fill): RevocationFacts[] {
  const { revocation } = provider;
  if (revocation === undefined || revocation.method === "GET") return [];
  const { url, method, auth, format, parameters } = revocation;
  const [parameter = "token"] = Object.keys(parameters).filter((name) =>
    /_token\}/.test(parameters[name] ?? "")
  );
  const client = tokenOf(provider, fill, []).client_authentication;
  const more = { method, parameter, formats: format === "none" ? [] : [format] };
  const own = rfc7009(place(fill(url)), auth === "basic" ? ["basic_raw", "basic_urlencoded"] : client, more);
  return [{ ...own, ...(auth === "bearer" && { auth }), ends: { access: "grant", refresh: "grant" } }];
}

function apiOf({ api, account }: Provider, fill: Fill, read: readonly [string, string][]): ApiFacts {
  const base = fill(api.base).replace(/\/$/, "");
  const { url: asked = "", method = "GET" } = account.request ?? {};
  const url = new URL(fill(asked.startsWith("/") ? base + asked : asked || base));
  const query = Object.fromEntries(url.searchParams);
  const who = { method, url: place(url.href), query, answer: () => objectOf(read) };
  return {
    ...API,
    base,
    thing: `${base}/thing`,
    scheme: api.headers.authorization?.split(" ")[0] ?? "",
    accounts: account.request ? [who] : [],
    dead: api.token_refused.map(answerOf),
    limits: api.rate_limit.signals.map(answerOf).map(({ headers, ...answer }): Limit => ({
      ...answer,
      headers: () => ({ ...headers, "retry-after": String(WAIT) }),
      wait: WAIT,
    })),
  };
}

/** An answer that is told by this signal. */
function answerOf(signal: Signal): Answer {
  if (typeof signal === "number") return { status: signal, body: { error: "refused" } };
  if ("path" in signal) return { status: signal.status, body: objectOf([[signal.path, signal.is[0]]]) };
  return {
    status: signal.status,
    body: { error: "refused" },
    headers: { [signal.header]: signal.is?.[0] ?? "1" },
  };
}

/** Origin and path. */
function place(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** An object with these values at these dotted paths; an empty path is none. */
function objectOf(entries: readonly (readonly [path: string, value: unknown])[]): object {
  const whole: Record<string, unknown> = {};
  for (const [path, value] of entries.filter(([path]) => path !== "")) {
    const keys = path.split(".");
    const last = keys.pop() ?? "";
    const inner = keys.reduce<Record<string, unknown>>(
      (object, key) => (object[key] ??= {}) as Record<string, unknown>,
      whole,
    );
    inner[last] = value;
  }
  return whole;
}
