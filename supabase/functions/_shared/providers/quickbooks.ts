import { define } from "./define.ts";

export const quickbooks = define({
  name: "quickbooks",
  documentation:
    "https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq",
  authorization_endpoint: "https://appcenter.intuit.com/connect/oauth2",
  token_endpoint: "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer",
  // As Intuit's own client has it: https://github.com/intuit/oauth-jsclient. It knows no PKCE either.
  revocation_endpoint: {
    url: "https://developer.api.intuit.com/v2/oauth2/tokens/revoke",
    format: "json",
    parameters: { token: "{refresh_token}" },
  },
  basic_credentials: "raw",
  code_challenge_methods_supported: [],
  scopes: ["com.intuit.quickbooks.accounting"],
  token_response: { refresh_token_expires_in: "x_refresh_token_expires_in" },
  // The page above: another value about daily. Whether the earlier one works a while is not said: it counts as spent.
  refresh_token_idle_lifetime: 100 * 24 * 60 * 60,
  values: { realm_id: { kind: "segment", from: "redirect:realmId" } },
  account: {
    request: "/v3/company/{realm_id}/companyinfo/{realm_id}",
    // https://developer.intuit.com/app/developer/qbo/docs/develop/troubleshooting/error-codes: a 200 may be a refusal.
    // Only a company's own answer has an id, so that no realm counts without the token's consent.
    key: ["value:realm_id", "account:CompanyInfo.Id"],
    name: "account:CompanyInfo.CompanyName",
    email: "account:CompanyInfo.Email.Address",
  },
  api: { base: "https://quickbooks.api.intuit.com" },
});
