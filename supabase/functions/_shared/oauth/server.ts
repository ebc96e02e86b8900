import {
  allowInsecureRequests,
  type AuthorizationServer,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  customFetch,
  None,
} from "oauth4webapi";
import type { Client, Provider, Transport } from "./client.ts";
import { boundedFetch, isLoopback } from "./http.ts";

/** The provider in the words of RFC 8414. One that names no issuer stands for its own origin. */
export function authorizationServer(provider: Provider): AuthorizationServer {
  return {
    issuer: provider.issuer ?? new URL(provider.authorization_endpoint).origin,
    authorization_endpoint: provider.authorization_endpoint,
    token_endpoint: provider.token_endpoint,
    revocation_endpoint: provider.revocation_endpoint,
    authorization_response_iss_parameter_supported: provider.authorization_response_iss_parameter_supported,
  };
}

/** How the client proves who it is at the token and revocation endpoints (RFC 6749 §2.3), and nowhere else. */
export function clientAuthentication({ provider, client_secret }: Client): ClientAuth {
  switch (provider.token_endpoint_auth_method) {
    case "client_secret_basic":
      return provider.basic_credentials_as_they_are
        ? literalBasic(client_secret)
        : ClientSecretBasic(client_secret);
    case "client_secret_post":
      return ClientSecretPost(client_secret);
    case "none":
      return None();
  }
}

/** Plain `http` is for a sandbox on this machine alone; anywhere else a request fails before it is sent. */
export function requestOptions(endpoint: string, transport: Transport) {
  return {
    [customFetch]: boundedFetch(transport),
    [allowInsecureRequests]: isLoopback(new URL(endpoint)),
    signal: transport.signal,
  };
}

function literalBasic(client_secret: string): ClientAuth {
  return (_server, client, _body, headers) =>
    headers.set("authorization", `Basic ${btoa(`${client.client_id}:${client_secret}`)}`);
}
