/** Where the documentation is silent, or the field contradicts it, a switch; the value here holds until it is turned. */
export const DEFAULT_SWITCHES = {
  /** Every refresh gives a new refresh token and spends the one presented; false, as documented: it comes back. */
  rotate_refresh: true,
  /** How long a spent refresh token still works, answering with its successor. */
  reuse_grace_ms: 0,
  /** A spent refresh token presented again ends the whole installation. */
  revoke_on_reuse: false,
  /** A refresh ends the access tokens before it. */
  old_access_dies: false,
  /** No answer brings a refresh token; the one presented stays good. */
  omit_refresh_token: false,
  /** Whether a second exchange for the same account ends the first one's tokens. */
  reinstall_ends_old: true,
  /** Our own revoke causes the uninstall notice. */
  uninstall_on_revoke: false,
  /** The 401 body for an access token that was good once. */
  expired_body: "gateway" as "gateway" | "invalid_token",
  /** `expires_in` says one second less. */
  access_lifetime_s: 3600,
  /** null: the company's own (or the sandbox's) origin; a text is sent as it is. */
  api_domain: null as string | null,
  /** More scopes end living access tokens; refresh tokens keep the scopes they were granted. */
  scopes: ["base", "contacts:read"],
  /** Searches per 2 s and access token; null: no limit. */
  search_burst: 10 as number | null,
  /** Tokens per company and day, of which the headers then tell; null: no end, and nothing is told. */
  daily_budget: null as number | null,
  /** The token endpoint acts at once and answers this much later: who hangs up meanwhile has spent the token. */
  token_latency_ms: 0,
  /** The same for the API. */
  api_latency_ms: 0,
};

export type Switches = typeof DEFAULT_SWITCHES;
