import type { Provider, Signal, TokenField } from "../../../supabase/functions/_shared/oauth/provider.ts";
import { fillUrl } from "../../../supabase/functions/_shared/oauth/template.ts";
import { accountsOf } from "./account_from_definition.ts";
import { CLIENT } from "./client.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  HOUR,
  idToken,
  LIFE,
  lives,
  oauthError,
  retryAfter,
  rfc7009,
  TOKEN,
} from "./facts/common.ts";
import { nested } from "./nested.ts";
import type { Answer, ClientAuthentication, Facts, Issued, RevocationFacts } from "./types.ts";

/** A value of each kind. */
const EXAMPLES = { label: "acme", host: "acme.", origin: "https://acme.", segment: "acme", text: "acme" };

/**
 * Facts of a provider of whom nobody has written any: what its definition says, believed. It shows that the definition
 * holds together, not that it is right.
 */
export function factsFrom(provider: Provider): Facts {
  const values = Object.fromEntries(
    Object.keys(provider.values).map((name) => [name, exampleOf(provider, name)]),
  );
  const url = (template: string) => fillUrl(template, { ...values, client_id: CLIENT.client_id }) ?? "";
  const pkce = provider.code_challenge_methods_supported.length > 0;
  const { api, authorization_parameters: asked } = provider;
  const base = url(api.base).replace(/\/$/, "");
  const scope_parameters = Object.keys(asked).filter((name) => asked[name] === "{scope}");
  return {
    name: provider.name,
    values,
    authorization: {
      ...AUTHORIZATION,
      endpoint: new URL(url(provider.authorization_endpoint)).origin +
        new URL(url(provider.authorization_endpoint)).pathname,
      required: asked.response_type === null ? {} : { response_type: null },
      code_challenge: pkce ? "required" : "refused",
      scope_parameters: scope_parameters.length > 0 ? scope_parameters : ["scope"],
      scope_separators: [provider.scope_separator === "," ? "," : " "],
      offline: () => provider.rotation !== "none",
      redirect: Object.fromEntries(sourced(provider, "redirect", values)),
    },
    token: {
      ...TOKEN,
      endpoints: [provider.token_endpoint, provider.refresh_endpoint].map((template) => ({
        url: url(template),
      })),
      client_authentication: [authentication(provider)],
      format: provider.token_request_format === "json" ? "json" : "form",
      answer: (issued) => ({
        ...tokensOf(provider, issued, sourced(provider, "token", values)),
        id_token: idToken(issued, {
          iss: url(provider.issuer ?? ""),
          ...nested(sourced(provider, "id_token", values)),
        }),
      }),
      refused: {
        ...TOKEN.refused,
        invalid_code: refusalOf(provider),
        invalid_client: refusalOf(provider, "invalid_client"),
      },
      over: [refusalOf(provider)],
    },
    life: {
      ...LIFE,
      rotation: provider.rotation === "reusable" ? "reusable" : "single_use",
      lifetimes: lives(provider.default_expires_in === "never" ? Infinity : HOUR),
    },
    revocations: provider.revocation ? [revocationOf(provider, url)] : [],
    api: {
      ...API,
      base,
      thing: `${base}/thing`,
      scheme: (api.headers.authorization ?? "Bearer ").split(" {")[0] ?? "",
      accounts: accountsOf(provider, base, url, values),
      dead: [answerTo(api.token_refused[0], 401)],
      limits: [{
        ...retryAfter({}),
        ...answerTo(api.rate_limit.signals[0], 429),
        headers: retryAfter({}).headers,
      }],
    },
  };
}

function exampleOf({ values, name }: Provider, own: string): string {
  const value = values[own];
  if (value?.default !== undefined) return value.default;
  const [first] = value?.one_of ?? [];
  if (first !== undefined) return first;
  const example = EXAMPLES[value?.kind ?? "text"];
  return example.endsWith(".") ? `${example}${value?.under?.[0] ?? `${name}.example`}` : example;
}

/** What values say that are read of such answers. */
function sourced(
  provider: Provider,
  word: string,
  values: Readonly<Record<string, string>>,
): [string, string][] {
  const read = Object.entries(provider.values).map(([name, { from }]) => [from, values[name] ?? ""] as const);
  const keys = provider.account.key.map((source) => [source, "7"] as const);
  return [...keys, ...read].flatMap(([from, example]) =>
    from.startsWith(`${word}:`) ? [[from.slice(word.length + 1), example] as [string, string]] : []
  );
}

function authentication(
  { token_endpoint_auth_method: how, basic_credentials }: Provider,
): ClientAuthentication {
  if (how === "client_secret_post") return "body";
  if (how === "client_secret_basic") return basic_credentials === "raw" ? "basic_raw" : "basic_urlencoded";
  throw new Error(`no stand-in proves a client by ${how}: write its facts`);
}

function tokensOf(provider: Provider, issued: Issued, more: readonly [string, string][]): object {
  const { access_token, expires_in, scope } = issued;
  const again = provider.rotation === "reusable" && issued.grant_type === "refresh_token";
  const told: Partial<Record<TokenField, unknown>> = {
    ...{ access_token, expires_in, scope: scope.join(" "), token_type: "Bearer" },
    ...(!again && { refresh_token: issued.refresh_token }),
  };
  const own = Object.entries(told).flatMap(([field, value]) => {
    const [path] = provider.token_response[field as TokenField];
    return path === undefined ? [] : [[path, value] as const];
  });
  return nested([...own, ...more]);
}

function refusalOf({ token_response }: Provider, error = "invalid_grant"): Answer {
  return answer(oauthError(error).status, nested([[token_response.error[0] ?? "error", error]]));
}

function revocationOf(
  { revocation, ...provider }: Provider,
  url: (template: string) => string,
): RevocationFacts {
  const { auth = "client", method = "POST", format = "form", parameters = {} } = revocation ?? {};
  const [parameter = "token"] = Object.keys(parameters).filter((name) =>
    /_token\}/.test(parameters[name] ?? "")
  );
  const basic: ClientAuthentication = provider.basic_credentials === "raw" ? "basic_raw" : "basic_urlencoded";
  return rfc7009(
    url(revocation?.url ?? ""),
    auth === "basic" ? [basic] : [authentication(provider as Provider)],
    {
      method: method === "DELETE" ? "DELETE" : "POST",
      formats: format === "none" ? [] : [format],
      parameter,
      ends: { access: "grant", refresh: "grant" },
      ...(auth === "bearer" && { auth }),
    },
  );
}

function answerTo(signal: Signal | undefined, otherwise: number): Answer {
  if (signal === undefined || typeof signal === "number") return answer(signal ?? otherwise, {});
  if ("header" in signal) {
    return { ...answer(signal.status, {}), headers: { [signal.header]: signal.is[0] ?? "" } };
  }
  return answer(signal.status, nested([[signal.path, signal.is[0]]]));
}
