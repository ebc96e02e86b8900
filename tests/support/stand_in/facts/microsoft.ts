import type { Facts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  bearer,
  DAY,
  HOUR,
  idToken,
  LIFE,
  oauthError,
  retryAfter,
  TOKEN,
  withScope,
} from "./common.ts";

const LOGIN = "https://login.microsoftonline.com";
const [TENANT, OBJECT] = ["9122040d-6c67-4c5b-b112-36a304b66dad", "00000000-0000-0000-66f3-3332eca7ea81"];

const DEAD = { error: { code: "InvalidAuthenticationToken", message: "Lifetime validation failed." } };

export const microsoft: Facts = {
  name: "microsoft",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: `${LOGIN}/common/oauth2/v2.0/authorize`, // catalogue
    scope_required: true, // unverified
    offline: withScope("offline_access"), // catalogue
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${LOGIN}/common/oauth2/v2.0/token` }], // catalogue
    // documented: the tenant's own issuer
    answer: (issued) => ({
      ...bearer(issued),
      ext_expires_in: issued.expires_in,
      id_token: idToken(issued, {
        iss: `${LOGIN}/${TENANT}/v2.0`,
        sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
        tid: TENANT,
        oid: OBJECT,
        name: "Jane Doe",
        preferred_username: "jane@acme.example",
        ver: "2.0",
      }),
    }),
    // documented, both
    over: [oauthError("invalid_grant", 400, { error_codes: [700082] }), oauthError("interaction_required")],
  },
  life: {
    ...LIFE,
    rotation: "renewed", // documented: a new one each time, the old one not ended
    // documented: 60 to 90 minutes, differing; 90 days
    lifetimes: (_request, nth) => ({ access: HOUR + (nth * 757) % 1801, refresh: 90 * DAY }),
  },
  revocations: [], // documented: none; what Graph has ends all of the user's grants
  api: {
    ...API,
    base: "https://graph.microsoft.com", // catalogue
    thing: "https://graph.microsoft.com/v1.0/thing",
    accounts: [{
      method: "GET",
      url: "https://graph.microsoft.com/v1.0/me", // documented
      answer: () => ({
        id: OBJECT,
        displayName: "Jane Doe",
        mail: "jane@acme.example",
        userPrincipalName: "jane@acme.example",
      }),
    }],
    dead: [answer(401, DEAD), answer(403, DEAD)], // catalogue: 403 in some APIs
    limits: [retryAfter({ error: { code: "TooManyRequests" } })],
  },
};
