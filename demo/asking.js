/** The dialog before the walk: at whom to connect, and what that provider has to know first. */

import { byId, h, setText } from "./dom.js";
import { titleOf } from "./offer.js";

/** No value of a connection is longer. */
const LONGEST = 255;

/**
 * @param begin leaves for a provider with the values given
 * @returns `ask(provider)`: resolves when the dialog is closed; without a provider it is chosen there
 */
export function createAsking({ offer, begin }) {
  const dialog = byId("ask");
  const [form, choice, place, go] = ["ask-form", "ask-provider", "ask-values", "ask-go"].map(byId);
  let fields = [];
  let failure;

  function show() {
    fields = offer.valuesOf(choice.value).map(fieldOf);
    place.replaceChildren(...fields.map(({ element }) => element));
    setText(go, `Continue to ${titleOf(choice.value)}`);
  }

  async function submit() {
    const given = fields.map(({ name, input }) => [name, input.value]).filter(([, value]) => value !== "");
    for (const field of fields) field.tell("");
    go.dataset.busy = "true";
    try {
      await begin(choice.value, Object.fromEntries(given));
      dialog.close();
    } catch (error) {
      const field = fields.find(({ name }) => isAbout(name, error));
      if (field) return field.tell(sentenceFor(field, titleOf(choice.value)));
      failure = error;
      dialog.close();
    } finally {
      go.dataset.busy = "false";
    }
  }

  choice.addEventListener("change", show);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (go.dataset.busy !== "true") submit();
  });
  byId("ask-cancel").addEventListener("click", () => dialog.close());

  /** @throws what `begin` threw, unless it was told at its field */
  return async function ask(provider) {
    failure = undefined;
    choice.replaceChildren(
      ...(provider ? [provider] : offer.names()).map((name) => new Option(titleOf(name), name)),
    );
    byId("ask-choice").hidden = provider !== undefined;
    setText(byId("ask-title"), provider ? `Connect ${titleOf(provider)}` : "Connect an account");
    show();
    dialog.showModal();
    if (provider) fields[0]?.input.focus();
    await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
    if (failure) throw failure;
  };
}

/** The functions name the value that they do not take. */
const isAbout = (name, { code, message }) =>
  code === "INVALID_REQUEST" && message.startsWith(`"values.${name}"`);

function fieldOf({ name, label, required }) {
  const [id, wrong_id] = [`ask-value-${name}`, `ask-wrong-${name}`];
  const input = h("input", {
    id,
    required,
    maxlength: LONGEST,
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    "aria-describedby": wrong_id,
  });
  const wrong = h("p", { id: wrong_id, class: "wrong", role: "alert" });
  const words = h("label", { for: id }, label, !required && h("span", { class: "faint" }, " (optional)"));
  return {
    name,
    label,
    input,
    element: h("div", { class: "asked" }, words, input, wrong),
    /** Says what is wrong with what was given; nothing is, where the sentence is empty. */
    tell(sentence) {
      setText(wrong, sentence);
      input.setAttribute("aria-invalid", String(sentence !== ""));
      if (sentence) input.focus();
    },
  };
}

function sentenceFor({ label, input }, provider) {
  return input.value.trim() === ""
    ? `${provider} needs it: ${label}.`
    : `“${input.value}” cannot be the ${label}. Check how it is written.`;
}
