import { define } from "./define.ts";

const API = "https://api.pipedrive.com";
const DAILY = "x-daily-ratelimit-token";

export const pipedrive = define({
  name: "pipedrive",
  documentation: "https://pipedrive.readme.io/docs/marketplace-oauth-authorization",
  authorization_endpoint: "https://oauth.pipedrive.com/oauth/authorize",
  token_endpoint: "https://oauth.pipedrive.com/oauth/token",
  revocation_endpoint: "https://oauth.pipedrive.com/oauth/revoke",
  basic_credentials: "raw",
  // Neither PKCE nor `response_type` is documented; the official SDK sends neither. Scopes belong to the client.
  code_challenge_methods_supported: [],
  authorization_parameters: { response_type: null },
  // Documented both ways: the refresh step returns the same token, yet the status codes page refuses one "already
  // exchanged". Unclear counts as spent.
  revokes_on_reuse: false,
  refresh_token_idle_lifetime: 60 * 24 * 60 * 60,
  // One documented token response has no `api_domain`; the generic host serves every company, only slower.
  values: {
    api_domain: { kind: "origin", from: "token:api_domain", under: ["pipedrive.com"], default: API },
  },
  // https://pipedrive.readme.io/docs/marketplace-getting-user-data: one user can belong to several companies.
  account: {
    request: "/api/v1/users/me",
    key: ["account:data.company_id", "account:data.id"],
    name: "account:data.company_name",
    email: "account:data.email",
  },
  api: {
    base: "{api_domain}",
    // Pipedrive says first whether it succeeded.
    failed: [{ status: 200, path: "success", is: [false] }],
    // https://pipedrive.readme.io/docs/core-api-concepts-rate-limiting; the daily ones are sent, though not documented.
    // The reset counts the seconds left of a window of 2 s, or of a penalty of 10 s; when the day ends is not said.
    rate_limit: {
      reset: { "x-ratelimit-reset": "delta" },
      longest_reset: 10,
      spent: { header: `${DAILY}-remaining`, retry_after: 3600 },
      headers: ["x-ratelimit-limit", "x-ratelimit-remaining", `${DAILY}-limit`, `${DAILY}-remaining`],
    },
  },
  // https://pipedrive.readme.io/docs/app-uninstallation
  uninstall_notice: { key: ["company_id", "user_id"], occurred_at: "timestamp" },
});
