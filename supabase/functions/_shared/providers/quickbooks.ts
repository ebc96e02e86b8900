import { define } from "./define.ts";

export const quickbooks = define({
  name: "quickbooks",
  documentation:
    "https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq",
  authorization_endpoint: "https://appcenter.intuit.com/connect/oauth2",
  token_endpoint: "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
  revocation_endpoint: {
    url: "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    format: "json",
    parameters: { token: "{refresh_token}" },
  },
  token_endpoint_auth_method: "client_secret_post",
  code_challenge_methods_supported: [],
  scopes: ["com.intuit.quickbooks.accounting"],
  token_response: { refresh_token_expires_in: "x_refresh_token_expires_in" },
  // The value changes about daily, and the earlier one works for about a day.
  reuse_grace: 24 * 60 * 60,
  revokes_on_reuse: false,
  refresh_token_idle_lifetime: 100 * 24 * 60 * 60,
  values: { realm_id: { kind: "segment", from: "redirect:realmId" } },
  account: {
    // Only who holds a token for this company is answered.
    request: "/v3/company/{realm_id}/companyinfo/{realm_id}",
    key: ["value:realm_id"],
    name: "account:CompanyInfo.CompanyName",
    email: "account:CompanyInfo.Email.Address",
  },
  api: { base: "https://quickbooks.api.intuit.com" },
});
