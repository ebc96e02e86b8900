import type { Answer, Facts } from "../types.ts";
import { always, answer, API, AUTHORIZATION, bearer, DAY, LIFE, lives, rfc7009, TOKEN } from "./common.ts";

const OAUTH = "https://www.linkedin.com/oauth/v2";
const ORIGIN = "https://api.linkedin.com";

function apiError(status: number, code: string): Answer {
  return answer(status, { status, code, message: `Refused: ${code}` });
}

export const linkedin: Facts = {
  name: "linkedin",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: `${OAUTH}/authorization`, // catalogue
    code_challenge: "refused", // documented: for native clients; seen refused in next-auth
    scope_required: true, // unverified: one is always sent
    offline: () => false, // documented: outside the partner programme no refresh token
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${OAUTH}/accessToken` }], // catalogue
    // documented: commas in an introspection; unverified: in this answer
    answer: (issued) => ({ ...bearer(issued), scope: issued.scope.join(",") }),
  },
  life: { ...LIFE, lifetimes: lives(60 * DAY) }, // documented
  // unverified: undocumented; seen in clients of it, of access tokens alone
  revocations: [rfc7009(`${OAUTH}/revoke`, ["body"], { ends: { access: "token" } })],
  api: {
    ...API,
    base: ORIGIN, // catalogue
    thing: `${ORIGIN}/rest/thing`,
    headers: [{
      name: "linkedin-version", // documented: a month
      matches: /^20\d{4}(\.\d{2})?$/,
      otherwise: apiError(400, "VERSION_MISSING"),
    }],
    accounts: [{
      method: "GET",
      url: `${ORIGIN}/v2/userinfo`, // documented
      scope: ["openid", "profile"],
      answer: (scope) => ({
        sub: "782bbtaQ",
        name: "Jane Doe",
        ...(scope.includes("email") && { email: "jane@acme.example", email_verified: true }),
      }),
    }],
    dead: [apiError(401, "REVOKED_ACCESS_TOKEN")], // documented: the status; the code seen in omniauth-linkedin
    // documented: a day's, and no header that says until when
    limits: [{ ...apiError(429, "TOO_MANY_REQUESTS"), headers: () => ({}), wait: null }],
  },
};

/** As a member of the partner programme has it. */
export const linkedinPartner: Facts = {
  ...linkedin,
  authorization: { ...linkedin.authorization, offline: always },
  token: {
    ...linkedin.token,
    answer: (issued) => ({
      ...linkedin.token.answer(issued),
      refresh_token_expires_in: issued.refresh_token_expires_in, // documented
    }),
  },
  // documented: its end, 365 days, is fixed at the first consent; unverified: the same token
  life: { ...LIFE, rotation: "reusable", lifetimes: lives(60 * DAY), refresh_end: 365 * DAY },
};
