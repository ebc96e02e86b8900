import { type ClientAuth, ClientSecretBasic, ClientSecretPost, None, PrivateKeyJwt } from "oauth4webapi";
import { importJWK } from "jose";
import { endpointOf, issuerOf } from "./address.ts";
import type { Client, Transport } from "./client.ts";
import { EndpointUnusable } from "./errors.ts";
import { boundedFetch, isLoopback } from "./http.ts";
import type { Definition, Revocation, Template } from "./provider.ts";
import { fill, fillAll, fillHeaders, type Fillings } from "./template.ts";
import { usable, type Values } from "./values.ts";

/** One message to the authorization server. */
export interface Message extends Omit<Revocation, "parameters" | "format"> {
  readonly format: Revocation["format"] | NonNullable<Definition["token_request_format"]>;
  /** The standard ones, then those of the definition, which stand beside them or in their place. */
  readonly parameters: readonly Readonly<Record<string, Template | null>>[];
  readonly headers?: Readonly<Record<string, Template>>;
}

const USER_AGENT = "oauth-tokens-on-supabase";

/**
 * Sends it once, as the provider wants it written, with what proves who the client is (RFC 6749 §2.3).
 *
 * @param own what placeholders stand for, beside the values
 * @throws {EndpointUnusable} before anything is sent
 * @throws {ProviderUnreachable} no usable answer
 */
export async function send(
  client: Client,
  message: Message,
  { values, own }: { readonly values: Values; readonly own: Fillings },
  transport: Transport,
): Promise<Response> {
  const { client_id, client_secret, redirect_uri } = client;
  const fillings = { ...usable(client, values), client_id, client_secret, redirect_uri, ...own };
  const url = endpointOf(client, message.url, values, fillings);
  // Plain http is for a sandbox on this machine alone.
  if (!url || !(url.protocol === "https:" || isLoopback(url))) throw new EndpointUnusable();
  const headers = new Headers({ accept: "application/json", "user-agent": USER_AGENT });
  const parameters = Object.assign({}, ...message.parameters);
  const body = new URLSearchParams(fillAll(parameters, fillings));
  if (message.auth === "bearer") {
    headers.set("authorization", `Bearer ${own.access_token}`);
  } else {
    const issuer = issuerOf(client, values) ?? url.href;
    const authenticate = message.auth === "basic"
      ? basic(client.provider.basic_credentials, client_secret)
      : clientAuthentication(client);
    await authenticate({ issuer }, { client_id }, body, headers);
  }
  // What the definition says stands in the place of what the library has put there.
  for (const [name, template] of Object.entries(parameters)) {
    const text = template === null ? null : fill(template as Template, fillings);
    if (text === null) body.delete(name);
    else body.set(name, text);
  }
  for (const [name, text] of Object.entries(fillHeaders(message.headers ?? {}, fillings))) {
    headers.set(name, text);
  }
  return await boundedFetch(transport)(...formatted(url, body, headers, message));
}

/** The names of RFC 6749 in the form that the provider reads. */
function formatted(
  url: URL,
  parameters: URLSearchParams,
  headers: Headers,
  { method, format }: Message,
): [string, RequestInit] {
  switch (format) {
    case "form":
      headers.set("content-type", "application/x-www-form-urlencoded;charset=UTF-8");
      return [url.href, { method, headers, body: parameters.toString() }];
    case "json":
      headers.set("content-type", "application/json");
      return [url.href, { method, headers, body: JSON.stringify(Object.fromEntries(parameters)) }];
    case "query":
      for (const [name, value] of parameters) url.searchParams.set(name, value);
      return [url.href, { method, headers }];
    case "none":
      return [url.href, { method, headers }];
  }
}

/** How the client proves who it is at the token and revocation endpoints, and nowhere else. */
function clientAuthentication({ provider, client_secret }: Client): ClientAuth {
  switch (provider.token_endpoint_auth_method) {
    case "client_secret_basic":
      return basic(provider.basic_credentials, client_secret);
    case "client_secret_post":
      return ClientSecretPost(client_secret);
    case "private_key_jwt":
      return privateKeyJwt(client_secret);
    case "none":
      return None();
  }
}

function basic(how: Client["provider"]["basic_credentials"], client_secret: string): ClientAuth {
  if (how === "urlencoded") return ClientSecretBasic(client_secret);
  return (_server, client, _body, headers) => {
    const credentials = how === "raw" ? `${client.client_id}:${client_secret}` : `${client_secret}:`;
    headers.set("authorization", `Basic ${btoa(credentials)}`);
  };
}

/** RFC 7523 §2.2, with the algorithm that the key names. */
function privateKeyJwt(client_secret: string): ClientAuth {
  return async (server, client, body, headers) => {
    const jwk = JSON.parse(client_secret);
    // A private JWK is no octets (RFC 7518 §6), the only other thing that this gives.
    const signing = { key: await importJWK(jwk), kid: jwk.kid } as Parameters<typeof PrivateKeyJwt>[0];
    await PrivateKeyJwt(signing)(server, client, body, headers);
  };
}
