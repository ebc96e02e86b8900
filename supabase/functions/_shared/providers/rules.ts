import type { Definition, Template, Value } from "../oauth/provider.ts";
import { judge } from "../oauth/values.ts";
import { accountProblems } from "./account_rules.ts";
import { addressProblems, unknownIn } from "./addresses.ts";
import { type Problem, when } from "./problem.ts";

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
    ...when(state, '"authorization_parameters.state" must be "{state}": without it nobody is told apart'),
  ];
}

function valueProblems(name: string, value: Value): Problem[] {
  const key = `values.${name}`;
  const { kind, under, one_of, default: own, from, label } = value;
  const far = kind === "host" || kind === "origin";
  const built_in = Object.values(BUILT_IN).flat() as string[];
  const limits = [...(under ?? []), ...(one_of ?? [])];
  return [
    ...when(built_in.includes(name) || name in {}, `"${key}" has the name of something else`),
    ...when(under && !far, `"${key}.under" is for a host or an origin`),
    ...when(
      far && limits.length === 0 && from !== "deployment",
      `"${key}" is a whole ${kind} and needs "under" or "one_of"`,
    ),
    ...when(
      under?.some((domain) => !/^(?:[a-z0-9-]+\.)+[a-z]{2,}$/.test(domain)),
      `"${key}.under" must be domains of at least two labels`,
    ),
    ...when(label !== undefined && from !== "user", `"${key}.label" is for a value that the user gives`),
    ...when(
      own !== undefined && judge({ api_origins: [], hosts: [] }, value, own) !== own,
      `"${key}.default" is refused by its own kind`,
    ),
  ];
}

function clientProblems(definition: Definition): Problem[] {
  const { token_endpoint_auth_method: how = "client_secret_basic", basic_credentials } = definition;
  const pkce = definition.code_challenge_methods_supported?.length !== 0;
  return [
    ...when(
      how === "none" && !pkce,
      '"token_endpoint_auth_method" is none without PKCE: whoever sees the code could exchange it',
    ),
    ...when(
      basic_credentials !== undefined && how !== "client_secret_basic" && !revokesWithBasic(definition),
      '"basic_credentials" is for client_secret_basic',
    ),
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
    ...when(
      may_lack && definition.account.request === undefined,
      '"account.request" is missing: without a refresh token it says whether a token is over',
    ),
    ...when(
      rotation !== "single_use" && (reuse_grace !== undefined || revokes_on_reuse),
      '"reuse_grace" and "revokes_on_reuse" are for rotation single_use',
    ),
    ...when(default_expires_in === 0, '"default_expires_in" must be more than 0, or "never"'),
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
