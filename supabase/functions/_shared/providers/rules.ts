import type { Definition, Template, Value } from "../oauth/provider.ts";
import { placeholders } from "../oauth/template.ts";
import { judge } from "../oauth/values.ts";

/** What a template may name beside values. */
const BUILT_IN = {
  authorization: [
    "client_id",
    "redirect_uri",
    "random",
    "state",
    "scope",
    "code_challenge",
    "code_challenge_method",
  ],
  exchange: ["client_id", "client_secret", "redirect_uri", "code", "code_verifier"],
  refresh: ["client_id", "client_secret", "redirect_uri", "access_token", "refresh_token"],
  api: ["client_id", "client_secret", "access_token"],
} as const;

/** Headers that are not a caller's to set. */
const OURS = new Set([
  ..."accept-encoding authorization connection content-length cookie expect host keep-alive origin proxy-authorization"
    .split(" "),
  ..."referer te trailer transfer-encoding upgrade user-agent via forwarded x-http-method-override apikey"
    .split(" "),
]);

type Problem = string;

/** What shapes cannot say, as sentences. */
export function rulesBroken(definition: Definition): Problem[] {
  return [
    ...endpointProblems(definition),
    ...parameterProblems(definition),
    ...Object.entries(definition.values ?? {}).flatMap(([name, value]) => valueProblems(name, value)),
    ...clientProblems(definition),
    ...tokenProblems(definition),
    ...accountProblems(definition),
    ...apiProblems(definition),
  ];
}

type Values = NonNullable<Definition["values"]>;

function endpointProblems(definition: Definition): Problem[] {
  const { values = {}, revocation_endpoint, issuer } = definition;
  const revocation = typeof revocation_endpoint === "string" ? revocation_endpoint : revocation_endpoint?.url;
  return [
    ...addressProblems("documentation", definition.documentation, {}, []),
    ...(issuer === undefined ? [] : addressProblems("issuer", issuer, values, [])),
    ...addressProblems("authorization_endpoint", definition.authorization_endpoint, values, ["client_id"]),
    ...addressProblems("token_endpoint", definition.token_endpoint, values, ["client_id"]),
    ...addressProblems("refresh_endpoint", definition.refresh_endpoint, values, ["client_id"]),
    ...addressProblems("revocation_endpoint", revocation, values, BUILT_IN.refresh),
  ];
}

