import { define } from "./define.ts";

export const microsoft = define({
  name: "microsoft",
  documentation: "https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens",
  // https://learn.microsoft.com/en-us/entra/identity-platform/id-token-claims-reference: each tenant is an issuer of its
  // own, and `oid` is one user in it, for every client.
  issuer: "https://login.microsoftonline.com/{tenant}/v2.0",
  authorization_endpoint: "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
  token_endpoint: "https://login.microsoftonline.com/common/oauth2/v2.0/token",
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["openid", "profile", "email", "offline_access"],
  authorization_parameters: { response_mode: "query" },
  // The page above: a refresh brings a new refresh token and leaves the old one alive.
  rotation: "reusable",
  refresh_token_idle_lifetime: 90 * 24 * 60 * 60,
  invalid_grant_synonyms: ["interaction_required"],
  values: { tenant: { kind: "segment", from: "id_token:tid" } },
  account: {
    key: ["id_token:tid", "id_token:oid"],
    name: "id_token:name",
    email: "id_token:preferred_username",
  },
  api: { base: "https://graph.microsoft.com" },
});
