import { define } from "./define.ts";

export const zendesk = define({
  name: "zendesk",
  documentation: "https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token",
  authorization_endpoint: "https://{subdomain}.zendesk.com/oauth/authorizations/new",
  token_endpoint: "https://{subdomain}.zendesk.com/oauth/tokens",
  // https://developer.zendesk.com/documentation/api-basics/authentication/revoking-oauth-token; whether the scope `read`
  // is enough is not said. What is refused is tried again for a week, our own copy gone.
  revocation_endpoint: {
    url: "https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json",
    method: "DELETE",
    auth: "bearer",
  },
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["read"],
  // https://support.zendesk.com/hc/en-us/articles/9182123625370: older clients get no refresh token unless they ask for
  // an end; a refresh token lives for 30 days unless asked otherwise.
  token_parameters: { expires_in: "1800" },
  refresh_parameters: { expires_in: "1800" },
  default_expires_in: 1800,
  refresh_token_idle_lifetime: 30 * 24 * 60 * 60,
  values: { subdomain: { kind: "label", from: "user", label: "Zendesk subdomain" } },
  account: {
    request: "/api/v2/users/me.json",
    // A user's id is one of its subdomain, under which it is asked for.
    key: ["value:subdomain", "account:user.id"],
    name: "value:subdomain",
    email: "account:user.email",
  },
  api: {
    base: "https://{subdomain}.zendesk.com",
    // https://developer.zendesk.com/documentation/api-basics/best-practices/best-practices-for-avoiding-rate-limiting
    rate_limit: {
      reset: { "ratelimit-reset": "delta" },
      longest_reset: 60,
      headers: ["x-rate-limit", "x-rate-limit-remaining"],
    },
  },
});