/** https, a host that stays within its site whatever is filled in, and placeholders that exist. */
function addressProblems(
  key: string,
  template: Template | undefined,
  values: Values,
  built_in: readonly string[],
): Problem[] {
  if (template === undefined) return [];
  const unknown = unknownIn(key, template, [...Object.keys(values), ...built_in]);
  if (unknown.length > 0) return unknown;
  const [, origin] = /^\{([a-z0-9_]+)\}(?=\/|$)/.exec(template) ?? [];
  if (origin !== undefined) {
    return values[origin]?.kind === "origin" ? [] : [`"${key}" begins with {${origin}}, which is no origin`];
  }
  const [, host, path = ""] = /^https:\/\/([^/?#]+)([/?#].*)?$/.exec(template) ?? [];
  if (host === undefined) return [`"${key}" must begin with https:// or with an origin`];
  return [...hostProblems(key, host, values), ...pathProblems(key, path, values)];
}

function hostProblems(key: string, host: string, values: Values): Problem[] {
  const names = placeholders(host);
  if (names.length === 0) {
    const url = URL.canParse(`https://${host}`) ? new URL(`https://${host}`) : null;
    return url?.host === host && !/[:@]/.test(host) ? [] : [`"${key}" must have a plain host`];
  }
  if (names.length === 1 && host === `{${names[0]}}`) {
    return values[names[0] ?? ""]?.kind === "host"
      ? []
      : [`"${key}" has {${names[0]}} as its host, which is none`];
  }
  const labels = names.filter((name) => !["label"].includes(values[name]?.kind ?? ""));
  if (labels.length > 0) return [`"${key}" has {${labels[0]}} in its host, which must be a label`];
  const own = host.split("}").at(-1) ?? "";
  const whole = host.split(".").every((label) => !label.includes("{") || /^\{[a-z0-9_]+\}$/.test(label));
  const ends = /^(?:\.[a-z0-9-]+){2,}$/.test(own);
  return whole && ends
    ? []
    : [`"${key}" has a host that can leave its site: it must end in the provider's domain`];
}

function pathProblems(key: string, path: string, values: Values): Problem[] {
  return placeholders(path).flatMap((name) =>
    ["host", "origin"].includes(values[name]?.kind ?? "")
      ? [`"${key}" has {${name}} in its path, which is a whole ${values[name]?.kind}`]
      : []
  );
}

function unknownIn(key: string, template: Template, known: readonly string[]): Problem[] {
  const stray = template.replace(/\{[a-z][a-z0-9_]*\}/g, "");
  if (/[{}]/.test(stray)) return [`"${key}" has a brace that opens or closes no placeholder`];
  return placeholders(template).filter((name) => !known.includes(name)).map((name) =>
    `"${key}" names {${name}}, which is no value; it may be ${known.join(", ") || "none"}`
  );
}

function parameterProblems(definition: Definition): Problem[] {
  const values = Object.keys(definition.values ?? {});
  const { authorization_parameters: asked = {}, api, account } = definition;
  const of = (
    key: string,
    texts: Readonly<Record<string, Template | null>> = {},
    built_in: readonly string[],
  ) =>
    Object.entries(texts).flatMap(([name, template]) =>
      template === null ? [] : unknownIn(`${key}.${name}`, template, [...values, ...built_in])
    );
  const state = "state" in asked && asked.state !== "{state}" &&
    !Object.values(asked).includes("{state}");
  const request = typeof account.request === "object" ? account.request : undefined;
  return [
    ...of("authorization_parameters", asked, BUILT_IN.authorization),
    ...of("token_parameters", definition.token_parameters, BUILT_IN.exchange),
    ...of("refresh_parameters", definition.refresh_parameters, BUILT_IN.refresh),
    ...of("token_request_headers", definition.token_request_headers, ["client_id"]),
    ...of("api.headers", api.headers, BUILT_IN.api),
    ...of("api.query", api.query, BUILT_IN.api),
    ...of("account.request.headers", request?.headers, BUILT_IN.api),
    ...of("account.request.body", request?.body, BUILT_IN.api),
    ...(state ? ['"authorization_parameters.state" must be "{state}": without it nobody is told apart'] : []),
  ];
}

function valueProblems(name: string, value: Value): Problem[] {
  const key = `values.${name}`;
  const { kind, under, one_of, default: own, from, label } = value;
  const far = kind === "host" || kind === "origin";
  const built_in = Object.values(BUILT_IN).flat() as string[];
  const limits = [...(under ?? []), ...(one_of ?? [])];
  return [
    ...(built_in.includes(name) || name in {} ? [`"${key}" has the name of something else`] : []),
    ...(under && !far ? [`"${key}.under" is for a host or an origin`] : []),
    ...(far && limits.length === 0 && from !== "deployment"
      ? [`"${key}" is a whole ${kind} and needs "under" or "one_of"`]
      : []),
    ...(under?.some((domain) => !/^(?:[a-z0-9-]+\.)+[a-z]{2,}$/.test(domain))
      ? [`"${key}.under" must be domains of at least two labels`]
      : []),
    ...(label !== undefined && from !== "user" ? [`"${key}.label" is for a value that the user gives`] : []),
    ...(own !== undefined && judge({ api_origins: [], hosts: [] }, value, own) !== own
      ? [`"${key}.default" is refused by its own kind`]
      : []),
  ];
}

function clientProblems(definition: Definition): Problem[] {
  const { token_endpoint_auth_method: how = "client_secret_basic", basic_credentials } = definition;
  const pkce = definition.code_challenge_methods_supported?.length !== 0;
  return [
    ...(how === "none" && !pkce
      ? ['"token_endpoint_auth_method" is none without PKCE: whoever sees the code could exchange it']
      : []),
    ...(basic_credentials !== undefined && how !== "client_secret_basic" && !revokesWithBasic(definition)
      ? ['"basic_credentials" is for client_secret_basic']
      : []),
  ];
}

function revokesWithBasic({ revocation_endpoint }: Definition): boolean {
  return typeof revocation_endpoint === "object" && revocation_endpoint.auth === "basic";
}

function tokenProblems(definition: Definition): Problem[] {
  const { rotation = "single_use", reuse_grace, revokes_on_reuse, default_expires_in } = definition;
  const without = [
    "refresh_endpoint",
    "refresh_parameters",
    "refresh_token_idle_lifetime",
    "refresh_ahead",
    "refresh_token_optional",
  ] as const;
  const may_lack = rotation === "none" || definition.refresh_token_optional;
  return [
    ...(rotation === "none"
      ? without.filter((key) => definition[key] !== undefined).map((key) =>
        `"${key}" has no effect with rotation none`
      )
      : []),
    ...(may_lack && definition.account.request === undefined
      ? ['"account.request" is missing: without a refresh token it says whether a token is over']
      : []),
    ...(rotation !== "single_use" && (reuse_grace !== undefined || revokes_on_reuse)
      ? ['"reuse_grace" and "revokes_on_reuse" are for rotation single_use']
      : []),
    ...(default_expires_in === 0 ? ['"default_expires_in" must be more than 0, or "never"'] : []),
  ];
}

function accountProblems({ account, api, values = {} }: Definition): Problem[] {
  const { request, key, name, email } = account;
  const url = typeof request === "object" ? request.url : request;
  const below = url?.startsWith("/") ? api.base + url : url;
  const sources = [...key, name, email].filter((source) => source !== undefined);
  const from = Object.values(values).map((value) => value.from as string);
  const asked = [...sources, ...from].some((source) => source.startsWith("account:"));
  const late = Object.entries(values).filter(([, { from }]) => from.startsWith("account:")).map(([own]) =>
    own
  );
  const circular = below !== undefined && placeholders(below).some((own) => late.includes(own));
  const confirmed = (source: string) => {
    const [word, path = ""] = source.split(/:(.*)/s);
    if (word !== "redirect" && word !== "value") return true;
    const names = word === "value"
      ? [path]
      : Object.entries(values).filter(([, value]) => value.from === source).map(([own]) => own);
    return below !== undefined && names.some((own) => placeholders(below).includes(own));
  };
  return [
    ...(url === undefined
      ? []
      : addressProblems("account.request", below, values, ["client_id", "access_token"])),
    ...(circular ? ['"account.request" is made below what only its own answer says'] : []),
    ...(asked && request === undefined ? ['"account.request" is missing: a source reads its answer'] : []),
    ...key.filter((source) => !confirmed(source)).map((source) =>
      `"account.key" takes ${source} unconfirmed: the account request's address must hold it`
    ),
    ...sources.filter((source) => source.startsWith("value:") && !(source.slice(6) in values)).map((source) =>
      `"account" reads ${source}, which is no value`
    ),
  ];
}

function apiProblems({ api, values = {} }: Definition): Problem[] {
  const bases = Object.entries(api.bases ?? {});
  const ours = (api.caller_headers ?? []).filter((name) => OURS.has(name) || name in (api.headers ?? {}));
  return [
    ...addressProblems("api.base", api.base, values, []),
    ...bases.flatMap(([name, base]) => addressProblems(`api.bases.${name}`, base, values, [])),
    ...ours.map((name) => `"api.caller_headers" holds ${name}, which is not a caller's to set`),
    ...[api.base, ...bases.map(([, base]) => base)].filter((base) => /[?#]/.test(base)).map(() =>
      '"api.base" must have no query and no fragment'
    ),
  ];
}
