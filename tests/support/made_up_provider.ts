import type { Provider } from "../../supabase/functions/_shared/oauth/client.ts";

/** Everything that Pipedrive is not, to prove that a provider is data: an issuer, PKCE, scopes, the secret in the body. */
export const madeUp: Provider = {
  name: "made-up",
  issuer: "https://id.made-up.example",
  authorization_response_iss_parameter_supported: true,
  authorization_endpoint: "https://id.made-up.example/authorize?tenant=all",
  token_endpoint: "https://id.made-up.example/token",
  token_endpoint_auth_method: "client_secret_post",
  code_challenge_methods_supported: ["S256"],
  scopes: ["files:read", "offline_access"],
  scope_separator: " ",
  authorization_parameters: { access_type: "offline", state: "of the definition" },
  token_parameters: { audience: "api" },
  refresh_parameters: { type: "refresh" },
  invalid_grant_synonyms: ["bad_refresh_token"],
  default_expires_in: 1800,
  reuse_grace_ms: 30_000,
  revokes_on_reuse: false,
  keep_alive_ms: 86_400_000,
  api: {
    default_origin: "https://api.made-up.example",
    origins: /^https:\/\/api\.made-up\.example$/,
  },
  account: { path: "/me", key: ["id"], name: "profile.name", email: "profile.email" },
};
