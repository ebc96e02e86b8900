/** Searching as one types: a pause before asking, one question at a time, a page at a time. */

import { arrange, byId, h, setText } from "./dom.js";
import { PIPEDRIVE } from "./offer.js";
import { troubleBox } from "./trouble.js";
import { plural } from "./words.js";

const PAUSE_MS = 250;
const PAGE = 20;
/** Where what is typed waits while this tab is at the provider. */
const TYPED = "search-term";
/** Pipedrive asks for two characters. */
const SHORTEST = 2;

/**
 * @param connectionId whose persons are searched
 * @param actions what the buttons of trouble do; `retry` and `edit` are the search's own
 * @param onTrouble told of trouble before it is shown; true: it is taken care of
 */
export function createSearch({ api, connectionId, actions, onTrouble }) {
  const [form, input, list, status] = ["search", "term", "persons", "search-status"].map(byId);
  const [panel, more, trouble] = ["search-panel", "more", "search-trouble"].map(byId);
  let asking = null;
  let pause;
  let cursor = null;
  let asked = "";

  const enter = (state, sentence = "") => {
    panel.dataset.state = state;
    panel.setAttribute("aria-busy", String(state === "asking"));
    setText(status, sentence);
    if (state !== "trouble") trouble.replaceChildren();
    more.hidden = state !== "found" || cursor === null;
  };

  function clear() {
    clearTimeout(pause);
    asking?.abort();
    [asked, cursor] = ["", null];
    list.replaceChildren();
    enter("idle", "");
  }

  /** Asks for the first page of what is typed, and takes back the question that is still open. */
  function search() {
    clearTimeout(pause);
    const term = input.value.trim();
    if ([...term].length < SHORTEST) return clear();
    [asked, cursor] = [term, null];
    return ask(false);
  }

  async function ask(next) {
    asking?.abort();
    const { signal } = asking = new AbortController();
    const connection_id = connectionId();
    const body = {
      term: asked,
      limit: PAGE,
      ...(connection_id && { connection_id }),
      ...(next && { cursor }),
    };
    enter(next ? "more" : "asking", next ? "Looking for more …" : "Searching …");
    try {
      const { data, additional_data } = await api.call("search-persons", body, signal);
      signal.throwIfAborted();
      cursor = additional_data?.next_cursor ?? null;
      found(data.items.map(({ item }) => personOf(item, asked)), next);
    } catch (error) {
      if (signal.aborted) return;
      error.provider = PIPEDRIVE;
      if (!next) list.replaceChildren();
      if (onTrouble(error)) return enter("idle", "");
      enter("trouble");
      trouble.replaceChildren(
        troubleBox(error, { ...actions, retry: () => ask(next), edit: () => input.focus() }),
      );
    }
  }

  function found(persons, next) {
    arrange(list, next ? [...list.children, ...persons] : persons);
    letIn(list);
    if (list.children.length === 0) return enter("nobody", `Nobody matches “${asked}”.`);
    const count = plural(list.children.length, "person");
    enter("found", cursor === null ? `${count}, that is all` : `${count}, and there are more`);
    if (next) persons[0]?.querySelector("summary").focus();
    else list.scrollTop = 0;
  }

  input.addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(search, PAUSE_MS);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    search();
  });
  more.addEventListener("click", () => ask(true));
  list.addEventListener("focusin", ({ target }) => letIn(list, target.closest("summary")));
  panel.addEventListener("keydown", (event) => move(event, input, list));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || panel.hidden || event.target.closest("input, select, textarea, dialog")) return;
    event.preventDefault();
    input.focus();
  });
  input.value = sessionStorage.getItem(TYPED) ?? "";
  sessionStorage.removeItem(TYPED);
  clear();
  return {
    search,
    term: () => input.value.trim(),
    /** For when this tab is back. */
    keep: () => sessionStorage.setItem(TYPED, input.value),
    reset() {
      input.value = "";
      clear();
    },
  };
}

/** One person is where the Tab key stops, not twenty: the arrows lead on from there. */
function letIn(list, stop = list.querySelector("summary[tabindex='0']") ?? list.querySelector("summary")) {
  for (const one of list.querySelectorAll("summary")) one.tabIndex = one === stop ? 0 : -1;
}

/** Arrows walk from the field through the persons and back; Escape goes back to the field, and empties it there. */
function move(event, input, list) {
  const stops = [input, ...list.querySelectorAll("summary")];
  const at = stops.indexOf(document.activeElement);
  if (at < 0) return;
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Escape: 0 }[event.key];
  if (to === undefined || (at === 0 && event.key !== "ArrowDown" && event.key !== "Escape")) return;
  event.preventDefault();
  if (at === 0 && event.key === "Escape") {
    input.value = "";
    input.dispatchEvent(new Event("input"));
  }
  stops[Math.max(0, Math.min(to, stops.length - 1))].focus();
}

function personOf(person, term) {
  const main = [person.organization?.name, person.emails?.[0]].filter(Boolean);
  const row = (name, values) =>
    values?.length > 0 && h("div", {}, h("dt", {}, name), h("dd", {}, values.join(", ")));
  return h(
    "li",
    {},
    h(
      "details",
      { name: "person" },
      h(
        "summary",
        {},
        h("span", { class: "name" }, ...marked(person.name, term)),
        h(
          "span",
          { class: "sub" },
          ...main.flatMap((text, place) => [place > 0 && " · ", ...marked(text, term)]),
        ),
      ),
      h(
        "dl",
        {},
        row("E-mail", person.emails),
        row("Phone", person.phones),
        row("Organization", person.organization && [person.organization.name]),
        row("Address", person.organization?.address && [person.organization.address]),
        row("Notes", person.notes),
        row("Fields", person.custom_fields),
      ),
    ),
  );
}

/** The text with every place that matches marked. */
function marked(text, term) {
  const [whole, part] = [text.toLowerCase(), term.toLowerCase()];
  // Where lowering changes the length ("İ"), positions would not fit.
  if (whole.length !== text.length || part === "") return [text];
  const pieces = [];
  let from = 0;
  for (let at = whole.indexOf(part); at >= 0; at = whole.indexOf(part, from)) {
    pieces.push(text.slice(from, at), h("mark", {}, text.slice(at, at + part.length)));
    from = at + part.length;
  }
  return [...pieces, text.slice(from)];
}
