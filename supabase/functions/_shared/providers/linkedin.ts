import { define } from "./define.ts";

/** Refresh tokens are for LinkedIn's partners; without one set `rotation: "none"`, and a user connects every 60 days. */
export const linkedin = define({
  name: "linkedin",
  documentation:
    "https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens",
  authorization_endpoint: "https://www.linkedin.com/oauth/v2/authorization",
  token_endpoint: "https://www.linkedin.com/oauth/v2/accessToken",
  revocation_endpoint: {
    url: "https://www.linkedin.com/oauth/v2/revoke",
    parameters: { token: "{refresh_token}" },
  },
  token_endpoint_auth_method: "client_secret_post",
  code_challenge_methods_supported: [],
  scopes: ["openid", "profile", "email"],
  default_expires_in: 60 * 24 * 60 * 60,
  // The same refresh token each time, whose end was fixed at the first consent.
  rotation: "reusable",
  account: { request: "/v2/userinfo", key: ["account:sub"], name: "account:name", email: "account:email" },
  api: { base: "https://api.linkedin.com", caller_headers: ["linkedin-version"] },
});
