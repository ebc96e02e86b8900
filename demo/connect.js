/** Connecting: two steps with a walk to the provider between them. */

import { Trouble } from "./api.js";

/** Where this tab keeps what only it may know while the browser is at the provider. */
const BINDING = "oauth-binding";

/** Takes what the redirect brought out of the address bar, where a history would keep it. */
export function takeReturn() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const back = { ticket: fragment.get("oauth_ticket"), code: fragment.get("oauth_error") };
  if (back.ticket || back.code) history.replaceState(null, "", location.pathname + location.search);
  return back;
}

/** Begins, and leaves the page. The binding stays in this tab: whoever else gets the link can finish nowhere. */
export async function begin(api) {
  const { authorization_url, binding } = await api.call("oauth-callback/pipedrive/authorize", {
    return_to: location.pathname,
  });
  sessionStorage.setItem(BINDING, binding);
  location.assign(authorization_url);
}

/** Finishes what this tab began; a repeat gives the same. @returns the connection */
export async function complete(api, ticket) {
  const binding = sessionStorage.getItem(BINDING);
  if (!binding) throw new Trouble("AUTHORIZATION_REQUEST_INVALID");
  const { connection } = await api.call("oauth-callback/pipedrive/complete", { ticket, binding });
  sessionStorage.removeItem(BINDING);
  return connection;
}
