import type { Client, Grant, Transport } from "./client.ts";
import { OAuthError, UnexpectedResponse } from "./errors.ts";
import { asErrorCode, readObject } from "./json.ts";
import type { Revocation } from "./provider.ts";
import { send } from "./server.ts";

/** What says that the token is over already: with it as the proof, or named in a request of another form than RFC 7009's. */
const OVER = { bearer: [401, 404], basic: [404, 422], client: [] as number[] };

/**
 * Ends an authorization at the provider (RFC 7009 §2.1, or as the definition has it), by the access token where there
 * is no other. An unknown token counts as revoked, and so does any where the provider offers no revocation.
 *
 * @throws {OAuthError} refused: our client's registration is at fault
 * @throws {UnexpectedResponse} the answer is neither a success nor an OAuth error
 * @throws {ProviderUnreachable} no usable answer; with 503 the token still lives (RFC 7009 §2.2.1): try again
 * @throws {EndpointUnusable} nothing was sent
 */
export async function revoke(client: Client, grant: Grant, transport: Transport): Promise<void> {
  const { revocation } = client.provider;
  if (revocation === undefined) return;
  const { access_token, refresh_token = access_token, values } = grant;
  const own = { access_token, refresh_token };
  const hinted = grant.refresh_token === undefined && "token_type_hint" in revocation.parameters;
  const hint: Revocation["parameters"] = hinted ? { token_type_hint: "access_token" } : {};
  const message = { ...revocation, parameters: [revocation.parameters, hint] };
  const response = await send(client, message, { values, own }, transport);
  if (OVER[revocation.auth].includes(response.status)) return;
  const error = asErrorCode((await readObject(response))?.error);
  // Some answer 200 and an error, and some say of what is over already that it is invalid.
  const over = ["invalid_token", ...client.provider.invalid_grant_synonyms];
  if (error === null ? response.ok : over.includes(error)) return;
  throw error
    ? new OAuthError(error, response.status)
    : new UnexpectedResponse(`status_${response.status}`, response.status);
}
