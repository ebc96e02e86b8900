import { define } from "./define.ts";

export const hubspot = define({
  name: "hubspot",
  documentation:
    "https://developers.hubspot.com/docs/api-reference/latest/authentication/manage-oauth-tokens",
  authorization_endpoint: "https://app.hubspot.com/oauth/authorize",
  // The endpoints of version 1 end on 2027-02-16: https://developers.hubspot.com/changelog/v1-oauth-api-deprecation
  token_endpoint: "https://api.hubapi.com/oauth/2026-03/token",
  revocation_endpoint: "https://api.hubapi.com/oauth/2026-03/token/revoke",
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["oauth"],
  default_expires_in: 1800,
  rotation: "reusable",
  invalid_grant_synonyms: ["bad_refresh_token"],
  // https://developers.hubspot.com/docs/api-reference/2026-03/authentication/oauth-tokens/token-introspect: a token says
  // whose it is, to whom proves to be its client.
  account: {
    request: {
      url: "/oauth/2026-03/token/introspect",
      method: "POST",
      body: { token: "{access_token}", client_id: "{client_id}", client_secret: "{client_secret}" },
      format: "form",
    },
    key: ["account:hub_id", "account:user_id"],
    name: "account:hub_domain",
    email: "account:user",
  },
  api: { base: "https://api.hubapi.com" },
});
