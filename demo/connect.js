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

/** What this tab began last and has not finished: at which provider, and its binding. */
export const begun = () => JSON.parse(sessionStorage.getItem(BINDING) ?? "{}");

/**
 * Begins, and leaves the page. The binding stays in this tab: whoever else gets the link can finish nowhere.
 *
 * @param values what the provider asks its user for, by name
 */
export async function begin(api, provider, values = {}) {
  const { authorization_url, binding } = await api.call(`oauth-callback/${provider}/authorize`, {
    return_to: location.pathname,
    values,
  });
  sessionStorage.setItem(BINDING, JSON.stringify({ provider, binding }));
  location.assign(authorization_url);
}

/** Finishes what this tab began; a repeat gives the same. @returns the connection */
export async function complete(api, ticket) {
  const { provider, binding } = begun();
  if (!binding) throw new Trouble("AUTHORIZATION_REQUEST_INVALID");
  const { connection } = await api.call(`oauth-callback/${provider}/complete`, { ticket, binding });
  sessionStorage.removeItem(BINDING);
  return connection;
}
