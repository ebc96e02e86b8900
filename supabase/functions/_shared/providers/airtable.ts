import { define } from "./define.ts";

export const airtable = define({
  name: "airtable",
  documentation: "https://airtable.com/developers/web/api/oauth-reference",
  authorization_endpoint: "https://airtable.com/oauth2/v1/authorize",
  token_endpoint: "https://airtable.com/oauth2/v1/token",
  // As Airtable's own example has it: https://github.com/Airtable/oauth-example
  basic_credentials: "raw",
  // The page above: at least one is demanded, and the e-mail address needs its own.
  scopes: ["user.email:read"],
  token_response: { refresh_token_expires_in: "refresh_expires_in" },
  refresh_token_idle_lifetime: 60 * 24 * 60 * 60,
  account: { request: "/v0/meta/whoami", key: ["account:id"], email: "account:email" },
  api: { base: "https://api.airtable.com" },
});
