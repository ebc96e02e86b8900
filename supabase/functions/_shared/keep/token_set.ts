import { PublicError } from "../errors.ts";
import type { AccessToken } from "../oauth/client.ts";
import type { Keyring } from "./seal.ts";

/** Whose tokens they are: what their seals are bound to. */
export interface Owner {
  /** The connection's. */
  readonly id: string;
  readonly provider: string;
}

export interface SealedTokens {
  readonly access_token_sealed: string;
  readonly refresh_token_sealed: string;
  readonly key_id: string;
}

/**
 * Seals the two tokens apart, so that reading an access token never touches the refresh token. The destination is
 * sealed with the access token, so that editing a column cannot redirect it.
 */
export async function sealTokenSet(
  keyring: Keyring,
  owner: Owner,
  { refresh_token, access_token, api_origin }: AccessToken & { readonly refresh_token: string },
): Promise<SealedTokens> {
  const plaintext = JSON.stringify({ access_token, api_origin } satisfies AccessToken);
  const [access_token_sealed, refresh_token_sealed] = await Promise.all([
    keyring.seal(plaintext, { ...owner, field: "access_token" }),
    keyring.seal(refresh_token, { ...owner, field: "refresh_token" }),
  ]);
  return { access_token_sealed, refresh_token_sealed, key_id: keyring.key_id };
}

/** @throws {PublicError} `CONFIGURATION_INVALID` if it does not open */
export async function openAccessToken(
  keyring: Keyring,
  owner: Owner,
  sealed: string | null,
): Promise<AccessToken> {
  if (sealed === null) throw new PublicError("CONFIGURATION_INVALID", "the connection has no stored tokens");
  return JSON.parse(await keyring.open(sealed, { ...owner, field: "access_token" }));
}

/** @throws {PublicError} `CONFIGURATION_INVALID` if it does not open */
export function openRefreshToken(keyring: Keyring, owner: Owner, sealed: string): Promise<string> {
  return keyring.open(sealed, { ...owner, field: "refresh_token" });
}
