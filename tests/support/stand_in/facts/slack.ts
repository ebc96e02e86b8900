import type { Answer, Facts, Issued } from "../types.ts";
import { answer, API, AUTHORIZATION, HOUR, LIFE, lives, refusals, retryAfter, TOKEN } from "./common.ts";

const BASE = "https://slack.com/api";
const [TEAM, USER] = ["T9TK3CUKW", "U0KRQLJ9H"];

/** unverified: every refusal is a 200 */
function refusal(error: string): Answer {
  return answer(200, { ok: false, error });
}

/** documented of the exchange: a user's own token is nested, the client's stands at the top; Slack's own SDK reads a refresh at the top. */
function tokens({ asked, access_token, refresh_token, expires_in, scope }: Issued) {
  const own = { access_token, refresh_token, expires_in, scope: scope.join(",") };
  const of_user = asked.parameters.has("user_scope");
  return {
    ok: true,
    app_id: "A0KRD7HC3",
    team: { id: TEAM, name: "Acme" }, // catalogue
    enterprise: null,
    is_enterprise_install: false,
    authed_user: { id: USER, ...(of_user && { ...own, token_type: "user" }) },
    ...(!of_user && { ...own, token_type: "bot", bot_user_id: "U0KRQLJ9B" }),
  };
}

const test = () => ({
  ok: true,
  url: "https://acme.slack.com/",
  team: "Acme",
  user: "jane",
  team_id: TEAM,
  user_id: USER,
});

export const slack: Facts = {
  name: "slack",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: "https://slack.com/oauth/v2/authorize", // catalogue
    required: {}, // unverified: no response_type is needed
    code_challenge: "refused", // catalogue: PKCE is off
    scope_parameters: ["scope", "user_scope"], // unverified: the second for user tokens
    scope_separators: [","], // catalogue
    scope_required: true,
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${BASE}/oauth.v2.access` }], // catalogue
    client_authentication: ["body", "basic_urlencoded"], // catalogue; documented: Basic too
    answer: tokens,
    refused: {
      ...refusals(refusal),
      invalid_client: refusal("bad_client_secret"),
      invalid_code: refusal("invalid_code"),
      too_many: refusal("ratelimited"),
    },
    over: [refusal("invalid_refresh_token")], // unverified
  },
  life: { ...LIFE, lifetimes: lives(12 * HOUR) }, // documented: a setting, here on: single use, 12 hours
  // unverified; of the refresh token nothing is said
  revocations: [{
    url: `${BASE}/auth.revoke`,
    method: "POST",
    auth: "bearer",
    formats: [],
    parameter: "token",
    ends: { access: "token" },
    success: answer(200, { ok: true, revoked: true }),
    unknown: refusal("invalid_auth"),
  }],
  api: {
    ...API,
    base: BASE, // catalogue
    thing: `${BASE}/thing`,
    accounts: [
      { method: "GET", url: `${BASE}/auth.test`, answer: test }, // unverified
      { method: "POST", url: `${BASE}/auth.test`, answer: test }, // unverified
    ],
    dead: [refusal("token_expired")], // unverified: in a 200
    limits: [retryAfter({ ok: false, error: "ratelimited" })],
  },
};
