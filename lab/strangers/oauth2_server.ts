import type { Definition } from "../../supabase/functions/_shared/oauth/provider.ts";
import { startStranger, type Stranger } from "./stranger.ts";

const definition: Definition = {
  name: "oauth2-server",
  documentation: "https://github.com/node-oauth/node-oauth2-server#readme",
  authorization_endpoint: "https://id.oauth2-server.example/authorize",
  token_endpoint: "https://id.oauth2-server.example/token",
  revocation_endpoint: "https://id.oauth2-server.example/revoke",
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["files"],
  // A spent refresh token is unknown, and nothing more.
  revokes_on_reuse: false,
  account: { request: "/me", key: ["account:id"], name: "account:name" },
  api: { base: "https://api.oauth2-server.example" },
};

/** `@node-oauth/oauth2-server`: the secret travels in the body, and a refresh token works once. */
export function start(): Promise<Stranger> {
  return startStranger(new URL("./oauth2_server_process.ts", import.meta.url), definition);
}
