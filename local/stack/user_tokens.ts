import { type CryptoKey, errors, importJWK, type JWK, type JWTPayload, jwtVerify, SignJWT } from "jose";
import type { Keys } from "./keys.ts";

/** Why a token is refused. */
export type Refusal = "expired" | "forged";

/**
 * Users' tokens are ES256 outside, as hosted ones are, and HS256 inside: the Auth library knows nothing else, and
 * `withSupabase` accepts no HS256. The claims are the same on both sides.
 */
export class UserTokens {
  /** The public half, as `/auth/v1/.well-known/jwks.json` and SUPABASE_JWKS show it. */
  readonly jwks: { keys: JWK[] };
  readonly #keys: Keys;
  readonly #secret: Uint8Array;
  readonly #public: Promise<CryptoKey | Uint8Array>;
  readonly #private: Promise<CryptoKey | Uint8Array>;

  constructor(keys: Keys) {
    const { d: _, ...publicJwk } = keys.signing_key;
    this.jwks = { keys: [publicJwk] };
    this.#keys = keys;
    this.#secret = new TextEncoder().encode(keys.jwt_secret);
    this.#public = importJWK(publicJwk, "ES256");
    this.#private = importJWK(keys.signing_key, "ES256");
  }

  /** The same claims for the inside, or why not. */
  async inward(token: string): Promise<{ token: string } | { refused: Refusal }> {
    try {
      const { payload } = await jwtVerify(token, await this.#public, { algorithms: ["ES256"] });
      const inside = new SignJWT(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" });
      return { token: await inside.sign(this.#secret) };
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { refused: "expired" };
      if (error instanceof errors.JOSEError) return { refused: "forged" };
      throw error;
    }
  }

  /** A token of the Auth library as hosted Auth would have issued it. */
  async outward(token: string, issuer: string): Promise<string> {
    const { payload } = await jwtVerify(token, this.#secret, { algorithms: ["HS256"] });
    return await this.sign({ ...payload, iss: issuer });
  }

  /** Signs any claims, for tests too. */
  async sign(claims: JWTPayload): Promise<string> {
    const header = { alg: "ES256", kid: this.#keys.signing_key.kid, typ: "JWT" };
    return await new SignJWT(claims).setProtectedHeader(header).sign(await this.#private);
  }
}
