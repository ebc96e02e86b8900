import type { Definition } from "../../supabase/functions/_shared/oauth/provider.ts";
import { startStranger, type Stranger } from "./stranger.ts";

const definition: Definition = {
  name: "oidc-provider",
  documentation: "https://github.com/panva/node-oidc-provider/blob/main/docs/README.md",
  issuer: "https://id.oidc-provider.example",
  authorization_response_iss_parameter_supported: true,
  authorization_endpoint: "https://id.oidc-provider.example/auth",
  token_endpoint: "https://id.oidc-provider.example/token",
  revocation_endpoint: "https://id.oidc-provider.example/token/revocation",
  scopes: ["openid", "profile", "email", "offline_access"],
  // OpenID Connect Core §11: without it `offline_access` is ignored.
  authorization_parameters: { prompt: "consent" },
  account: { request: "/me", key: ["account:sub"], name: "account:name", email: "account:email" },
  api: { base: "https://api.oidc-provider.example" },
};

/**
 * `oidc-provider`: a certified OpenID provider. A refresh token works once, and presenting it again ends the
 * whole authorization; PKCE is demanded; the redirect names its issuer (RFC 9207); the secret travels as HTTP
 * Basic.
 */
export function start(): Promise<Stranger> {
  return startStranger(new URL("./oidc_provider_process.ts", import.meta.url), definition);
}
