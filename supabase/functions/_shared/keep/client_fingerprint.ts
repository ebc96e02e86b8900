import type { Client } from "../oauth/client.ts";
import type { Keyring } from "./seal.ts";

/** With what a token request is sent: another's success with the same shows that a refusal is not our client's fault. */
export function clientFingerprint(
  keyring: Keyring,
  { provider, client_id, client_secret, oauth_origin = "" }: Client,
): Promise<string> {
  return keyring.hash("client", [client_id, client_secret, oauth_origin + provider.token_endpoint]);
}
