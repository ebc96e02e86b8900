import { CLIENT } from "../client.ts";
import type { Answer, Facts, RevocationFacts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  bearer,
  DAY,
  HOUR,
  LIFE,
  lives,
  NO_BODY,
  refusals,
  TOKEN,
} from "./common.ts";

const ORIGIN = "https://api.github.com";
const DOCUMENTATION = "https://docs.github.com/rest";

/** documented: the codes; seen with 200 in several clients of it */
function refusal(error: string): Answer {
  return answer(200, { error, error_description: `Refused: ${error}` });
}

function apiError(status: number, message: string): Answer {
  return answer(status, { message, documentation_url: DOCUMENTATION, status: String(status) });
}

/** documented: Basic, JSON `access_token`, which must be alive: https://docs.github.com/en/rest/apps/oauth-applications */
function revocation(what: "token" | "grant"): RevocationFacts {
  return {
    url: `${ORIGIN}/applications/${CLIENT.client_id}/${what}`,
    method: "DELETE",
    auth: ["basic_raw"],
    formats: ["json"],
    parameter: "access_token",
    ends: { access: what },
    success: NO_BODY,
    unknown: apiError(422, "Validation Failed"),
  };
}

/** Seconds since 1970, beside the answer's own `Date`. */
function limit(status: number) {
  return {
    ...apiError(status, "API rate limit exceeded for user ID 583231."),
    headers: (now: number) => ({
      "x-ratelimit-limit": "5000",
      "x-ratelimit-remaining": "0",
      "x-ratelimit-reset": String(Math.floor(now / 1000) + 90),
    }),
    wait: 90,
  };
}

export const github: Facts = {
  name: "github",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: "https://github.com/login/oauth/authorize", // catalogue
    code_challenge: "verified", // documented: github.blog/changelog, 2025-07-14
    scope_separators: [], // documented: permissions belong to the client
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: "https://github.com/login/oauth/access_token" }], // catalogue
    answer: (issued) => ({
      ...bearer(issued),
      token_type: "bearer",
      scope: "",
      refresh_token_expires_in: issued.refresh_token_expires_in, // documented
    }),
    form_unless_json_accepted: true, // documented
    refused: {
      ...refusals(refusal),
      invalid_client: refusal("incorrect_client_credentials"),
      invalid_code: refusal("bad_verification_code"),
    },
    over: [refusal("bad_refresh_token")], // seen in several clients of it
  },
  // documented: single use, ends the old access token too; 8 hours, 6 months
  life: { ...LIFE, lifetimes: lives(8 * HOUR, 184 * DAY), refresh_ends_access: true },
  revocations: [revocation("token"), revocation("grant")],
  api: {
    ...API,
    base: ORIGIN, // catalogue
    thing: `${ORIGIN}/repos/acme/thing`,
    accounts: [{
      method: "GET",
      url: `${ORIGIN}/user`, // documented
      answer: () => ({ login: "jane", id: 583231, name: "Jane Doe", email: null }),
    }],
    dead: [apiError(401, "Bad credentials")],
    limits: [limit(429), limit(403)], // documented: a time since 1970, with either status
  },
};
