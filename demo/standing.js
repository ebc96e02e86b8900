/** How the connections stand: which are there, what may be done with them, and what has ended elsewhere. */

import { nameOf } from "./cards.js";
import { byId } from "./dom.js";
import { isPipedrive, titleOf } from "./offer.js";
import { showCall } from "./said.js";
import { say } from "./trouble.js";

/** @param parts of the page, each of which shows its own, and `onConnected`, told when more works than before */
export function createStanding({ cards, past, choice, timeline, lab, offer, onConnected }) {
  let connections = null;
  /** What this page ended itself needs no announcement. */
  const endedHere = new Set();
  return {
    endsHere: ({ id }) => endedHere.add(id),
    forget: () => connections = null,
    show(found, events) {
      if (connections) announceEnds(connections, found, endedHere);
      if (connections && hasMore(connections, found)) onConnected();
      connections = found;
      const open = found.filter(({ status }) => status !== "disconnected");
      const ended = found.filter(({ status }) => status === "disconnected");
      cards.show(open, events);
      past.show(ended, events);
      byId("empty").hidden = open.length > 0;
      byId("add").hidden = open.length === 0;
      byId("past").hidden = ended.length === 0;
      byId("search-panel").hidden = !open.some(isPipedrive);
      showCall(open.filter((one) => !offer.lacks(one)));
      byId("timeline-panel").hidden = events.length === 0;
      choice.show(open);
      timeline.show(events, new Map(found.map((one) => [one.id, one])));
      lab?.show(choice.chosen(), open.length > 0);
    },
  };
}

/** Whether a connection works that did not, or was not there. */
function hasMore(before, found) {
  const active = (some) => some.filter(({ status }) => status === "active").map(({ id }) => id);
  const known = active(before);
  return active(found).some((id) => !known.includes(id));
}

/** What ended elsewhere, at the provider or in another tab, is said. */
function announceEnds(before, found, endedHere) {
  for (const { id, status, ...connection } of found) {
    const was = before.find((one) => one.id === id)?.status;
    if (was !== "active" || status === "active" || endedHere.delete(id)) continue;
    const name = nameOf(connection);
    say(
      status === "disconnected"
        ? `${name} is not connected any more. Its tokens are erased.`
        : `${titleOf(connection.provider)} has ended the connection to ${name}. Connect it again.`,
    );
  }
}
