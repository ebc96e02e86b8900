import { define } from "./define.ts";

const HOUR = 60 * 60;

export const xero = define({
  name: "xero",
  documentation: "https://developer.xero.com/faq/oauth2",
  issuer: "https://identity.xero.com",
  authorization_endpoint: "https://login.xero.com/identity/connect/authorize",
  token_endpoint: "https://identity.xero.com/connect/token",
  revocation_endpoint: "https://identity.xero.com/connect/revocation",
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["openid", "profile", "email", "offline_access"],
  default_expires_in: HOUR / 2,
  // The page above: the old one works for half an hour more, should the answer have been lost.
  reuse_grace: HOUR / 2,
  revokes_on_reuse: false,
  refresh_token_idle_lifetime: 60 * 24 * HOUR,
  // https://developer.xero.com/documentation/oauth2/pkce-flow: a token is a user's, for every organisation that was
  // chosen, then or later. Each call names one of them; `GET /connections` lists them.
  account: { key: ["id_token:sub"], email: "id_token:email" },
  api: {
    base: "https://api.xero.com",
    caller_headers: ["xero-tenant-id"],
    // https://developer.xero.com/faq/limits
    rate_limit: {
      spent: { header: "x-daylimit-remaining", retry_after: HOUR },
      headers: ["x-daylimit-remaining", "x-minlimit-remaining", "x-appminlimit-remaining"],
    },
  },
});
