import { define } from "./define.ts";

/** Each data centre has hosts of its own, and names them in the redirect. */
const ACCOUNTS = [
  ...["https://accounts.zoho.com", "https://accounts.zoho.eu", "https://accounts.zoho.in"],
  ...["https://accounts.zoho.com.au", "https://accounts.zoho.com.cn", "https://accounts.zoho.jp"],
  "https://accounts.zohocloud.ca",
];
const API = [
  ...["https://www.zohoapis.com", "https://www.zohoapis.eu", "https://www.zohoapis.in"],
  ...["https://www.zohoapis.com.au", "https://www.zohoapis.com.cn", "https://www.zohoapis.jp"],
  "https://www.zohoapis.ca",
];

export const zoho = define({
  name: "zoho",
  documentation: "https://zoho.com/accounts/protocol/oauth/web-apps/access-token-expiry.html",
  authorization_endpoint: "https://accounts.zoho.com/oauth/v2/auth",
  token_endpoint: "{accounts_server}/oauth/v2/token",
  revocation_endpoint: {
    url: "{accounts_server}/oauth/v2/token/revoke",
    parameters: { token: "{refresh_token}" },
  },
  token_endpoint_auth_method: "client_secret_post",
  code_challenge_methods_supported: [],
  scopes: ["ZohoCRM.users.READ", "ZohoCRM.org.READ"],
  // https://www.zoho.com/directory/api/v2/oauth/
  scope_separator: ",",
  authorization_parameters: { access_type: "offline", prompt: "consent" },
  // The page above: a refresh answers without a refresh token; at most 20 live for a user, and the 21st ends the oldest.
  rotation: "reusable",
  invalid_grant_synonyms: ["invalid_code"],
  values: {
    accounts_server: {
      kind: "origin",
      from: "redirect:accounts-server",
      one_of: ACCOUNTS,
      default: "https://accounts.zoho.com",
    },
    api_domain: {
      kind: "origin",
      from: "token:api_domain",
      one_of: API,
      default: "https://www.zohoapis.com",
    },
  },
  account: {
    request: "/crm/v8/users?type=CurrentUser",
    key: ["account:users.0.id"],
    name: "account:users.0.full_name",
    email: "account:users.0.email",
  },
  api: { base: "{api_domain}", headers: { authorization: "Zoho-oauthtoken {access_token}" } },
});
