import type { Facts } from "../types.ts";
import { API, AUTHORIZATION, bearer, LIFE, lives, MINUTE, oauthError, rfc7009, TOKEN } from "./common.ts";

const ORIGIN = "https://api.hubapi.com";

export const hubspot: Facts = {
  name: "hubspot",
  values: {},
  authorization: { ...AUTHORIZATION, endpoint: "https://app.hubspot.com/oauth/authorize" }, // catalogue
  token: {
    ...TOKEN,
    endpoints: [
      { url: `${ORIGIN}/oauth/v1/token`, until: Date.UTC(2027, 1, 16) }, // documented: it ends on that day
      { url: `${ORIGIN}/oauth/2026-03/token` }, // documented: what follows it
    ],
    // RFC 6749 §5.1: what was asked for need not be repeated
    answer: (issued) => ({ ...bearer(issued), scope: undefined }),
    // documented
    over: [
      oauthError("invalid_grant", 400, {
        status: "BAD_REFRESH_TOKEN",
        message: "missing or invalid refresh token",
      }),
    ],
  },
  // seen in many clients: the same refresh token until uninstalled; documented: 30 minutes
  life: { ...LIFE, rotation: "reusable", lifetimes: lives(30 * MINUTE) },
  revocations: [rfc7009(`${ORIGIN}/oauth/2026-03/token/revoke`)], // documented
  api: {
    ...API,
    base: ORIGIN,
    thing: `${ORIGIN}/crm/v3/objects/thing`,
    accounts: [{
      method: "POST",
      url: `${ORIGIN}/oauth/2026-03/token/introspect`, // documented
      introspects: true,
      // documented
      answer: (scope) => ({
        active: true,
        token_use: "access_token",
        hub_id: 62515,
        user_id: 34567,
        hub_domain: "acme.example",
        user: "jane@acme.example",
        scopes: scope,
      }),
    }],
    dead: [{
      status: 401,
      body: { status: "error", category: "EXPIRED_AUTHENTICATION", message: "The OAuth token is expired" },
    }],
    limits: [{
      status: 429,
      body: { status: "error", errorType: "RATE_LIMIT", policyName: "TEN_SECONDLY_ROLLING" },
      // unverified: headers of its own, which tell the window and no time
      headers: () => ({
        "x-hubspot-ratelimit-remaining": "0",
        "x-hubspot-ratelimit-interval-milliseconds": "10000",
      }),
      wait: null,
    }],
  },
};
