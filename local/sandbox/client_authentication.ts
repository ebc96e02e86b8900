import { invalidClient, oauthError } from "./bodies.ts";
import { type Call, refuse } from "./call.ts";

interface Credentials {
  id: string;
  secret: string;
}

/**
 * The answer that a request without the client's credentials gets; null if they are right.
 *
 * Basic is read as RFC 7617 has it, without the form decoding of RFC 6749 §2.3.1: Pipedrive documents
 * base64(client_id:client_secret), so a client that percent-encodes `-` to `%2D` is refused here as there.
 */
export function refuseClient(call: Call): Response | null {
  const credentials = basicCredentials(call.request.headers) ?? bodyCredentials(call.form);
  if (credentials === null) {
    const message = "Invalid client: cannot retrieve client credentials";
    const status = sentHeader(call) ? call.world.switches.invalid_client_status : 400;
    const headers: Record<string, string> = status === 401
      ? { "www-authenticate": 'Basic realm="Service"' }
      : {};
    return refuse(call, "no_client_credentials", oauthError(status, "invalid_client", message, headers));
  }
  const { client_id, client_secret } = call.world.registration;
  if (credentials.id === client_id && credentials.secret === client_secret) return null;
  const status = sentHeader(call) ? call.world.switches.invalid_client_status : 400;
  return refuse(call, "invalid_client", invalidClient(status));
}

function sentHeader(call: Call): boolean {
  return call.request.headers.has("authorization");
}

function basicCredentials(headers: Headers): Credentials | null {
  const match = /^ *basic +([A-Za-z0-9+/]+=*) *$/i.exec(headers.get("authorization") ?? "");
  if (!match?.[1] || match[1].length % 4 !== 0) return null;
  const text = new TextDecoder().decode(Uint8Array.from(atob(match[1]), (c) => c.charCodeAt(0)));
  const colon = text.indexOf(":");
  return colon < 0 ? null : { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

function bodyCredentials(form: URLSearchParams | null): Credentials | null {
  const id = form?.get("client_id");
  const secret = form?.get("client_secret");
  return id && secret ? { id, secret } : null;
}
