import { invalidClient, oauthError, Refusal } from "./answers.ts";
import type { Call } from "./router.ts";

interface Credentials {
  readonly id: string;
  readonly secret: string;
}

/**
 * The form of a request that carries the client's credentials.
 *
 * Basic is read as RFC 7617 has it, without the form decoding of RFC 6749 §2.3.1: Pipedrive documents
 * base64(client_id:client_secret), so a client that percent-encodes `-` to `%2D` is refused here as there.
 */
export function formOfClient({ request, form, world }: Call): URLSearchParams {
  if (request.method !== "POST") throw invalidRequest("Invalid request: method must be POST");
  if (form === null) {
    throw invalidRequest("Invalid request: content must be `application/x-www-form-urlencoded`");
  }
  const header = request.headers.get("authorization");
  const status = header === null ? 400 : 401;
  const credentials = basicCredentials(header ?? "") ?? bodyCredentials(form);
  if (credentials === null) {
    const message = "Invalid client: cannot retrieve client credentials";
    throw new Refusal("no_client_credentials", invalidClient(status, message));
  }
  const { client_id, client_secret } = world.registration;
  if (credentials.id === client_id && credentials.secret === client_secret) return form;
  throw new Refusal("invalid_client", invalidClient(status));
}

export function invalidRequest(message: string, outcome = "invalid_request"): Refusal {
  return new Refusal(outcome, oauthError(400, "invalid_request", message));
}

/** The one value of a parameter that must be there. */
export function parameter(form: URLSearchParams, name: string): string {
  const [value, ...more] = form.getAll(name);
  if (!value) throw invalidRequest(`Missing parameter: \`${name}\``);
  if (more.length === 0 && /^[\x20-\x7e]+$/.test(value)) return value;
  throw invalidRequest(`Invalid parameter: \`${name}\``);
}

function basicCredentials(header: string): Credentials | null {
  const match = /^ *basic +([A-Za-z0-9+/]+=*) *$/i.exec(header);
  if (!match?.[1] || match[1].length % 4 !== 0) return null;
  const text = new TextDecoder().decode(Uint8Array.from(atob(match[1]), (c) => c.charCodeAt(0)));
  const colon = text.indexOf(":");
  return colon < 0 ? null : { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}

function bodyCredentials(form: URLSearchParams): Credentials | null {
  const [id, secret] = [form.get("client_id"), form.get("client_secret")];
  return id && secret ? { id, secret } : null;
}
