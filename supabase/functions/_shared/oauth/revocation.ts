import { revocationRequest } from "oauth4webapi";
import type { Client, Transport } from "./client.ts";
import { OAuthError, UnexpectedResponse } from "./errors.ts";
import { asErrorCode, readObject } from "./json.ts";
import { authorizationServer, clientAuthentication, requestOptions } from "./server.ts";

/**
 * Revokes a token (RFC 7009 §2.1). An unknown one counts as revoked, and so does any where the provider offers no
 * revocation.
 *
 * @param hint which kind it is; at some providers a refresh token takes the whole authorization with it
 * @throws {OAuthError} refused: our client's registration is at fault
 * @throws {UnexpectedResponse} the answer is neither a success nor an OAuth error
 * @throws {ProviderUnreachable} no usable answer; with 503 the token still lives (RFC 7009 §2.2.1): try again
 */
export async function revoke(
  client: Client,
  token: string,
  hint: "access_token" | "refresh_token",
  transport: Transport,
): Promise<void> {
  const { provider, client_id } = client;
  if (provider.revocation_endpoint === undefined) return;
  const response = await revocationRequest(
    authorizationServer(provider),
    { client_id },
    clientAuthentication(client),
    token,
    {
      ...requestOptions(provider.revocation_endpoint, transport),
      additionalParameters: { token_type_hint: hint },
    },
  );
  if (response.ok) return;
  const error = asErrorCode((await readObject(response))?.error);
  throw error
    ? new OAuthError(error, response.status)
    : new UnexpectedResponse(`status_${response.status}`, response.status);
}
