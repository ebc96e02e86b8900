import { decodeJwt } from "jose";
import { issuerOf } from "./address.ts";
import type { Client } from "./client.ts";
import { learn, type Values } from "./values.ts";

/** Seconds by which two clocks may differ. */
const LEEWAY = 60;

/**
 * The claims of an ID token that is ours and lives; undefined for any other, whose sources then have nothing to say.
 *
 * Its signature is not verified: it came from the token endpoint over TLS, which stands for its issuer (OpenID Connect
 * Core §3.1.3.7, 6).
 */
export function idTokenClaims(
  client: Client,
  id_token: unknown,
): Readonly<Record<string, unknown>> | undefined {
  const claims = typeof id_token === "string" ? decoded(id_token) : undefined;
  if (!claims) return undefined;
  const { aud, exp, iss } = claims;
  const { values }: { values: Values } = learn(client, "id_token", { id_token: claims }, {});
  const issuer = issuerOf(client, values);
  const ours = [aud].flat().includes(client.client_id) && issuer !== null && iss === issuer;
  return ours && typeof exp === "number" && exp + LEEWAY > Date.now() / 1000 ? claims : undefined;
}

function decoded(id_token: string) {
  try {
    return decodeJwt(id_token);
  } catch {
    // What is no JWT says nothing.
    return undefined;
  }
}
