import * as v from "valibot";

const text = v.pipe(v.string("must be a text"), v.nonEmpty("must not be empty"));
const flag = v.boolean("must be true or false");
const seconds = v.pipe(
  v.number("must be a number of seconds"),
  v.minValue(0, "must be a number of seconds, 0 or more"),
);
const oneOf = <const Options extends readonly string[]>(...options: Options) =>
  v.picklist(options, `must be one of ${options.join(", ")}`);
const texts = v.array(text, "must be a list of texts");
const templates = v.record(text, text, "must be an object of texts");
const parameters = v.record(text, v.nullable(text), "must be an object of texts, or null to leave one out");
const paths = v.union([text, texts], "must be a path or a list of paths");
const source = v.pipe(
  text,
  v.regex(
    /^(token|id_token|redirect|account|value):[^.\s]+(\.[^.\s]+)*$/,
    "must be a source: token:, id_token:, redirect:, account: or value: and a dotted path",
  ),
);
const header = v.pipe(text, v.regex(/^[a-z0-9-]+$/, "must be a header's name in small letters"));
const status = v.pipe(v.number("must be a status"), v.integer("must be a status"));
const signals = v.array(
  v.union([
    status,
    v.strictObject({
      status,
      path: text,
      is: v.array(v.union([v.string(), v.number(), v.boolean()]), "must be a list of what may stand there"),
    }),
    v.strictObject({ status, header, is: v.optional(texts) }),
  ], "must be a status, or { status, path, is }, or { status, header, is? }"),
  "must be a list of signals",
);

const value = v.strictObject({
  kind: oneOf("label", "host", "origin", "segment", "text"),
  from: v.union(
    [v.literal("user"), v.literal("deployment"), source],
    'must be "user", "deployment" or a source',
  ),
  under: v.optional(texts),
  one_of: v.optional(texts),
  default: v.optional(text),
  label: v.optional(text),
});

const request = v.union([
  text,
  v.strictObject({
    url: text,
    method: v.optional(oneOf("GET", "POST")),
    headers: v.optional(templates),
    body: v.optional(templates),
    format: v.optional(oneOf("json", "form")),
  }),
], "must be an address below the base, or { url, method, headers, body, format }");

const revocation = v.union([
  text,
  v.strictObject({
    url: text,
    method: v.optional(oneOf("POST", "DELETE", "GET")),
    auth: v.optional(oneOf("client", "basic", "bearer")),
    format: v.optional(oneOf("form", "json", "none")),
    parameters: v.optional(templates),
  }),
], "must be an address, or { url, method, auth, format, parameters }");

const api = v.strictObject({
  base: text,
  bases: v.optional(templates),
  headers: v.optional(templates),
  query: v.optional(templates),
  token_refused: v.optional(signals),
  failed: v.optional(signals),
  rate_limit: v.optional(v.strictObject({
    signals: v.optional(signals),
    reset: v.optional(
      v.record(header, oneOf("delta", "epoch_seconds", "epoch_milliseconds", "date"), "must be an object"),
    ),
    longest_reset: v.optional(seconds),
    spent: v.optional(v.strictObject({ header, retry_after: seconds })),
    headers: v.optional(v.array(header, "must be a list of headers")),
  })),
  changing_gets: v.optional(texts),
  caller_headers: v.optional(v.array(header, "must be a list of headers")),
});

/** What a definition may say: a key beyond it would be without effect. */
export const shape = v.strictObject({
  name: v.pipe(
    text,
    v.regex(/^[a-z][a-z0-9-]{0,31}$/, "must be small letters, digits and hyphens, beginning with a letter"),
  ),
  documentation: text,
  issuer: v.optional(text),
  authorization_response_iss_parameter_supported: v.optional(flag),
  authorization_endpoint: text,
  token_endpoint: text,
  refresh_endpoint: v.optional(text),
  revocation_endpoint: v.optional(revocation),
  code_challenge_methods_supported: v.optional(v.array(oneOf("S256"), 'must be ["S256"] or []')),
  token_endpoint_auth_method: v.optional(
    oneOf("client_secret_basic", "client_secret_post", "private_key_jwt", "none"),
  ),
  basic_credentials: v.optional(oneOf("urlencoded", "raw", "secret_as_user")),
  scopes: v.optional(texts),
  scope_separator: v.optional(text),
  authorization_parameters: v.optional(parameters),
  token_parameters: v.optional(parameters),
  refresh_parameters: v.optional(parameters),
  redirect_parameters: v.optional(v.strictObject({ code: v.optional(text), state: v.optional(text) })),
  token_request_format: v.optional(oneOf("form", "json", "query")),
  token_request_headers: v.optional(templates),
  token_response: v.optional(v.strictObject({
    access_token: v.optional(paths),
    refresh_token: v.optional(paths),
    expires_in: v.optional(paths),
    scope: v.optional(paths),
    refresh_token_expires_in: v.optional(paths),
    token_type: v.optional(paths),
    error: v.optional(paths),
  })),
  expires_in_is: v.optional(
    oneOf("seconds", "milliseconds", "minutes", "epoch_seconds", "epoch_milliseconds", "date"),
  ),
  default_expires_in: v.optional(
    v.union([seconds, v.literal("never")], 'must be a number of seconds or "never"'),
  ),
  refresh_ahead: v.optional(seconds),
  rotation: v.optional(oneOf("single_use", "reusable", "none")),
  refresh_token_optional: v.optional(flag),
  reuse_grace: v.optional(seconds),
  revokes_on_reuse: v.optional(flag),
  refresh_token_idle_lifetime: v.optional(seconds),
  invalid_grant_synonyms: v.optional(texts),
  values: v.optional(v.record(
    v.pipe(text, v.regex(/^[a-z][a-z0-9_]{0,31}$/, "must be named in small letters, digits and _")),
    value,
    "must be an object of values",
  )),
  account: v.strictObject({
    request: v.optional(request),
    key: v.pipe(v.array(source, "must be a list of sources"), v.nonEmpty("must not be empty")),
    name: v.optional(source),
    email: v.optional(source),
  }),
  api,
  uninstall_notice: v.optional(v.strictObject({ key: texts, occurred_at: text })),
  transform: v.optional(v.strictObject({ because: text, token_response: v.function("must be a function") })),
});
