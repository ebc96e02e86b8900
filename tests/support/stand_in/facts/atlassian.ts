import type { Facts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  DAY,
  HOUR,
  LIFE,
  lives,
  MINUTE,
  oauthError,
  retryAfter,
  TOKEN,
  withScope,
} from "./common.ts";

const AUTH = "https://auth.atlassian.com";
const ORIGIN = "https://api.atlassian.com";
const CLOUDS = ["1324a887-45db-1bf4-1e99-ef0ff456d421", "e1e2f3a4-0b1c-4d2e-8f3a-4b5c6d7e8f90"];
const JIRA = `${ORIGIN}/ex/jira/${CLOUDS[0]}`;

const DEAD = { code: 401, message: "Unauthorized" };
const OVER = { error_description: "Unknown or invalid refresh token." };

export const atlassian: Facts = {
  name: "atlassian",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: `${AUTH}/authorize`, // catalogue
    // catalogue: both parameters
    required: { response_type: "code", audience: "api.atlassian.com", prompt: "consent" },
    scope_required: true, // unverified: one is always sent
    offline: withScope("offline_access"), // catalogue
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${AUTH}/oauth/token` }], // catalogue
    // documented: 403; catalogue: 400; the last seen in clients of it
    over: [
      oauthError("invalid_grant", 403, OVER),
      oauthError("invalid_grant", 400, OVER),
      oauthError("unauthorized_client", 403, { error_description: "refresh_token is invalid" }),
    ],
  },
  // documented: single use, 10 minutes of reuse, a year at most; seen in clients of it: an hour, 90 days without use
  life: {
    ...LIFE,
    lifetimes: lives(HOUR, 90 * DAY),
    refresh_end: 365 * DAY,
    reuse_grace: 10 * MINUTE,
  },
  revocations: [], // unverified: none documented
  api: {
    ...API,
    base: JIRA, // seen in jira.js
    thing: `${JIRA}/rest/api/3/thing`,
    accounts: [
      {
        method: "GET",
        url: `${ORIGIN}/oauth/token/accessible-resources`, // documented: several per grant
        answer: (scopes) =>
          CLOUDS.map((id, at) => ({
            id,
            name: at === 0 ? "acme" : "acme-holding",
            url: `https://${at === 0 ? "acme" : "acme-holding"}.atlassian.net`,
            scopes,
          })),
      },
      {
        method: "GET",
        url: `${ORIGIN}/me`, // seen in next-auth
        answer: () => ({
          account_type: "atlassian",
          account_id: "5d9b3f2e7c1a4b0c8e6f1a2b",
          email: "jane@acme.example",
          name: "Jane Doe",
          account_status: "active",
        }),
      },
    ],
    dead: [answer(401, DEAD), answer(403, DEAD), answer(404, DEAD)], // catalogue: the gateway's
    limits: [retryAfter({ code: 429, message: "Rate limit exceeded" })], // documented
  },
};
