import { define } from "./define.ts";

export const linkedin = define({
  name: "linkedin",
  documentation:
    "https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens",
  authorization_endpoint: "https://www.linkedin.com/oauth/v2/authorization",
  token_endpoint: "https://www.linkedin.com/oauth/v2/accessToken",
  // Not documented, and seen with access tokens alone. What is refused is tried again for a week, our own copy gone.
  revocation_endpoint: {
    url: "https://www.linkedin.com/oauth/v2/revoke",
    parameters: { token: "{access_token}" },
  },
  token_endpoint_auth_method: "client_secret_post",
  // https://learn.microsoft.com/en-us/linkedin/shared/authentication/authorization-code-flow-native: PKCE is for native
  // clients, at an address of its own; here a verifier is refused.
  code_challenge_methods_supported: [],
  scopes: ["openid", "profile", "email"],
  default_expires_in: 60 * 24 * 60 * 60,
  // The page above: a refresh moves no end, which was fixed at the first consent.
  rotation: "reusable",
  // The page above: refresh tokens are for its partners. Others' users connect again every 60 days.
  refresh_token_optional: true,
  account: { request: "/v2/userinfo", key: ["account:sub"], name: "account:name", email: "account:email" },
  // https://learn.microsoft.com/en-us/linkedin/marketing/versioning
  api: { base: "https://api.linkedin.com", caller_headers: ["linkedin-version"] },
});
