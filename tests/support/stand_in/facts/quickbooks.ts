import type { Answer, Facts } from "../types.ts";
import { API, AUTHORIZATION, bearer, DAY, HOUR, LIFE, lives, retryAfter, rfc7009, TOKEN } from "./common.ts";

const REALM = "9341452093214568";
const BASE = `https://quickbooks.api.intuit.com/v3/company/${REALM}`;

function fault(status: number, type: string, code: string): Answer {
  return { status, body: { fault: { type, error: [{ message: `message=${type}`, code }] } } };
}

export const quickbooks: Facts = {
  name: "quickbooks",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: "https://appcenter.intuit.com/connect/oauth2", // catalogue
    code_challenge: "refused", // unverified: intuit-oauth sends none
    scope_required: true, // seen in intuit-oauth
    redirect: { realmId: REALM }, // seen in intuit-oauth
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer" }], // catalogue
    client_authentication: ["body", "basic_raw"], // catalogue; Basic seen in intuit-oauth
    answer: (issued) => ({
      ...bearer(issued),
      token_type: "bearer",
      scope: undefined, // RFC 6749 §5.1: what was asked for need not be repeated
      x_refresh_token_expires_in: issued.refresh_token_expires_in, // seen in intuit-oauth
    }),
  },
  life: {
    ...LIFE,
    lifetimes: lives(HOUR, 100 * DAY), // documented: an hour, 100 days without use
    refresh_end: 5 * 365 * DAY, // documented: five years at most
    // documented: another value about daily; unverified: the earlier one valid for about a day
    renews_after: DAY,
    reuse_grace: DAY,
  },
  revocations: [
    // seen in intuit-oauth
    rfc7009("https://developer.api.intuit.com/v2/oauth2/tokens/revoke", ["basic_raw"], {
      formats: ["json"],
      ends: { access: "token", refresh: "grant" },
    }),
  ],
  api: {
    ...API,
    base: BASE, // catalogue; the path seen in intuit-oauth
    thing: `${BASE}/thing`,
    accounts: [{
      method: "GET",
      url: `${BASE}/companyinfo/${REALM}`, // documented by intuit-oauth; what confirms the realm with the token
      answer: () => ({
        CompanyInfo: {
          CompanyName: "Acme",
          LegalName: "Acme Inc.",
          Email: { Address: "jane@acme.example" },
          Id: "1",
          domain: "QBO",
        },
        time: "2026-11-26T09:00:00.000-08:00",
      }),
    }],
    dead: [fault(401, "AUTHENTICATION", "3200")], // seen in clients of it; documented: the status
    limits: [retryAfter(fault(429, "THROTTLED", "3001").body)], // unverified: the header
  },
};
