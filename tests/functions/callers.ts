/** Who calls: the project's keys and its users' tokens. Loading this gives the process the project's environment. */
import { generateKeyPair, importJWK, type JWTPayload, SignJWT } from "jose";

/** The keys of a project, as the platform hands them to a function. */
export const PUBLISHABLE_KEY = "sb_publishable_test";
export const SECRET_KEYS = { default: "sb_secret_default", cron: "sb_secret_cron" };

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

/** What `Deno.env` must hold before a function is called. Nothing listens at this address. */
export const PROJECT: Readonly<Record<string, string>> = {
  SUPABASE_URL: "http://127.0.0.1:9",
  SUPABASE_PUBLISHABLE_KEYS: JSON.stringify({ default: PUBLISHABLE_KEY }),
  SUPABASE_SECRET_KEYS: JSON.stringify(SECRET_KEYS),
  SUPABASE_JWKS: JSON.stringify({ keys: [{ ...OURS, kid: KEY_ID, alg: "ES256" }] }),
};
for (const [name, value] of Object.entries(PROJECT)) Deno.env.set(name, value);

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** A user's token as the project's Auth signs it. */
export function userToken(
  claims: JWTPayload = {},
  key = ours,
  kid = KEY_ID,
): Promise<string> {
  return new SignJWT({ sub: crypto.randomUUID(), role: "authenticated", ...claims })
    .setProtectedHeader({ alg: "ES256", kid })
    .setExpirationTime(claims.exp ?? "1h")
    .sign(key);
}

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
