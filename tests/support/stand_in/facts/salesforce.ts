import type { Facts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  bearer,
  HOUR,
  LIFE,
  lives,
  rfc7009,
  TOKEN,
  withScope,
} from "./common.ts";

/** Not the default, so that what is given must be used. */
const HOST = "test.salesforce.com";
const INSTANCE = "https://acme.my.salesforce.com";
const [ORG, USER] = ["00Dx0000000BV7zEAG", "005x00000012Q9PAAU"];
const IDENTITY = `https://${HOST}/id/${ORG}/${USER}`;

const userinfo = () => ({
  sub: IDENTITY,
  user_id: USER,
  organization_id: ORG,
  preferred_username: "jane@acme.example",
  name: "Jane Doe",
  email: "jane@acme.example",
});

export const salesforce: Facts = {
  name: "salesforce",
  values: { host: HOST },
  authorization: {
    ...AUTHORIZATION,
    endpoint: `https://${HOST}/services/oauth2/authorize`, // catalogue
    code_challenge: "required", // documented: partners must enable it
    offline: withScope("offline_access", "refresh_token"), // catalogue; unverified that they are one
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `https://${HOST}/services/oauth2/token` }], // catalogue
    answer: (issued) => ({
      ...bearer(issued),
      expires_in: undefined, // catalogue: missing
      id: IDENTITY, // documented
      instance_url: INSTANCE, // catalogue
      issued_at: String(issued.issued_at), // unverified: milliseconds
    }),
  },
  // documented: a setting, here on: single use, the old one ended at once; documented: 2 hours unless changed
  life: { ...LIFE, lifetimes: lives(2 * HOUR) },
  revocations: [rfc7009(`https://${HOST}/services/oauth2/revoke`)], // documented
  api: {
    ...API,
    base: INSTANCE,
    thing: `${INSTANCE}/services/data/thing`,
    accounts: [
      { method: "GET", url: `https://${HOST}/services/oauth2/userinfo`, answer: userinfo }, // documented
      { method: "GET", url: `${INSTANCE}/services/oauth2/userinfo`, answer: userinfo }, // documented
    ],
    // documented: a list
    dead: [answer(401, [{ message: "Session expired or invalid", errorCode: "INVALID_SESSION_ID" }])],
    limits: [{
      // documented: 403; nothing is said of until when
      status: 403,
      body: [{ message: "TotalRequests Limit exceeded.", errorCode: "REQUEST_LIMIT_EXCEEDED" }],
      headers: () => ({}),
      wait: null,
    }],
  },
};
