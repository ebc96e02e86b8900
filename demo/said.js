/** What the page says of whom it can connect: it is written for Pipedrive alone. */

import { arrange, byId, h, setText } from "./dom.js";
import { isPipedrive, titleOf } from "./offer.js";

/** A button for each that is offered; and words for another than Pipedrive, or for several. */
export function showOffer(offer, connect) {
  const [first, ...others] = offer.names();
  setText(byId("connect"), `Connect ${titleOf(first)}`);
  arrange(byId("offer"), [byId("connect"), ...others.map((name) => buttonFor(name, connect))]);
  const only = offer.only();
  for (const element of document.querySelectorAll("[data-several]")) {
    const { single = element.textContent, several } = element.dataset;
    element.dataset.single = single;
    setText(element, only ? single.replaceAll("Pipedrive", titleOf(only)) : several);
  }
}

function buttonFor(name, connect) {
  const onclick = ({ currentTarget }) => connect(currentTarget, name);
  return h("button", { type: "button", onclick }, `Connect ${titleOf(name)}`);
}

/** Where nothing can be searched, how else an API is called. */
export function showCall(open) {
  const [connection] = open;
  byId("call").hidden = !connection || open.some(isPipedrive);
  if (!connection) return;
  setText(byId("call-title"), `Call ${titleOf(connection.provider)}`);
  setText(byId("call-path"), `/functions/v1/proxy/${connection.provider}/…`);
  setText(byId("call-id"), connection.id);
}
