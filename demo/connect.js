/** Connecting: two steps with a walk to the provider between them. */

import { Trouble } from "./api.js";

/** Where this tab keeps what only it may know while the browser is at the provider. */
const BINDING = "oauth-binding";

/** What a redirect brings. It stands behind the fragment that was there before, if there was one: `#/route?oauth_…`. */
const OURS = /^#(?:(.*)[?&])?(oauth_ticket|oauth_error)=([\w.~-]*)$/;

/** Takes it out of the address bar, where a history would keep it. All else in the address is the application's. */
export function takeReturn() {
  const [ours, before, name, value] = OURS.exec(location.hash) ?? [];
  if (ours) setFragment(before);
  return {
    ticket: name === "oauth_ticket" ? value : null,
    code: name === "oauth_error" ? value : null,
  };
}

/**
 * Whom `/connect/pipedrive` was opened for, as long as that has not begun. Within a frame it is nobody's wish: a page
 * elsewhere could open one that nobody sees.
 */
export function wished() {
  return globalThis.top === globalThis.self ? /^#connect=([\w-]+)$/.exec(location.hash)?.[1] : undefined;
}

/** An own fragment is left as it is found, and none leaves no "#" behind. */
function setFragment(text = "") {
  history.replaceState(history.state, "", location.pathname + location.search + (text && `#${text}`));
}

/** What this tab began last and has not finished: at which provider, and its binding. */
export const begun = () => JSON.parse(sessionStorage.getItem(BINDING) ?? "{}");

/**
 * Begins, and leaves the page. The binding stays in this tab: whoever else gets the link can finish nowhere.
 *
 * @param values what the provider asks its user for, by name
 */
export async function begin(api, provider, values = {}) {
  const { pathname, search, hash } = location;
  const { authorization_url, binding } = await api.call(`oauth-callback/${provider}/authorize`, {
    return_to: pathname + search + (wished() ? "" : hash),
    values,
  });
  sessionStorage.setItem(BINDING, JSON.stringify({ provider, binding }));
  // Whoever comes back with the browser's button does not leave again at once.
  if (wished()) setFragment();
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
