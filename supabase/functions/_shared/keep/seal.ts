import { base64url } from "jose";
import { PublicError } from "../errors.ts";
import { Latest } from "../latest.ts";

const FORMAT = "v1";
const IV_BYTES = 12;
const KEY_BYTES = 32;

/** What a seal is bound to (RFC 5116 §2.1). Moved to another row, field or provider, it does not open. */
export interface AssociatedData {
  /** The connection's id; for `code` and `code_verifier` the authorization request's. */
  readonly id: string;
  readonly provider: string;
  readonly field: "access_token" | "refresh_token" | "code" | "code_verifier";
}

/**
 * The encryption keys by id: the first seals, all open.
 *
 * @example
 * ```ts
 * const keyring = await Keyring.parse("k2:<32 bytes>,k1:<32 bytes>");
 * const place = { id: connection_id, provider: "pipedrive", field: "refresh_token" } as const;
 * const sealed = await keyring.seal("a refresh token", place);
 * await keyring.open(sealed, place); // "a refresh token"
 * await keyring.open(sealed, { ...place, id: another_id }); // throws: sealed for another row
 * ```
 */
export class Keyring {
  /** The key id that seals. */
  readonly key_id: string;
  /** All that are at hand, the one that seals first. */
  readonly key_ids: readonly string[];
  readonly #keys: ReadonlyMap<string, CryptoKey>;
  /** By what they are for. */
  readonly #derived = new Latest<Promise<CryptoKey>>(1_000);

  private constructor(key_id: string, keys: ReadonlyMap<string, CryptoKey>) {
    this.key_id = key_id;
    this.key_ids = [...keys.keys()];
    this.#keys = keys;
  }

  /**
   * Reads `kid:base64url-32-bytes[,kid:…]`.
   *
   * @throws {PublicError} `CONFIGURATION_INVALID`, which says what is wrong with which entry and never shows it
   */
  static async parse(setting: string): Promise<Keyring> {
    const keys = new Map<string, CryptoKey>();
    for (const [index, entry] of setting.split(",").entries()) {
      const [key_id = "", encoded = "", ...rest] = entry.trim().split(":");
      const problem = rest.length > 0 || !/^[A-Za-z0-9_-]{1,32}$/.test(key_id)
        ? "is not kid:key"
        : keys.has(key_id)
        ? "repeats a key id"
        : bytesOf(encoded)?.length !== KEY_BYTES
        ? `is not ${KEY_BYTES} bytes of base64url`
        : bytesOf(encoded)?.every((byte) => byte === 0)
        ? "is all zeros, which is no key"
        : null;
      if (problem) throw invalid(`entry ${index + 1} of TOKEN_ENCRYPTION_KEYS ${problem}`);
      keys.set(key_id, await importKey(encoded));
    }
    const [first] = keys.keys();
    if (first === undefined) throw invalid("TOKEN_ENCRYPTION_KEYS is empty");
    return new Keyring(first, keys);
  }

  /** Encrypts with AES-256-GCM under a key of its own per id: `format.key id.iv.ciphertext`, base64url. */
  async seal(plaintext: string, data: AssociatedData): Promise<string> {
    const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
    const key = await this.#sealingKey(this.key_id, data);
    const ciphertext = await crypto.subtle.encrypt(
      { name: "AES-GCM", iv, additionalData: associatedData(this.key_id, data) },
      key,
      encoder.encode(plaintext),
    );
    return [FORMAT, this.key_id, base64url.encode(iv), base64url.encode(new Uint8Array(ciphertext))].join(
      ".",
    );
  }

