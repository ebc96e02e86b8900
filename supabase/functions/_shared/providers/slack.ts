import { define } from "./define.ts";

/** Of the user, which a bot's would stand beside. */
export const slack = define({
  name: "slack",
  documentation: "https://docs.slack.dev/authentication/using-token-rotation",
  authorization_endpoint: "https://slack.com/oauth/v2/authorize",
  token_endpoint: "https://slack.com/api/oauth.v2.access",
  revocation_endpoint: { url: "https://slack.com/api/auth.revoke", auth: "bearer" },
  token_endpoint_auth_method: "client_secret_post",
  code_challenge_methods_supported: [],
  scopes: ["users:read"],
  scope_separator: ",",
  authorization_parameters: { response_type: null, scope: null, user_scope: "{scope}" },
  // The exchange nests what is the user's; a refresh does not.
  token_response: {
    access_token: ["authed_user.access_token", "access_token"],
    refresh_token: ["authed_user.refresh_token", "refresh_token"],
    expires_in: ["authed_user.expires_in", "expires_in"],
    scope: ["authed_user.scope", "scope"],
    token_type: [],
  },
  default_expires_in: 43_200,
  // The page above: token rotation is a setting of the client. Without it a token has no end, and no successor.
  refresh_token_optional: true,
  invalid_grant_synonyms: ["invalid_refresh_token", "token_revoked", "token_expired"],
  account: {
    request: "/auth.test",
    key: ["account:team_id", "account:user_id"],
    name: "account:team",
  },
  api: {
    base: "https://slack.com/api",
    // https://docs.slack.dev/apis/web-api: nearly every method may be called by GET, also one that changes something.
    changing_gets: ["/*"],
    // Slack answers 200 and says in the body what it means.
    token_refused: [401, {
      status: 200,
      path: "error",
      is: ["token_expired", "invalid_auth", "token_revoked"],
    }],
    rate_limit: { signals: [429, { status: 200, path: "error", is: ["ratelimited"] }] },
    failed: [{ status: 200, path: "ok", is: [false] }],
  },
});
