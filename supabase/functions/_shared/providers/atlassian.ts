import { define } from "./define.ts";

export const atlassian = define({
  name: "atlassian",
  documentation: "https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens",
  authorization_endpoint: "https://auth.atlassian.com/authorize",
  token_endpoint: "https://auth.atlassian.com/oauth/token",
  token_endpoint_auth_method: "client_secret_post",
  code_challenge_methods_supported: [],
  scopes: ["read:me", "offline_access"],
  authorization_parameters: { audience: "api.atlassian.com", prompt: "consent" },
  reuse_grace: 10 * 60,
  refresh_token_idle_lifetime: 90 * 24 * 60 * 60,
  // One authorization can have several sites; a call names its own in its path.
  account: { request: "/me", key: ["account:account_id"], name: "account:name", email: "account:email" },
  api: { base: "https://api.atlassian.com" },
});
