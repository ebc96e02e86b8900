/** Where the documentation is silent or wrong, a switch; the default is the first named. */
export interface Switches {
  /** true: every refresh gives a new refresh token and spends the one presented. */
  rotate_refresh: boolean;
  /** 0. How long a spent refresh token still works, answering with its successor. */
  reuse_grace_ms: number;
  /** false. A spent refresh token presented again ends the whole installation. */
  revoke_on_reuse: boolean;
  /** false. A refresh ends the access tokens before it. */
  old_access_dies: boolean;
  /** 401. With Basic credentials; credentials in the body always answer 400. */
  invalid_client_status: 401 | 400;
  /** "gateway". The 401 body for an access token that was good once. */
  expired_body: "gateway" | "invalid_token";
  /** false. The callback gets `code` without `state`, as for an installation begun in Pipedrive. */
  marketplace_install: boolean;
  /** "user_denied". */
  deny_error: string;
  /** "number". How the token response tells the lifetime. */
  expires_in: "number" | "string" | "zero" | "missing";
  /** 3600. `expires_in` says one second less. */
  access_lifetime_s: number;
  /** 60 days. */
  refresh_idle_ms: number;
  /** false. true: a refresh brings no refresh token back, the one presented stays good; "always": an exchange neither. */
  omit_refresh_token: boolean | "always";
  /** false. */
  omit_api_domain: boolean;
  /** null: the company's own (or the sandbox's) origin; a text is sent as it is. */
  api_domain: string | null;
  /** "clamp". What a `limit` above 500 does. */
  limit_over_max: "clamp" | "400";
  /** false. */
  daily_headers: boolean;
  /** null: no end. Tokens per company and day; a search costs 20, users/me 2. */
  daily_budget: number | null;
  /** true. Whether answers and 429s carry `x-ratelimit-*`. */
  rate_headers: boolean;
  /** 10. Searches per 2 s and access token; null: no limit. */
  search_burst: number | null;
  /** 80. Other API requests per 2 s and access token; null: no limit. */
  api_burst: number | null;
  /** false. Whether our own revoke causes the uninstall notice. */
  uninstall_on_revoke: boolean;
  /** true. Whether a second exchange for the same account ends the first one's tokens. */
  reinstall_ends_old: boolean;
  /** 0. The token endpoint acts at once and answers this much later: who hangs up meanwhile has spent the token. */
  token_latency_ms: number;
  /** 0. The same for the API. */
  api_latency_ms: number;
  /** ["base", "contacts:read"]. More scopes end living access tokens; refresh tokens keep the scopes they were granted. */
  scopes: string[];
  /** []. Company ids that answer "App cannot be installed for requested company". */
  blocked_companies: number[];
}

export const DEFAULT_SWITCHES: Readonly<Switches> = {
  rotate_refresh: true,
  reuse_grace_ms: 0,
  revoke_on_reuse: false,
  old_access_dies: false,
  invalid_client_status: 401,
  expired_body: "gateway",
  marketplace_install: false,
  deny_error: "user_denied",
  expires_in: "number",
  access_lifetime_s: 3600,
  refresh_idle_ms: 60 * 24 * 60 * 60 * 1000,
  omit_refresh_token: false,
  omit_api_domain: false,
  api_domain: null,
  limit_over_max: "clamp",
  daily_headers: false,
  daily_budget: null,
  rate_headers: true,
  search_burst: 10,
  api_burst: 80,
  uninstall_on_revoke: false,
  reinstall_ends_old: true,
  token_latency_ms: 0,
  api_latency_ms: 0,
  scopes: ["base", "contacts:read"],
  blocked_companies: [],
};
