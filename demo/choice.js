/** Which of the Pipedrive connections the search and the panel act on, where there are several. */

import { nameOf } from "./cards.js";
import { byId } from "./dom.js";
import { isPipedrive } from "./offer.js";

export function createChoice(onChange) {
  const select = byId("connection");
  let open = [];
  select.addEventListener("change", onChange);
  return {
    /** @returns the connection chosen, or the first, or undefined */
    chosen: () => open.find(({ id }) => id === select.value) ?? open[0],
    focus: () => select.focus(),
    show(connections) {
      open = connections.filter(isPipedrive);
      byId("choice").hidden = open.length < 2;
      if ([...select.options].map(({ value }) => value).join() === open.map(({ id }) => id).join()) return;
      const kept = select.value;
      select.replaceChildren(...open.map((one) => new Option(labelOf(one, open), one.id)));
      if (open.some(({ id }) => id === kept)) select.value = kept;
    },
  };
}

/** The address tells two accounts of one company apart. */
function labelOf(connection, open) {
  const namesakes = open.filter((one) => nameOf(one) === nameOf(connection));
  return namesakes.length < 2
    ? nameOf(connection)
    : `${nameOf(connection)} · ${connection.account.email ?? connection.account.id}`;
}
