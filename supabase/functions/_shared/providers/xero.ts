import { define } from "./define.ts";

export const xero = define({
  name: "xero",
  documentation: "https://developer.xero.com/faq/oauth2",
  authorization_endpoint: "https://login.xero.com/identity/connect/authorize",
  token_endpoint: "https://identity.xero.com/connect/token",
  revocation_endpoint: "https://identity.xero.com/connect/revocation",
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["openid", "profile", "email", "offline_access"],
  default_expires_in: 1800,
  // The old one works for half an hour more, should the answer have been lost.
  reuse_grace: 30 * 60,
  revokes_on_reuse: false,
  refresh_token_idle_lifetime: 60 * 24 * 60 * 60,
  // One authorization can have several organisations; the first is the connection's.
  values: { tenant_id: { kind: "segment", from: "account:0.tenantId" } },
  account: {
    request: "/connections",
    key: ["account:0.tenantId"],
    name: "account:0.tenantName",
  },
  api: {
    base: "https://api.xero.com",
    headers: { authorization: "Bearer {access_token}", "xero-tenant-id": "{tenant_id}" },
  },
});
