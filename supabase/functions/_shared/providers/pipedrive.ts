import type { Provider } from "../oauth/client.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

/** https://pipedrive.readme.io/docs/marketplace-oauth-authorization */
export const pipedrive: Provider = {
  name: "pipedrive",
  authorization_endpoint: "https://oauth.pipedrive.com/oauth/authorize",
  token_endpoint: "https://oauth.pipedrive.com/oauth/token",
  revocation_endpoint: "https://oauth.pipedrive.com/oauth/revoke",
  token_endpoint_auth_method: "client_secret_basic",
  basic_credentials_as_they_are: true,
  // Neither PKCE nor `response_type` is documented; the official SDK sends neither.
  code_challenge_methods_supported: [],
  response_type_omitted: true,
  // The scopes belong to the client (Developer Hub) and are not sent.
  scopes: [],
  scope_separator: ",",
  default_expires_in: 3600,
  // Documented both ways: the refresh step returns the same token, yet the status codes page refuses one "already
  // exchanged". Unclear counts as spent.
  reuse_grace_ms: 0,
  revokes_on_reuse: false,
  // A refresh token dies after 60 days without use.
  keep_alive_ms: 30 * DAY_MS,
  api: {
    // One documented token response has no `api_domain`; the generic host serves every company, only slower.
    origin_member: "api_domain",
    default_origin: "https://api.pipedrive.com",
    origins: /^https:\/\/[a-z0-9][a-z0-9-]{0,62}\.pipedrive\.com$/,
  },
  // https://pipedrive.readme.io/docs/marketplace-getting-user-data: one user can belong to several companies.
  account: {
    path: "/api/v1/users/me",
    key: ["data.company_id", "data.id"],
    name: "data.company_name",
    email: "data.email",
  },
};
