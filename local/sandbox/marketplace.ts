import { dialogPage, escapeHtml, nameOf } from "./dialog.ts";
import type { World } from "./world.ts";

/** The client's page in the marketplace, where a user can begin to install it. */
export function marketplacePage(world: World): Response {
  const { client_id, installation_url } = world.registration;
  const note = installation_url === null
    ? "No Installation URL is set: the consent comes first, and its redirect carries no state."
    : `Begins at the Installation URL, <code>${escapeHtml(installation_url)}</code>`;
  return dialogPage(
    client_id,
    `<h1>${escapeHtml(nameOf(client_id))} in the marketplace</h1>
<p><a class="allow" href="${escapeHtml(installation_url ?? consentOf(world))}">Install now</a></p>
<p class="small">${note}</p>`,
  );
}

/** Pipedrive asks the user itself, and knows nothing of a state. */
function consentOf({ origin, registration: { client_id, redirect_uri } }: World): string {
  const query = new URLSearchParams({ client_id, redirect_uri: redirect_uri ?? "" });
  return `${origin}/oauth/authorize?${query}`;
}
