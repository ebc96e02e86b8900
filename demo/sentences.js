/**
 * What a person is told and can do, by code: the one map. Every code of the functions, of Auth and of the network that
 * a person can meet is here; whatever else comes is told in its own words. `{provider}` is whom it is about.
 */

import { titleOf } from "./offer.js";

/** What the button of an action says. */
export const ACTIONS = {
  connect: "Connect {provider}",
  reconnect: "Connect again",
  retry: "Try again",
  sign_in: "Sign in",
  choose: "Choose a connection",
  edit: "Change what you typed",
  reload: "Reload the page",
  report: "Copy the details",
};

const SIGNED_OUT = ["Your login has ended. Sign in again; what you typed is still here.", "sign_in"];
const FAULT = "Something is wrong on our side. Copy the details for whoever runs this page.";

export const SENTENCES = {
  AUTHORIZATION_DENIED: ["You did not allow access at {provider}, so nothing was connected.", "connect"],
  AUTHORIZATION_REQUEST_INVALID: [
    "That authorization cannot be used here: it is used up, too old, or was begun in another tab or by another user.",
    "connect",
  ],
  AUTHORIZATION_NOT_STARTED_HERE: [
    "You came from {provider}’s marketplace. One more step: connect from here, so that we know it is you.",
    "connect",
    "If you run this page: with {page}/connect/pipedrive as the Installation URL of your app, in Pipedrive’s Developer Hub, nobody needs that step.",
  ],
  REAUTHORIZATION_REQUIRED: [
    "{provider} has ended this connection. Connect again; it keeps its history.",
    "reconnect",
  ],
  CONNECTION_NOT_FOUND: ["That account is not connected, or not any more.", "connect"],
  CONNECTION_AMBIGUOUS: ["Several accounts are connected. Say which one you mean.", "choose"],

  PROVIDER_FORBIDDEN: [
    "Your {provider} plan or permissions do not allow this. Connecting with more rights may.",
    "reconnect",
  ],
  PROVIDER_REJECTED: ["{provider} does not accept this search.", "edit"],
  PROVIDER_RATE_LIMITED: ["{provider} asks for a pause: there were too many requests.", "retry"],
  PROVIDER_UNAVAILABLE: [
    "{provider} does not answer properly at the moment. Your connection is safe.",
    "retry",
  ],
  PROVIDER_RESPONSE_INVALID: [
    "{provider} answered something that makes no sense. If it stays so, copy the details.",
    "report",
  ],
  REFRESH_IN_PROGRESS: ["The connection is just being renewed, and that takes longer than usual.", "retry"],
  STORAGE_UNAVAILABLE: ["The database is busy. Nothing was lost.", "retry"],

  INVALID_REQUEST: ["That cannot be searched for.", "edit"],
  METHOD_NOT_ALLOWED: [FAULT, "report"],
  REQUEST_NOT_ALLOWED: [
    "This service does not pass that on. Copy the details for whoever runs it.",
    "report",
  ],
  UNKNOWN_PROVIDER: [
    "This service is not set up for {provider}. Copy the details for whoever runs it.",
    "report",
  ],
  CONFIGURATION_INVALID: [
    "The service is not set up completely. Copy the details for whoever runs it.",
    "report",
  ],
  INTERNAL_ERROR: [FAULT, "report"],

  MISSING_CREDENTIALS: SIGNED_OUT,
  INVALID_CREDENTIALS: SIGNED_OUT,
  INVALID_JWT: SIGNED_OUT,
  UNUSABLE_CREDENTIAL: SIGNED_OUT,
  INVALID_API_KEY: [
    "This page carries a wrong publishable key. Copy the details for whoever runs it.",
    "report",
  ],

  // The platform's own, https://supabase.com/docs/guides/functions/error-codes
  NOT_FOUND: ["The functions are not deployed. Copy the details for whoever runs this page.", "report"],
  BOOT_ERROR: ["The service did not start. It usually does the next time.", "retry"],
  WORKER_ERROR: ["The service stopped in the middle. Nothing was lost.", "retry"],
  WORKER_LIMIT: ["The service stopped in the middle. Nothing was lost.", "retry"],
  UNREACHABLE: ["The service does not answer as it should at the moment. Nothing was lost.", "retry"],
  NETWORK: ["The service cannot be reached. Are you online?", "retry"],

  // Of Supabase Auth, https://supabase.com/docs/guides/auth/debugging/error-codes
  invalid_credentials: ["No user has this e-mail address and password.", "edit"],
  user_already_exists: ["This e-mail address is signed up already. Sign in with its password.", "edit"],
  email_exists: ["This e-mail address is signed up already. Sign in with its password.", "edit"],
  weak_password: ["That password is too easy to guess. Choose a longer one.", "edit"],
  email_address_invalid: ["That is not an e-mail address that can be used.", "edit"],
  email_not_confirmed: ["Open the link in the e-mail that was sent to you, then sign in.", "edit"],
  signup_disabled: ["Nobody can sign up here at the moment.", "edit"],
  over_request_rate_limit: ["Too many attempts. Wait a minute.", "retry"],
  over_email_send_rate_limit: ["Too many e-mails were asked for. Wait a few minutes.", "retry"],
};

/** Codes after which only a new login helps. */
const LOGIN_ENDED = new Set(
  Object.entries(SENTENCES).filter(([, advice]) => advice === SIGNED_OUT).map(([code]) => code),
);

export const loginHasEnded = ({ code }) => LOGIN_ENDED.has(code);

/**
 * A sentence and an action for any error.
 *
 * @returns also for how many seconds the action is of no use, of which the sentence tells, and a note for whoever runs
 * the page, where `{page}` is its origin
 */
export function adviceFor(error) {
  const { code, message, provider, retry_after = 0 } = error;
  const [words, action, note = ""] = SENTENCES[code] ??
    [message ? `That did not work: ${message}` : "That did not work.", "retry"];
  const wait_s = action === "retry" ? retry_after : 0;
  const wait = wait_s > 0 ? ` Wait ${waitOf(wait_s)} first.` : "";
  const label = action === "connect" && !provider ? "Connect an account" : ACTIONS[action];
  return { sentence: about(provider, words) + wait, action, label: about(provider, label), wait_s, note };
}

function about(provider, words) {
  const sentence = words.replaceAll("{provider}", titleOf(provider));
  return sentence[0].toUpperCase() + sentence.slice(1);
}

function waitOf(seconds) {
  if (seconds < 90) return seconds === 1 ? "a second" : `${seconds} seconds`;
  return seconds < 5_400 ? `${Math.round(seconds / 60)} minutes` : "an hour";
}

/** What whoever runs the service needs to find it in the log. */
export function detailsOf({ code, message, request_id }) {
  return [code, message, request_id && `request ${request_id}`].filter(Boolean).join("\n");
}
