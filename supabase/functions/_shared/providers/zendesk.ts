import { define } from "./define.ts";

export const zendesk = define({
  name: "zendesk",
  documentation: "https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token",
  authorization_endpoint: "https://{subdomain}.zendesk.com/oauth/authorizations/new",
  token_endpoint: "https://{subdomain}.zendesk.com/oauth/tokens",
  revocation_endpoint: {
    url: "https://{subdomain}.zendesk.com/api/v2/oauth/tokens/current.json",
    method: "DELETE",
    auth: "bearer",
  },
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["read"],
  // Older clients get no refresh token unless they ask for an end.
  token_parameters: { expires_in: "1800" },
  refresh_parameters: { expires_in: "1800" },
  default_expires_in: 1800,
  values: { subdomain: { kind: "label", from: "user", label: "Zendesk subdomain" } },
  account: {
    request: "/api/v2/users/me.json",
    // A user's id is one of its subdomain, under which it is asked for.
    key: ["value:subdomain", "account:user.id"],
    name: "value:subdomain",
    email: "account:user.email",
  },
  api: { base: "https://{subdomain}.zendesk.com" },
});
