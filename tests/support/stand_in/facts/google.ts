import type { Facts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  bearerOnce,
  DAY,
  HOUR,
  idToken,
  LIFE,
  lives,
  retryAfter,
  rfc7009,
  TOKEN,
  withAccessType,
} from "./common.ts";

const ISSUER = "https://accounts.google.com";
const SUB = "110169484474386276334";

function claims(scope: readonly string[]) {
  const more = { email: "jane@acme.example", email_verified: true };
  return {
    sub: SUB,
    ...(scope.includes("profile") && { name: "Jane Doe" }),
    ...(scope.includes("email") && more),
  };
}

export const google: Facts = {
  name: "google",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: `${ISSUER}/o/oauth2/v2/auth`, // catalogue
    scope_required: true, // unverified
    // catalogue; unverified: a repeated consent without `prompt` brings no refresh token
    offline: withAccessType,
    redirect: { iss: ISSUER }, // unverified (RFC 9207)
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: "https://oauth2.googleapis.com/token" }], // catalogue
    // documented: no refresh token in the refresh answer
    answer: (issued) => ({
      ...bearerOnce(issued),
      id_token: idToken(issued, { iss: ISSUER, ...claims(issued.scope) }),
    }),
  },
  // documented: reusable, an hour, six months without use; a limit for each user, 100
  life: { ...LIFE, rotation: "reusable", lifetimes: lives(HOUR, 180 * DAY), most_grants: 100 },
  // documented; either token ends all
  revocations: [
    rfc7009("https://oauth2.googleapis.com/revoke", ["body"], {
      ends: { access: "grant", refresh: "grant" },
    }),
  ],
  api: {
    ...API,
    base: "https://www.googleapis.com", // catalogue
    thing: "https://www.googleapis.com/drive/v3/thing",
    accounts: [{
      method: "GET",
      url: "https://openidconnect.googleapis.com/v1/userinfo", // documented (its discovery document)
      scope: ["openid"],
      answer: claims,
    }],
    dead: [answer(401, { error: { code: 401, message: "Invalid Credentials", status: "UNAUTHENTICATED" } })],
    limits: [retryAfter({ error: { code: 429, status: "RESOURCE_EXHAUSTED" } })],
  },
};
