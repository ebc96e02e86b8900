import type { Answer, Facts, RevocationFacts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  bearerOnce,
  HOUR,
  LIFE,
  lives,
  refusals,
  rfc7009,
  TOKEN,
  withAccessType,
} from "./common.ts";

/** The user begins in one data centre and belongs to another. */
const [BEGUN_IN, AT_HOME_IN] = ["eu", "in"];
const ACCOUNTS = `https://accounts.zoho.${AT_HOME_IN}`;
const DOMAIN = `https://www.zohoapis.${AT_HOME_IN}`;
/** Data centres that know nothing of this user. */
const ELSEWHERE = [
  ...["com", "eu", "com.au", "com.cn", "jp"].map((dc) => `https://accounts.zoho.${dc}`),
  "https://accounts.zohocloud.ca", // documented: a name of its own
];

/** unverified: errors in 200 */
function refusal(error: string): Answer {
  return answer(200, { error: error === "invalid_grant" ? "invalid_code" : error });
}

const revocation: RevocationFacts = {
  ...rfc7009(`${ACCOUNTS}/oauth/v2/token/revoke`), // documented
  formats: ["form", "query"], // not said: either is taken
};

export const zoho: Facts = {
  name: "zoho",
  values: { dc: BEGUN_IN },
  authorization: {
    ...AUTHORIZATION,
    endpoint: `https://accounts.zoho.${BEGUN_IN}/oauth/v2/auth`, // catalogue
    also: [ACCOUNTS, ...ELSEWHERE].map((origin) => `${origin}/oauth/v2/auth`), // catalogue: any data centre
    scope_separators: [" ", ","], // catalogue: blank; documented: commas
    offline: withAccessType, // catalogue: both parameters
    // catalogue: the server to ask for tokens
    redirect: { location: AT_HOME_IN, "accounts-server": ACCOUNTS },
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${ACCOUNTS}/oauth/v2/token` }], // catalogue: the server from the redirect
    strangers: ELSEWHERE.map((origin) => `${origin}/oauth/v2/token`),
    // documented: none in the refresh answer
    answer: (issued) => ({ ...bearerOnce(issued), api_domain: DOMAIN }),
    refused: { ...refusals(refusal), too_many: answer(400, { status: "failure", error: "Access Denied" }) },
    over: [refusal("invalid_code")], // unverified
  },
  // documented: reusable, an hour, the 21st of a user drops the oldest, ten access tokens in ten minutes
  life: { ...LIFE, rotation: "reusable", lifetimes: lives(HOUR), most_grants: 20, most_in_ten_minutes: 10 },
  revocations: [revocation],
  api: {
    ...API,
    base: DOMAIN,
    thing: `${DOMAIN}/crm/v8/thing`,
    scheme: "Zoho-oauthtoken", // documented
    accounts: [
      // unverified, both
      {
        method: "GET",
        url: `${DOMAIN}/crm/v8/org`,
        answer: () => ({
          org: [{ id: "5725767000000020005", company_name: "Acme", primary_email: "jane@acme.example" }],
        }),
      },
      {
        method: "GET",
        url: `${DOMAIN}/crm/v8/users`,
        query: { type: "CurrentUser" },
        answer: () => ({
          users: [{ id: "5725767000000411001", full_name: "Jane Doe", email: "jane@acme.example" }],
          info: { per_page: 200, count: 1, page: 1, more_records: false },
        }),
      },
    ],
    // unverified
    dead: [answer(401, { code: "INVALID_TOKEN", message: "invalid oauth token", status: "error" })],
  },
};
