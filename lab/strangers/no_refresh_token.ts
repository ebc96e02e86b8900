import type { Definition } from "../../supabase/functions/_shared/oauth/provider.ts";
import { startStranger, type Stranger } from "./stranger.ts";

const definition: Definition = {
  name: "no-refresh-token",
  documentation: "https://github.com/node-oauth/node-oauth2-server#readme",
  authorization_endpoint: "https://id.no-refresh-token.example/authorize",
  token_endpoint: "https://id.no-refresh-token.example/token",
  revocation_endpoint: {
    url: "https://id.no-refresh-token.example/revoke",
    parameters: { token: "{access_token}", token_type_hint: "access_token" },
  },
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["files"],
  rotation: "none",
  account: { request: "/me", key: ["account:id"], name: "account:name" },
  api: { base: "https://api.no-refresh-token.example" },
};

/** `@node-oauth/oauth2-server` without its refresh grant: the access token is all there is. */
export function start(): Promise<Stranger> {
  return startStranger(new URL("./oauth2_server_process.ts", import.meta.url), definition);
}
