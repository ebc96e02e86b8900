/** Disconnecting: what is asked before, and what is said afterwards. */

import { nameOf } from "./cards.js";
import { byId, setText } from "./dom.js";
import { isPipedrive, titleOf } from "./offer.js";

/** Not every provider takes tokens back, and none is told once it is not offered any more. */
const revokes = (connection, offer) => isPipedrive(connection) && !offer.lacks(connection);

/** @returns whether the user wants it */
export async function confirmed(connection, offer) {
  const dialog = byId("confirm");
  setText(byId("confirm-name"), nameOf(connection));
  setText(
    byId("confirm-words"),
    revokes(connection, offer)
      ? "The tokens are revoked at Pipedrive and erased here, at once. You can connect again whenever you like."
      : `The tokens are erased here, at once, and revoked at ${
        titleOf(connection.provider)
      } where that can be done.`,
  );
  dialog.returnValue = "";
  dialog.showModal();
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  return dialog.returnValue === "disconnect";
}

export function farewell(connection, offer) {
  const told = revokes(connection, offer) ? "Pipedrive has been told, and " : "";
  return `${nameOf(connection)} is disconnected: ${told}the tokens are erased.`;
}
