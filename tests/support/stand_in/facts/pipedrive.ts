import type { Answer, Facts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  bearer,
  DAY,
  HOUR,
  LIFE,
  lives,
  refusals,
  rfc7009,
  TOKEN,
} from "./common.ts";

const DOMAIN = "https://acme.pipedrive.com";

/** The reason stands in `message`, where RFC 6749 has `error_description`. */
function refusal(error: string, status = 400): Answer {
  return answer(status, { success: false, message: `Refused: ${error}`, error });
}

function gateway(status: number, error: string): Answer {
  return answer(status, { success: false, error, errorCode: status });
}

export const pipedrive: Facts = {
  name: "pipedrive",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: "https://oauth.pipedrive.com/oauth/authorize",
    required: {}, // catalogue: no response_type is sent; it is undocumented
    code_challenge: "refused", // catalogue: PKCE is off
    scope_separators: [], // catalogue: no scope is sent
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: "https://oauth.pipedrive.com/oauth/token" }],
    client_authentication: ["basic_raw"], // documented: base64 of id and secret as they are
    answer: (issued) => ({
      ...bearer(issued),
      scope: "base,contacts:read", // documented: the client's own scopes, with commas
      api_domain: DOMAIN, // catalogue
    }),
    refused: refusals(refusal),
    over: [refusal("invalid_grant")],
  },
  // documented: 60 minutes, 60 days without use, no rotation; other evidence is unclear: treat as single use
  life: { ...LIFE, lifetimes: lives(HOUR, 60 * DAY) },
  revocations: [rfc7009("https://oauth.pipedrive.com/oauth/revoke", ["basic_raw"])], // documented
  api: {
    ...API,
    base: DOMAIN,
    thing: `${DOMAIN}/api/thing`,
    envelope: { success: true },
    accounts: [{
      method: "GET",
      url: `${DOMAIN}/api/v1/users/me`, // documented
      answer: () => ({
        success: true,
        data: {
          id: 8,
          name: "Jane Doe",
          email: "jane@acme.example",
          company_id: 54235233,
          company_name: "Acme",
          company_domain: "acme",
        },
      }),
    }],
    dead: [gateway(401, "unauthorized access")], // documented: never 403
    limits: [{
      ...gateway(429, "request over limit"),
      // documented: the rest of the window, in seconds
      headers: () => ({ "x-ratelimit-remaining": "0", "x-ratelimit-reset": "2" }),
      wait: 2,
    }],
  },
};
