import type { Facts } from "../types.ts";
import {
  answer,
  API,
  AUTHORIZATION,
  bearer,
  DAY,
  idToken,
  LIFE,
  lives,
  MINUTE,
  retryAfter,
  rfc7009,
  TOKEN,
  withScope,
} from "./common.ts";

const ORIGIN = "https://api.xero.com";
const IDENTITY = "https://identity.xero.com";
const TENANTS = ["45e4708e-d862-4111-ab3a-dd8cd03913e1", "c3d5e782-2153-4cda-bdb4-cec791ceb90d"];

const FORBIDDEN = answer(403, { Title: "Forbidden", Status: 403, Detail: "AuthenticationUnsuccessful" });

export const xero: Facts = {
  name: "xero",
  values: {},
  authorization: {
    ...AUTHORIZATION,
    endpoint: "https://login.xero.com/identity/connect/authorize", // catalogue
    code_challenge: "verified", // documented for clients without a secret; unverified: for others
    scope_required: true, // catalogue: `openid` and `offline_access`
    offline: withScope("offline_access"), // catalogue
  },
  token: {
    ...TOKEN,
    endpoints: [{ url: `${IDENTITY}/connect/token` }], // catalogue
    client_authentication: ["body", "basic_raw"], // catalogue; Basic seen in xero-node
    answer: (issued) => ({
      ...bearer(issued),
      id_token: idToken(issued, {
        iss: IDENTITY,
        sub: "db0f83473ed8529fbc5a2f3b5ad6ec49",
        // seen in xero-node
        xero_userid: "1945393b-6eb7-4143-b083-7ab26cd7690b",
        ...(issued.scope.includes("email") && { email: "jane@acme.example" }),
        ...(issued.scope.includes("profile") && { name: "Jane Doe" }),
      }),
    }),
  },
  // documented: single use; the old one works 30 minutes more if the answer was lost; 60 days without use
  life: { ...LIFE, lifetimes: lives(30 * MINUTE, 60 * DAY), reuse_grace: 30 * MINUTE },
  revocations: [rfc7009(`${IDENTITY}/connect/revocation`, ["body", "basic_raw"])], // seen in xero-node
  api: {
    ...API,
    base: ORIGIN, // catalogue
    thing: `${ORIGIN}/api.xro/2.0/thing`,
    headers: [{
      name: "xero-tenant-id", // documented
      matches: new RegExp(`^(${TENANTS.join("|")})$`),
      otherwise: FORBIDDEN, // seen in xero-python: 403 if the tenant is not connected
    }],
    accounts: [{
      method: "GET",
      url: `${ORIGIN}/connections`, // documented in Xero-OpenAPI: several per grant
      answer: () =>
        TENANTS.map((tenantId, at) => ({
          id: `e1eede29-f875-4a5d-8470-17f6a29a88b${at}`,
          authEventId: "d99ecdfe-391d-43d2-b834-17636ba90e8d",
          tenantId,
          tenantType: "ORGANISATION",
          tenantName: at === 0 ? "Acme" : "Acme Holding",
        })),
    }],
    dead: [answer(401, { Title: "Unauthorized", Status: 401, Detail: "TokenExpired" })],
    limits: [retryAfter(null)], // documented: https://developer.xero.com/faq/limits
  },
};
