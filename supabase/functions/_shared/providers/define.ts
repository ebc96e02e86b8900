import * as v from "valibot";
import type { Definition, Provider, Request, Revocation, TokenField } from "../oauth/provider.ts";
import { rulesBroken } from "./rules.ts";
import { shape } from "./shape.ts";

/**
 * A definition with every default in its place, checked when it is loaded: what is wrong with it nobody finds out after
 * having consented.
 *
 * @throws {TypeError} naming the provider, the key and what it may be, all that is wrong at once
 */
export function define(definition: Definition): Provider {
  const { success, issues } = v.safeParse(shape, definition);
  const problems = success ? rulesBroken(definition) : issues.map(sentence);
  if (problems.length > 0) {
    const name = typeof definition?.name === "string" ? definition.name : "a provider without a name";
    throw new TypeError(`${name}: ${problems.join("; ")}`);
  }
  return withDefaults(definition);
}

function withDefaults(definition: Definition): Provider {
  const { account, api, revocation_endpoint, rotation = "single_use", ...own } = definition;
  const { rate_limit = {} } = api;
  const headers = api.headers ?? { authorization: "Bearer {access_token}" };
  return {
    refresh_endpoint: own.token_endpoint,
    authorization_response_iss_parameter_supported: false,
    code_challenge_methods_supported: ["S256"],
    token_endpoint_auth_method: "client_secret_basic",
    basic_credentials: "urlencoded",
    scopes: [],
    scope_separator: " ",
    authorization_parameters: {},
    token_parameters: {},
    refresh_parameters: {},
    token_request_format: "form",
    token_request_headers: {},
    expires_in_is: "seconds",
    default_expires_in: rotation === "none" ? "never" : 3600,
    refresh_token_optional: false,
    reuse_grace: 0,
    revokes_on_reuse: rotation === "single_use",
    invalid_grant_synonyms: [],
    values: {},
    ...own,
    rotation,
    redirect_parameters: { code: "code", state: "state", ...own.redirect_parameters },
    token_response: tokenResponse(own.token_response),
    revocation: revocationOf(revocation_endpoint),
    account: { ...account, request: requestOf(account.request) },
    api: {
      bases: {},
      query: {},
      token_refused: [401],
      failed: [],
      changing_gets: [],
      caller_headers: [],
      ...api,
      headers,
      rate_limit: { signals: [429], reset: {}, longest_reset: 3600, headers: [], ...rate_limit },
    },
  };
}

function tokenResponse(own: Definition["token_response"] = {}): Provider["token_response"] {
  const paths = (field: TokenField) => [own[field] ?? field].flat();
  return {
    access_token: paths("access_token"),
    refresh_token: paths("refresh_token"),
    expires_in: paths("expires_in"),
    scope: paths("scope"),
    refresh_token_expires_in: paths("refresh_token_expires_in"),
    token_type: paths("token_type"),
    error: paths("error"),
  };
}

function requestOf(request: string | Request | undefined): Request | undefined {
  return typeof request === "string" ? { url: request } : request;
}

/** RFC 7009 §2.1: the refresh token takes the access tokens with it. */
function revocationOf(endpoint: Definition["revocation_endpoint"]): Revocation | undefined {
  if (endpoint === undefined) return undefined;
  const own = typeof endpoint === "string" ? { url: endpoint } : endpoint;
  const token: Revocation["parameters"] = own.auth === "bearer"
    ? {}
    : { token: "{refresh_token}", token_type_hint: "refresh_token" };
  return {
    method: "POST",
    auth: "client",
    format: own.auth === "bearer" ? "none" : "form",
    parameters: token,
    ...own,
  };
}

type Issue = v.BaseIssue<unknown>;

/** What is wrong, with the key that is. */
function sentence(issue: Issue): string {
  const path = issue.path?.map(({ key }) => String(key)).join(".") ?? "";
  const key = path === "" ? "the definition" : `"${path}"`;
  if (issue.type === "strict_object" && issue.expected === "never") {
    return `${key} is unknown${nearest(issue)}`;
  }
  if (issue.received === "undefined") return `${key} is missing`;
  return `${key} ${issue.message}`;
}

function nearest({ path }: Issue): string {
  const wrong = String(path?.at(-1)?.key ?? "");
  const names = (path?.length === 1 ? Object.keys(shape.entries) : [...KEYS]).filter((name) =>
    name !== wrong
  );
  const [best] = names.map((name) => ({ name, far: distance(wrong, name) })).sort((a, b) => a.far - b.far);
  return best && best.far <= Math.max(2, wrong.length / 3) ? `: is it "${best.name}"` : "";
}

/** Below the first level. */
const KEYS = new Set(
  "request key name email base bases headers query token_refused failed rate_limit signals reset longest_reset spent \
header retry_after changing_gets caller_headers url method auth format parameters body kind from under one_of default \
label status path is code state access_token refresh_token expires_in scope refresh_token_expires_in token_type error \
occurred_at because token_response".split(/\s+/),
);

/** Letters to change, add or leave out (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const same = one[i - 1] === other[j - 1] ? 0 : 1;
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + same));
    }
    row = next;
  }
  return row[other.length] ?? 0;
}
