/** Who calls: the project's keys and its users' tokens. Loading this gives the process the project's environment. */
import type { Trusted } from "../../supabase/functions/_shared/http/caller.ts";
import { generateKeyPair, importJWK, type JWTPayload, SignJWT } from "jose";

/** The keys of a project, as the platform hands them to a function. */
export const PUBLISHABLE_KEY = "sb_publishable_test";
export const SECRET_KEYS = {
  default: "sb_secret_default",
  reports: "sb_secret_reports",
  cron: "sb_secret_cron",
};

const KEY_ID = "project-key";
/**
 * The key that RFC 7515 prints (appendix A.3.1). One for all files: they run side by side in one process and share its
 * environment.
 */
const OURS = {
  kty: "EC",
  crv: "P-256",
  x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
  y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
};
const ours = await importJWK({ ...OURS, d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI" }, "ES256");

const PROJECT_URL = "https://project.supabase.co";
/** As `readTrusted` reads it off the project, with one client that is allowed. */
export const TRUSTED: Trusted = {
  issuers: [`${PROJECT_URL}/auth/v1`],
  oauth_client_ids: ["9a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d"],
};

/** What `Deno.env` must hold before a function is called. No project can have this address. */
export const PROJECT: Readonly<Record<string, string>> = {
  SUPABASE_URL: PROJECT_URL,
  SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: PUBLISHABLE_KEY }),
  SUPABASE_SECRET_KEYS: JSON.stringify(SECRET_KEYS),
  SUPABASE_JWKS: JSON.stringify({ keys: [{ ...OURS, kid: KEY_ID, alg: "ES256" }] }),
};
for (const [name, value] of Object.entries(PROJECT)) Deno.env.set(name, value);

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A user's token as the project's Auth signs it. A claim given as undefined is left out. */
export function userToken(
  claims: JWTPayload = {},
  key = ours,
  kid = KEY_ID,
): Promise<string> {
  const exp = Math.floor(Date.now() / 1000) + 3600;
  const iss = TRUSTED.issuers?.[0];
  const usual = { sub: crypto.randomUUID(), aud: "authenticated", role: "authenticated", iss, exp };
  return new SignJWT({ ...usual, ...claims }).setProtectedHeader({ alg: "ES256", kid }).sign(key);
}

/** Signed with the project's key, and all the same not a user's own token for this project. */
export const WRONG_CLAIMS: Readonly<Record<string, JWTPayload>> = {
  "a token for another audience": { aud: "canary" },
  "a token for no audience": { aud: undefined },
  "a token for audiences that are others": { aud: ["canary", "anon"] },
  "a third party's ID token": { aud: "9a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d", role: undefined },
  "a token of the role anon": { role: "anon" },
  "a token of the role service_role": { role: "service_role" },
  "a token without a role": { role: undefined },
  "a token that never expires": { exp: undefined },
  "another issuer's token": { iss: "https://canary.supabase.co/auth/v1" },
  "a token without an issuer": { iss: undefined },
  "a third party's token": { client_id: "0a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d" },
  "a token of a client without a name": { client_id: "" },
  "a token of no client": { client_id: null },
  "a token of several clients": { client_id: ["9a8b7c6d-5e4f-4a2b-8c0d-9e8f7a6b5c4d"] },
  "a token without a UUID": { sub: "canary" },
};

/** A token that says the same, signed with the key of another project. */
export async function foreignToken(kid = KEY_ID): Promise<string> {
  return await userToken({}, (await generateKeyPair("ES256")).privateKey, kid);
}

/** A token that nobody signed. */
export function unsignedToken(): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part({ alg: "none", typ: "JWT", kid: KEY_ID })}.${part({ sub: crypto.randomUUID() })}.`;
}
