import { PublicError } from "../errors.ts";
import type { AccessToken, Grant } from "../oauth/client.ts";
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
 * Seals the access token apart from the whole grant, so that using one never touches the refresh token. The values that
 * say where a token is sent are sealed with it, so that editing a column cannot redirect it.
 */
export async function sealTokenSet(keyring: Keyring, owner: Owner, grant: Grant): Promise<SealedTokens> {
  const { access_token, values } = grant;
  const [access_token_sealed, refresh_token_sealed] = await Promise.all([
    keyring.seal(JSON.stringify({ access_token, values }), { ...owner, field: "access_token" }),
    keyring.seal(JSON.stringify(grant), { ...owner, field: "refresh_token" }),
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
export async function openGrant(keyring: Keyring, owner: Owner, sealed: string): Promise<Grant> {
  return JSON.parse(await keyring.open(sealed, { ...owner, field: "refresh_token" }));
}
