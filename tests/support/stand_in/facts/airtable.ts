import type { Facts } from "../types.ts";
import { answer, API, AUTHORIZATION, bearer, DAY, HOUR, LIFE, lives, TOKEN } from "./common.ts";

const ORIGIN = "https://api.airtable.com";

export const airtable: Facts = {
  name: "airtable",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: "https://airtable.com/oauth2/v1/authorize", // catalogue
    code_challenge: "required", // documented
    scope_required: true, // documented: at least one
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: "https://airtable.com/oauth2/v1/token" }], // catalogue
    client_authentication: ["basic_raw"], // seen in Airtable/oauth-example: of id and secret as they are
    answer: (issued) => ({
      ...bearer(issued),
      refresh_expires_in: issued.refresh_token_expires_in, // seen in clients of it
    }),
  },
  // documented: single use, 60 minutes, 60 days; unverified: the earlier access token ends
  life: { ...LIFE, lifetimes: lives(HOUR, 60 * DAY), refresh_ends_access: true },
  revocations: [], // documented: the page lists every route, and none
  api: {
    ...API,
    base: ORIGIN, // catalogue
    thing: `${ORIGIN}/v0/thing`,
    accounts: [{
      method: "GET",
      url: `${ORIGIN}/v0/meta/whoami`, // seen in clients of it
      answer: (scopes) => ({
        id: "usrL2PNC5o3H4lBEi",
        scopes,
        ...(scopes.includes("user.email:read") && { email: "jane@acme.example" }),
      }),
    }],
    dead: [
      answer(401, { error: { type: "AUTHENTICATION_REQUIRED", message: "Authentication required" } }),
    ],
    // documented: 30 seconds, which no header says
    limits: [{
      status: 429,
      body: { errors: [{ error: "RATE_LIMIT_REACHED" }] },
      headers: () => ({}),
      wait: null,
    }],
  },
};