  /**
   * @throws {PublicError} `CONFIGURATION_INVALID`: an unknown key id, or a seal that does not open here. It is never
   * the user's fault, so no connection may change state over it.
   */
  async open(sealed: string, data: AssociatedData): Promise<string> {
    const [format, key_id = "", iv = "", ciphertext = "", ...rest] = sealed.split(".");
    const [ivBytes, ciphertextBytes] = [bytesOf(iv), bytesOf(ciphertext)];
    if (format !== FORMAT || rest.length > 0 || ivBytes?.length !== IV_BYTES || !ciphertextBytes) {
      throw doesNotOpen(`the stored ${data.field}`, "it is not a seal of this version");
    }
    const key = await this.#sealingKey(key_id, data);
    try {
      const additionalData = associatedData(key_id, data);
      const plaintext = await crypto.subtle.decrypt(
        { name: "AES-GCM", iv: ivBytes, additionalData },
        key,
        ciphertextBytes,
      );
      return new TextDecoder().decode(plaintext);
    } catch {
      throw doesNotOpen(`the stored ${data.field}`, `not with the key at hand for key id "${key_id}"`);
    }
  }

  /** A keyed hash, under a key of its own per purpose: texts can be compared by it, and nobody without the key can guess one. */
  async hash(purpose: "client" | "ticket", texts: readonly string[], key_id = this.key_id): Promise<string> {
    const key = await this.#derive(key_id, purpose, { name: "HMAC", hash: "SHA-256", length: 256 }, ["sign"]);
    return base64url.encode(new Uint8Array(await crypto.subtle.sign("HMAC", key, prefixed(texts))));
  }

  /** A key per id keeps random IVs far from their limit and binds the ciphertext to the id once more. */
  #sealingKey(key_id: string, { id }: AssociatedData): Promise<CryptoKey> {
    return this.#derive(key_id, `${FORMAT}|${id}`, { name: "AES-GCM", length: 256 }, ["encrypt", "decrypt"]);
  }

  /** @param info what the key is for, and for nothing else (RFC 5869 §3.2) */
  #derive(
    key_id: string,
    info: string,
    algorithm: AesKeyGenParams | HmacKeyGenParams,
    usages: KeyUsage[],
  ): Promise<CryptoKey> {
    const name = `${key_id}:${info}`;
    const known = this.#derived.get(name);
    if (known) return known;
    const hkdf = {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: encoder.encode(`oauth-tokens/${info}`),
    };
    const derived = crypto.subtle.deriveKey(hkdf, this.#key(key_id), algorithm, false, usages);
    this.#derived.set(name, derived);
    return derived;
  }

  #key(key_id: string): CryptoKey {
    const key = this.#keys.get(key_id);
    if (!key) throw doesNotOpen("a stored token", `there is no key of its key id "${key_id}"`);
    return key;
  }
}

/** SHA-256 in base64url: how a secret that we hand out is stored and found again. */
export async function digest(secret: string): Promise<string> {
  return base64url.encode(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(secret))));
}

/** 256 bits from the CSPRNG, base64url. */
export function randomSecret(): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
}

const encoder = new TextEncoder();

function associatedData(key_id: string, { id, provider, field }: AssociatedData) {
  return prefixed([FORMAT, key_id, id, provider, field]);
}

/** By its length, so that no two lists of texts share an encoding. */
function prefixed(texts: readonly string[]) {
  return encoder.encode(texts.map((text) => `${text.length}:${text}`).join(""));
}

function importKey(encoded: string): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", new Uint8Array(base64url.decode(encoded)), "HKDF", false, [
    "deriveKey",
  ]);
}

/** Null: it is not base64url, of which no text is one character longer than a multiple of four. */
function bytesOf(encoded: string) {
  const decodes = /^[A-Za-z0-9_-]+$/.test(encoded) && encoded.length % 4 !== 1;
  return decodes ? new Uint8Array(base64url.decode(encoded)) : null;
}

/** The log learns the key id, a caller does not. */
function doesNotOpen(what: string, why: string): PublicError {
  const message = `${what} does not open with TOKEN_ENCRYPTION_KEYS`;
  return new PublicError("CONFIGURATION_INVALID", message, { reason: `${message}: ${why}` });
}

function invalid(message: string): PublicError {
  return new PublicError("CONFIGURATION_INVALID", message);
}
