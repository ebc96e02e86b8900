/** The connections as cards, side by side. A card is made once and then brought up to date in place. */

import { arrange, h, icon, setText } from "./dom.js";
import { titleOf } from "./offer.js";
import { ago, countdown, moment, plural } from "./words.js";

const STATUS = {
  active: ["Active", "good"],
  reauthorization_required: ["Connect again", "warn"],
  disconnected: ["Disconnected", "off"],
};
/** Days before a connection's known end in which its owner is told. */
const DAYS_TOLD = 14;
/** Kinds of events that bring new tokens. */
const OBTAINED = new Set(["connected", "refreshed", "recovered"]);

export const nameOf = ({ account }) => account.name ?? account.email ?? account.id;

/**
 * @param offer what is offered, and with it which cards say their provider
 * @param actions `refresh`, `disconnect` and `reconnect`, each called with the connection and its button
 * @returns `show(connections, events)` and `tick()` for what the clock changes
 */
export function createCards(parent, offer, actions) {
  const cards = new Map();
  return {
    show(connections, events) {
      const shown = connections.map((connection) => {
        if (!cards.has(connection.id)) cards.set(connection.id, createCard(offer, actions));
        const card = cards.get(connection.id);
        card.update(connection, events.filter(({ connection_id }) => connection_id === connection.id));
        return card.element;
      });
      arrange(parent, shown);
    },
    tick: () => cards.forEach((card) => card.tick()),
    focus: (id) => cards.get(id)?.element.focus(),
  };
}

function createCard(offer, actions) {
  let connection;
  let obtained;
  let renewed;
  const name = h("h3");
  const [whose, email] = [h("p", { class: "sub" }), h("p", { class: "sub" })];
  const avatar = h("span", { class: "avatar", "aria-hidden": "true" });
  const status = h("span", { class: "pill" });
  const left = h("strong", { class: "figure" });
  const leftNote = h("span", { class: "note" });
  const bar = h("span", { class: "bar" }, h("span"));
  const refreshed = h("span");
  const scope = h("span", { class: "chips" });
  const refresh = h("button", { type: "button", class: "small" }, icon("refresh"), "Refresh now");
  const disconnect = h("button", { type: "button", class: "small quiet" }, "Disconnect…");
  const reconnect = h("button", { type: "button", class: "small primary" }, "Connect again");
  refresh.addEventListener("click", () => actions.refresh(connection, refresh));
  disconnect.addEventListener("click", () => actions.disconnect(connection, disconnect));
  reconnect.addEventListener("click", () => actions.reconnect(connection, reconnect));

  const ending = h("span", { class: "line" });
  const row = (term, ...content) => h("div", {}, h("dt", {}, term), h("dd", {}, ...content));
  const element = h(
    "article",
    { class: "card", tabindex: "-1" },
    h("header", {}, avatar, h("div", { class: "who" }, name, whose, email), status),
    h(
      "dl",
      {},
      row("Access token", h("span", { class: "line" }, left, leftNote), bar),
      row("Last refresh", refreshed),
      row("Connection", ending),
      row("Scope", scope),
    ),
    h("footer", {}, reconnect, refresh, disconnect),
  );

  function update(next, events) {
    connection = next;
    obtained = events.find(({ kind }) => OBTAINED.has(kind));
    renewed = events.find(({ kind }) => OBTAINED.has(kind) && kind !== "connected");
    const [word, tone] = STATUS[next.status] ?? [next.status, "off"];
    element.dataset.status = next.status;
    const provider = offer.tells(next) && titleOf(next.provider);
    const gone = offer.lacks(next);
    element.setAttribute("aria-label", [provider, nameOf(next)].filter(Boolean).join(" ") + `: ${word}`);
    setText(name, nameOf(next));
    whose.hidden = !provider;
    setText(whose, [provider, gone && "not offered any more"].filter(Boolean).join(" · "));
    setText(email, next.account.email ?? next.account.id);
    setText(avatar, initials(nameOf(next)));
    setText(status, word);
    status.dataset.tone = tone;
    const shown = [...scope.children].map((chip) => chip.textContent).join(" ");
    if (shown !== next.scope.join(" ")) scope.replaceChildren(...next.scope.map((one) => h("code", {}, one)));
    refresh.hidden = next.status !== "active" || gone;
    disconnect.hidden = next.status === "disconnected";
    const days = daysLeft(next);
    ending.closest("dl > div").hidden = days === null;
    setText(ending, days === null ? "" : `ends in ${plural(days, "day")}: connect again before`);
    reconnect.hidden = (next.status === "active" && days === null) || gone;
    tick();
  }

  function tick() {
    const expires = Date.parse(connection.access_expires_at ?? "");
    const left_ms = expires - Date.now();
    const alive = connection.status === "active" && left_ms > 0;
    const ended = connection.access_expires_at ? "Expired" : "No known end";
    setText(left, alive ? countdown(left_ms) : connection.status === "active" ? ended : "None");
    setText(leftNote, noteFor(connection, alive));
    const lifetime_ms = obtained ? expires - Date.parse(obtained.created_at) : 0;
    bar.firstChild.style.width = alive && lifetime_ms > 0
      ? `${Math.min(100, 100 * left_ms / lifetime_ms)}%`
      : "0";
    const when = renewed ? ago(renewed.created_at) : "none yet";
    setText(refreshed, obtained ? `${when} · version ${obtained.version}` : when);
    refreshed.title = renewed ? moment(renewed.created_at) : "";
  }

  return { element, update, tick };
}

/** Until only connecting again helps, once that is near; else null. */
function daysLeft({ status, authorization_expires_at }) {
  const days = Math.ceil((Date.parse(authorization_expires_at ?? "") - Date.now()) / 86_400_000);
  return status === "active" && days <= DAYS_TOLD ? Math.max(0, days) : null;
}

function noteFor({ status, provider, access_expires_at }, alive) {
  if (status === "disconnected") return "erased here";
  if (status === "reauthorization_required") return `${titleOf(provider)} ended it`;
  if (!access_expires_at) return `until ${titleOf(provider)} ends it`;
  return alive ? "until it expires" : "the next call refreshes it";
}

function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return ((words[0]?.[0] ?? "") + (words[1]?.[0] ?? "")).toUpperCase();
}
