import { base64url, exportJWK, generateKeyPair, type JWK } from "jose";
import { readIfThere, writeWhole } from "./process.ts";

/** What a hosted project is given once and keeps. */
export interface Keys {
  readonly publishable_key: string;
  readonly secret_key: string;
  /** A second secret key, as a schedule is to have one of its own. */
  readonly cron_key: string;
  /** Between the gateway and the Auth library only; no client ever sees a token signed with it. */
  readonly jwt_secret: string;
  /** ES256, private. */
  readonly signing_key: JWK;
  /** As the setting TOKEN_ENCRYPTION_KEYS has it. */
  readonly token_encryption_keys: string;
}

/** The keys kept in a file that only its owner may read; made when there is none. */
export async function keepKeys(path: string): Promise<Keys> {
  const kept = await readIfThere(path);
  if (kept !== null) return JSON.parse(kept);
  const keys = await makeKeys();
  writeWhole(path, JSON.stringify(keys, null, 2) + "\n");
  return keys;
}

async function makeKeys(): Promise<Keys> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return {
    publishable_key: `sb_publishable_${random(24)}`,
    secret_key: `sb_secret_${random(24)}`,
    cron_key: `sb_secret_${random(24)}`,
    jwt_secret: random(32),
    signing_key: { ...await exportJWK(privateKey), kid: crypto.randomUUID(), alg: "ES256", use: "sig" },
    token_encryption_keys: `local:${random(32)}`,
  };
}

function random(bytes: number): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(bytes)));
}
