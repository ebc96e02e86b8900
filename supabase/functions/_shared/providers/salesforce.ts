import { define } from "./define.ts";

export const salesforce = define({
  name: "salesforce",
  documentation:
    "https://help.salesforce.com/apex/HTViewHelpDoc?id=remoteaccess_oauth_refresh_token_flow.htm",
  authorization_endpoint: "https://{host}/services/oauth2/authorize",
  token_endpoint: "https://{host}/services/oauth2/token",
  revocation_endpoint: "https://{host}/services/oauth2/revoke",
  token_endpoint_auth_method: "client_secret_post",
  // https://help.salesforce.com/HTViewHelpDoc?id=remoteaccess_using_userinfo_endpoint.htm: `openid` is for the account.
  scopes: ["api", "openid", "offline_access"],
  authorization_parameters: { prompt: "consent" },
  // The answer has no `expires_in`: a session lives as long as the org says, two hours unless it was changed
  // (https://developer.salesforce.com/docs/platform/api-metadata/guide/meta-error-handling-session-exp.html).
  default_expires_in: 7200,
  values: {
    host: {
      kind: "host",
      from: "user",
      label: "Salesforce host",
      under: ["my.salesforce.com", "sandbox.my.salesforce.com", "develop.my.salesforce.com"],
      one_of: ["login.salesforce.com", "test.salesforce.com"],
      default: "login.salesforce.com",
    },
    instance_url: {
      kind: "origin",
      from: "token:instance_url",
      under: [
        "my.salesforce.com",
        "sandbox.my.salesforce.com",
        "develop.my.salesforce.com",
        "salesforce.com",
      ],
    },
  },
  account: {
    request: "/services/oauth2/userinfo",
    key: ["account:organization_id", "account:user_id"],
    name: "account:name",
    email: "account:email",
  },
  api: {
    base: "{instance_url}",
    // https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
    rate_limit: { signals: [429, { status: 403, path: "0.errorCode", is: ["REQUEST_LIMIT_EXCEEDED"] }] },
  },
});
