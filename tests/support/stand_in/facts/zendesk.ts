import type { Facts } from "../types.ts";
import { answer, API, AUTHORIZATION, bearer, DAY, LIFE, NO_BODY, retryAfter, TOKEN } from "./common.ts";

const SUBDOMAIN = "acme";
const ORIGIN = `https://${SUBDOMAIN}.zendesk.com`;
const UNAUTHORIZED = answer(401, { error: "invalid_token", error_description: "It is expired or unknown" });

/** Seconds that a token request asks for. */
function wanted(request: URLSearchParams, name: string): number | null {
  const text = request.get(name) ?? "";
  return /^[1-9]\d{0,8}$/.test(text) ? Number(text) : null;
}

export const zendesk: Facts = {
  name: "zendesk",
  values: { subdomain: SUBDOMAIN },
  authorization: {
    ...AUTHORIZATION,
    endpoint: `${ORIGIN}/oauth/authorizations/new`, // catalogue
    code_challenge: "required", // documented
    scope_required: true, // unverified: one is always sent
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${ORIGIN}/oauth/tokens` }], // catalogue
    answer: (issued) => ({
      ...bearer(issued),
      token_type: "bearer",
      refresh_token_expires_in: issued.refresh_token_expires_in, // documented
    }),
  },
  life: {
    ...LIFE,
    // documented: single use, ends the old access token too
    refresh_ends_access: true,
    // documented: a client made before 2026-04-30 gets an endless token, and none to refresh with, unless it asks
    lifetimes: (request) => ({
      access: wanted(request, "expires_in") ?? Infinity,
      // documented: of 30 days
      refresh: wanted(request, "refresh_token_expires_in") ?? 30 * DAY,
    }),
    refresh_token_needs: "expires_in",
  },
  // documented; unverified: with which scope, and what it does to the refresh token
  revocations: [{
    url: `${ORIGIN}/api/v2/oauth/tokens/current.json`,
    method: "DELETE",
    auth: "bearer",
    formats: [],
    parameter: "token",
    ends: { access: "token" },
    success: NO_BODY,
    unknown: UNAUTHORIZED,
  }],
  api: {
    ...API,
    base: ORIGIN, // catalogue
    thing: `${ORIGIN}/api/v2/thing`,
    accounts: [{
      method: "GET",
      url: `${ORIGIN}/api/v2/users/me.json`, // seen in omniauth-zendesk
      answer: () => ({
        user: {
          id: 35436,
          url: `${ORIGIN}/api/v2/users/35436.json`,
          name: "Jane Doe",
          email: "jane@acme.example",
          role: "admin",
        },
      }),
    }],
    dead: [UNAUTHORIZED],
    limits: [retryAfter({ error: "APIRateLimitExceeded" })],
  },
};
