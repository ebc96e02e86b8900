import { define } from "./define.ts";

/** A GitHub App acting for its user, whose tokens expire: a setting of the app, on unless it was changed. */
export const github = define({
  name: "github",
  documentation:
    "https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens",
  authorization_endpoint: "https://github.com/login/oauth/authorize",
  token_endpoint: "https://github.com/login/oauth/access_token",
  // https://docs.github.com/en/rest/apps/oauth-applications: `grant` in place of `token` would end the user's every
  // token of the app, another connection's too.
  revocation_endpoint: {
    url: "https://api.github.com/applications/{client_id}/token",
    method: "DELETE",
    auth: "basic",
    format: "json",
    parameters: { access_token: "{access_token}" },
  },
  token_endpoint_auth_method: "client_secret_post",
  basic_credentials: "raw",
  // The page above: where expiry is off, neither an end nor a refresh token comes.
  default_expires_in: "never",
  refresh_token_optional: true,
  refresh_token_idle_lifetime: 183 * 24 * 60 * 60,
  // In a 200, and seen rather than documented.
  invalid_grant_synonyms: ["bad_refresh_token"],
  account: { request: "/user", key: ["account:id"], name: "account:login", email: "account:email" },
  api: {
    base: "https://api.github.com",
    // https://docs.github.com/en/rest/about-the-rest-api/api-versions
    headers: { authorization: "Bearer {access_token}", "x-github-api-version": "2022-11-28" },
    // https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api: either status.
    rate_limit: {
      signals: [
        429,
        { status: 403, header: "x-ratelimit-remaining", is: ["0"] },
        { status: 403, header: "retry-after" },
      ],
      reset: { "x-ratelimit-reset": "epoch_seconds" },
      headers: ["x-ratelimit-limit", "x-ratelimit-remaining"],
    },
  },
});
