import { define } from "./define.ts";

export const atlassian = define({
  name: "atlassian",
  documentation: "https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens",
  authorization_endpoint: "https://auth.atlassian.com/authorize",
  token_endpoint: "https://auth.atlassian.com/oauth/token",
  token_endpoint_auth_method: "client_secret_post",
  // https://developer.atlassian.com/cloud/jira/platform/oauth-2-3lo-apps: both parameters, and nothing of PKCE.
  code_challenge_methods_supported: [],
  scopes: ["read:me", "offline_access"],
  authorization_parameters: { audience: "api.atlassian.com", prompt: "consent" },
  // The page above: ten minutes of reuse, 90 days without use, and a year at most, which shows itself by a refusal.
  reuse_grace: 10 * 60,
  refresh_token_idle_lifetime: 90 * 24 * 60 * 60,
  // One authorization can have several sites; a call names its own in its path.
  account: { request: "/me", key: ["account:account_id"], name: "account:name", email: "account:email" },
  api: {
    // Its 403 and 404 can be about a site or a scope too: they pass, and a token that is over is known by its end.
    base: "https://api.atlassian.com",
    // https://developer.atlassian.com/cloud/jira/platform/rate-limiting
    rate_limit: {
      reset: { "x-ratelimit-reset": "date" },
      headers: ["x-ratelimit-limit", "x-ratelimit-remaining"],
    },
  },
});
