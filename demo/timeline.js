/** What happened, newest first: the events that the database keeps, and between them what this page did. */

import { nameOf } from "./cards.js";
import { arrange, h } from "./dom.js";
import { titleOf } from "./offer.js";
import { ago, moment } from "./words.js";

const MOST_SHOWN = 60;

const WORDS = {
  connected: ["Connected", "good"],
  refreshed: ["Access token refreshed", "good"],
  recovered: ["Recovered by a refresh", "good"],
  refresh_failed: ["A refresh failed", "warn"],
  reauthorization_required: ["Must be connected again", "bad"],
  disconnected: ["Disconnected", "off"],
  uninstalled: ["Uninstalled in {provider}", "off"],
  revocation_abandoned: ["{provider} did not take the disconnect", "bad"],
};

const CODES = {
  grant_refused: "{provider} refused the refresh token",
  rotation_lost: "an answer that held the new token was lost",
  refused_without_code: "{provider} refused to renew it, again and again, and gave no reason",
  scope_widened: "more rights than before",
  scope_narrowed: "fewer rights than before",
};

/** @returns `show(events, connections)`, the connections by id, `note(text)` for what is only this page's, and `tick()` */
export function createTimeline(list) {
  const notes = [];
  const items = new Map();
  let stored = [];
  let connections = new Map();

  function show(events = stored, known = connections) {
    [stored, connections] = [events, known];
    const entries = [...events, ...notes]
      .sort((a, b) => Date.parse(b.created_at) - Date.parse(a.created_at) || (b.id > a.id ? 1 : -1))
      .slice(0, MOST_SHOWN);
    for (const entry of entries) if (!items.has(entry.id)) items.set(entry.id, itemOf(entry, connections));
    for (const id of items.keys()) if (!entries.some((entry) => entry.id === id)) items.delete(id);
    arrange(list, entries.map(({ id }) => items.get(id)));
    tick();
  }

  function tick() {
    for (const time of list.querySelectorAll("time")) time.textContent = ago(time.dateTime);
  }

  return {
    show,
    tick,
    note(text) {
      notes.push({ id: `note-${notes.length}`, kind: "note", text, created_at: new Date().toISOString() });
      show();
    },
    forget() {
      notes.length = 0;
      show([], new Map());
    },
  };
}

function itemOf(entry, connections) {
  const [words, tone] = entry.kind === "note"
    ? [entry.text, "note"]
    : WORDS[entry.kind] ?? [entry.kind, "off"];
  const connection = connections.get(entry.connection_id);
  const about = (text) => text.replaceAll("{provider}", titleOf(connection?.provider));
  const details = [
    connections.size > 1 && connection && nameOf(connection),
    entry.version !== undefined && `version ${entry.version}`,
    entry.code && about(CODES[entry.code] ?? entry.code),
  ].filter(Boolean).join(" · ");
  return h(
    "li",
    { "data-tone": tone, "data-kind": entry.kind },
    h("span", { class: "what" }, about(words), details && h("small", {}, details)),
    h("time", { datetime: entry.created_at, title: moment(entry.created_at) }),
  );
}
