/** Signing in with Supabase Auth. On this machine's own stack a demo user is one click away. */

import { Trouble } from "./api.js";
import { byId, h } from "./dom.js";
import { troubleBox } from "./trouble.js";

/** Offered on this machine's own stack alone, which keeps its users to itself. */
const DEMO_PASSWORD = "demo-password";
/** Each may have been signed up by hand, with another password: then it is the next one's turn. */
const DEMO_USERS = ["demo", "demo.user", "demo.2", "demo.3", "demo.4"].map((name) => `${name}@example.com`);

const TAKEN = new Set(["user_already_exists", "email_exists"]);

async function signInOrUp(client, credentials) {
  const known = await client.auth.signInWithPassword(credentials);
  return known.error?.code === "invalid_credentials" ? await client.auth.signUp(credentials) : known;
}

/**
 * @param demo whether to offer the demo user
 * @returns `show(message)`: a sentence, or trouble
 */
export function createSignIn({ client, demo }) {
  const form = byId("sign-in");
  const place = byId("sign-in-message");

  function show(message) {
    if (message instanceof Error) {
      // Signing in is what the form is for; only the sentence is needed.
      place.replaceChildren(troubleBox(message, {}));
    } else place.replaceChildren(message ? h("p", {}, message) : "");
  }

  async function enter(button, action) {
    if (button.dataset.busy === "true") return;
    button.dataset.busy = "true";
    show("");
    try {
      const { data, error } = await action();
      if (error) throw new Trouble(error.code ?? "NETWORK", { message: error.message });
      if (!data.session) throw new Trouble("email_not_confirmed");
      form.reset();
    } catch (error) {
      show(error);
      if (form.contains(button)) form.elements.email.focus();
    } finally {
      button.dataset.busy = "false";
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const credentials = Object.fromEntries(new FormData(form));
    const up = event.submitter?.value === "up";
    enter(
      event.submitter ?? byId("sign-in-button"),
      () => up ? client.auth.signUp(credentials) : client.auth.signInWithPassword(credentials),
    );
  });
  byId("demo-user").addEventListener("click", ({ currentTarget }) =>
    enter(currentTarget, async () => {
      let answer;
      for (const email of DEMO_USERS) {
        answer = await signInOrUp(client, { email, password: DEMO_PASSWORD });
        if (!TAKEN.has(answer.error?.code)) break;
      }
      return answer;
    }));
  byId("demo").hidden = !demo;
  for (const button of form.querySelectorAll("button")) button.disabled = false;
  return { show, focus: () => form.elements.email.focus() };
}
