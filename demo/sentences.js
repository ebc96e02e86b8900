/** What a person is told, by the documented code. */
const SENTENCES = {
  AUTHORIZATION_DENIED: "You did not allow access at Pipedrive, so nothing is connected.",
  AUTHORIZATION_REQUEST_INVALID:
    "That authorization is no longer good here: it was used, is too old, or was begun elsewhere." +
    " Please connect again.",
  AUTHORIZATION_NOT_STARTED_HERE: "To finish installing, sign in and connect Pipedrive from this page.",
  CONNECTION_NOT_FOUND: "No Pipedrive account is connected.",
  CONNECTION_AMBIGUOUS: "Several accounts are connected. Please choose one.",
  REAUTHORIZATION_REQUIRED: "Pipedrive ended the connection. Please connect again.",
  PROVIDER_FORBIDDEN: "Your Pipedrive account does not allow this search.",
  PROVIDER_RATE_LIMITED: "Pipedrive asks for patience. Please try again in a moment.",
  PROVIDER_UNAVAILABLE: "Pipedrive does not answer at the moment. Please try again.",
  REFRESH_IN_PROGRESS: "The connection is being renewed. Please try again.",
  STORAGE_UNAVAILABLE: "The service is busy. Please try again.",
};

/** A sentence for every error: a known code's, or the error's own words. */
export function sentenceFor(code, error) {
  return SENTENCES[code] ?? (error?.message || `That did not work (${code ?? "unknown error"}).`);
}
