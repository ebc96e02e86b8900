/** How trouble is shown: a sentence, what one can do, and a message that goes by itself. */

import { byId, h, icon, setText } from "./dom.js";
import { adviceFor, detailsOf } from "./sentences.js";

const READING_MS = 7_000;

/** A box with the sentence and its button. `actions` says what each action of `sentences.js` does here. */
export function troubleBox(error, actions) {
  const { sentence, action, label, wait_s, note } = adviceFor(error);
  const act = action === "report" ? copyDetails(error) : actions[action];
  const words = h("p", {}, sentence);
  const button = act && h("button", { type: "button", class: "small", onclick: act }, label);
  if (button && wait_s > 0) {
    button.disabled = true;
    setTimeout(() => {
      button.disabled = false;
      setText(words, adviceFor({ ...error, message: error.message, retry_after: 0 }).sentence);
    }, 1_000 * wait_s);
  }
  return h(
    "div",
    { class: "trouble" },
    icon("alert"),
    words,
    button,
    note && h("p", { class: "note" }, note.replace("{page}", location.origin)),
  );
}

function copyDetails(error) {
  return async ({ currentTarget }) => {
    await navigator.clipboard.writeText(detailsOf(error));
    currentTarget.textContent = "Copied";
  };
}

/** Says a thing in passing. Nothing moves for it, and it waits as long as somebody points at it. */
export function say(...content) {
  show(h("p", {}, ...content), { lasting: false });
}

/** Says what went wrong; it stays until it is answered. */
export function sayTrouble(error, actions) {
  const closing = Object.entries(actions).map(([name, act]) => [name, () => {
    hush();
    act();
  }]);
  show(troubleBox(error, Object.fromEntries(closing)), { lasting: true });
}

export function hush() {
  byId("toast").replaceChildren();
}

let timer;

function show(content, { lasting }) {
  const close = h("button", { type: "button", class: "quiet square", onclick: hush }, icon("close"));
  close.setAttribute("aria-label", "Dismiss");
  const box = h("div", { class: "toast" }, content, close);
  byId("toast").replaceChildren(box);
  clearTimeout(timer);
  if (lasting) return;
  const leave = () => {
    if (box.matches(":hover, :focus-within")) timer = setTimeout(leave, READING_MS);
    else box.remove();
  };
  timer = setTimeout(leave, READING_MS);
}
