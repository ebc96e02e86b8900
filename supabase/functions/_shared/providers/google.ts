import { define } from "./define.ts";

export const google = define({
  name: "google",
  documentation: "https://developers.google.com/identity/protocols/oauth2/web-server",
  issuer: "https://accounts.google.com",
  authorization_endpoint: "https://accounts.google.com/o/oauth2/v2/auth",
  token_endpoint: "https://oauth2.googleapis.com/token",
  revocation_endpoint: "https://oauth2.googleapis.com/revoke",
  token_endpoint_auth_method: "client_secret_post",
  scopes: ["openid", "email"],
  // The page above: without both a repeated consent brings no refresh token.
  authorization_parameters: { access_type: "offline", prompt: "consent" },
  // https://developers.google.com/identity/protocols/oauth2: a refresh answers without a refresh token, which dies after
  // six months without use.
  rotation: "reusable",
  refresh_token_idle_lifetime: 180 * 24 * 60 * 60,
  account: {
    request: "https://openidconnect.googleapis.com/v1/userinfo",
    key: ["account:sub"],
    name: "account:name",
    email: "account:email",
  },
  api: {
    base: "https://www.googleapis.com",
    bases: {
      calendar: "https://www.googleapis.com/calendar/v3",
      gmail: "https://gmail.googleapis.com",
      sheets: "https://sheets.googleapis.com",
    },
  },
});
