import { define } from "../../supabase/functions/_shared/providers/define.ts";

/** Everything that Pipedrive is not, to prove that a provider is data: an issuer, PKCE, scopes, the secret in the body. */
export const madeUp = define({
  name: "made-up",
  documentation: "https://made-up.example/docs",
  issuer: "https://id.made-up.example",
  authorization_response_iss_parameter_supported: true,
  authorization_endpoint: "https://id.made-up.example/authorize?tenant=all",
  token_endpoint: "https://id.made-up.example/token",
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["files:read", "offline_access"],
  authorization_parameters: { access_type: "offline" },
  token_parameters: { audience: "api" },
  refresh_parameters: { type: "refresh" },
  invalid_grant_synonyms: ["bad_refresh_token"],
  default_expires_in: 1800,
  reuse_grace: 30,
  revokes_on_reuse: false,
  refresh_token_idle_lifetime: 2 * 86_400,
  account: {
    request: "/me",
    key: ["account:id"],
    name: "account:profile.name",
    email: "account:profile.email",
  },
  api: { base: "https://api.made-up.example" },
});
