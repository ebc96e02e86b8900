/** What the redirect brought: it waits until somebody is signed in, and is used once. */

import { Trouble } from "./api.js";
import { begun, complete, wished } from "./connect.js";
import { byId } from "./dom.js";
import { titleOf } from "./offer.js";
import { loginHasEnded } from "./sentences.js";
import { troubleBox } from "./trouble.js";

/**
 * @param back the ticket or the code that it brought
 * @param actionsFor what the buttons of trouble do, by provider
 */
export function createReturning({ back, api, offer, actionsFor, onLoginEnded }) {
  const place = byId("callout");
  /** Of the one where this tab has begun, unless it was not begun here. */
  const whose = () => (back.code !== "AUTHORIZATION_NOT_STARTED_HERE" && begun().provider) || offer.only();
  const settle = () => place.replaceChildren();

  function tell(error, provider) {
    if (loginHasEnded(error)) return onLoginEnded(error);
    error.provider ??= provider;
    const actions = actionsFor(error.provider);
    place.replaceChildren(troubleBox(error, { ...actions, retry: actions.connect }));
  }

  return {
    finishes: () => back.ticket !== null,
    /** What is said beside the form. */
    invitation() {
      if (back.ticket) return "Sign in to finish connecting.";
      if (back.code) return new Trouble(back.code, { provider: whose() });
      return wished() ? `Sign in to connect ${titleOf(wished())}. If you are new here, sign up.` : "";
    },
    /** @returns the connection that was finished, if one was */
    async use() {
      const { code, ticket } = back;
      const provider = whose();
      back.code = back.ticket = null;
      settle();
      try {
        if (code) throw new Trouble(code, { provider });
        return ticket ? await complete(api, ticket) : null;
      } catch (error) {
        tell(error, provider);
        return null;
      }
    },
    /** What is said of a connection that did not come about is over when one has. */
    settle,
  };
}
