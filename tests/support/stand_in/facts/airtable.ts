import type { Facts } from "../types.ts";
import { answer, API, AUTHORIZATION, bearer, DAY, HOUR, LIFE, lives, retryAfter, TOKEN } from "./common.ts";

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
    client_authentication: ["basic_raw"], // catalogue: Basic; unverified: of id and secret as they are
    answer: (issued) => ({
      ...bearer(issued),
      refresh_expires_in: issued.refresh_token_expires_in, // unverified
    }),
  },
  // documented: single use; unverified: the earlier access token ends, 60 minutes, 60 days
  life: { ...LIFE, lifetimes: lives(HOUR, 60 * DAY), refresh_ends_access: true },
  revocations: [], // unverified: none documented
  api: {
    ...API,
    base: ORIGIN, // catalogue
    thing: `${ORIGIN}/v0/thing`,
    accounts: [{
      method: "GET",
      url: `${ORIGIN}/v0/meta/whoami`, // unverified
      answer: (scopes) => ({
        id: "usrL2PNC5o3H4lBEi",
        scopes,
        ...(scopes.includes("user.email:read") && { email: "jane@acme.example" }),
      }),
    }],
    dead: [
      answer(401, { error: { type: "AUTHENTICATION_REQUIRED", message: "Authentication required" } }),
    ],
    limits: [retryAfter({ errors: [{ error: "RATE_LIMIT_REACHED" }] })],
  },
};
