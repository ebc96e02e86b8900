import type { Context } from "../context.ts";
import { digest } from "../keep/seal.ts";
import { readAuthorizationResponse } from "../oauth/authorization.ts";
import { learn } from "../oauth/values.ts";
import { askAgain } from "./until_stored.ts";

/** What waits for the user who began. */
export interface Parked {
  readonly code: string;
  /** What `redirect:` sources read. Whoever made it is not known yet. */
  readonly redirect: Readonly<Record<string, string>>;
}

/** What became of an authorization response. Only a request of ours says where the browser goes. */
export type ReceivedAuthorization =
  | { readonly outcome: "parked"; readonly return_to: string; readonly ticket: string }
  /** `error` is the protocol's word: what it was that the provider denied. */
  | { readonly outcome: "denied"; readonly return_to: string; readonly error: string }
  | { readonly outcome: "not_begun_here" }
  | { readonly outcome: "invalid" };

/**
 * Parks the code of an authorization response behind a ticket, or records the denial. Either uses up `state`.
 *
 * No token request goes out: who is at the browser is not known here, and the code must wait for the user who began
 * (the browser-swapping attack of RFC 9700 §4.7). Browsers repeat a redirect: it brings the same ticket again, derived
 * under a key from both secrets that it carries, while another response to the same `state` is `invalid`.
 */
export async function receiveAuthorizationResponse(
  context: Context,
  parameters: URLSearchParams,
): Promise<ReceivedAuthorization> {
  const { client, store, keyring } = context;
  const response = readAuthorizationResponse(client, parameters);
  if (response.outcome === "not_begun_here" || response.outcome === "invalid") return response;
  const request = { id: await digest(response.state), provider: client.provider.name };
  if (response.outcome === "denied") {
    const denial = { ...request, ticket_hash: null, code_sealed: null };
    const denied = await askAgain(context, () => store.receiveAuthorizationResponse(denial));
    return denied ? { outcome: "denied", ...denied, error: response.error } : { outcome: "invalid" };
  }
  const { code, parameters: redirect } = response;
  // Whoever made it: a default must not take the place of what is not allowed.
  if (learn(client, "redirect", { redirect }, {}).refused.length > 0) return { outcome: "invalid" };
  const code_sealed = await keyring.seal(
    JSON.stringify({ code, redirect } satisfies Parked),
    { ...request, field: "code" },
  );
  // A redirect may come again after the key that seals was exchanged.
  for (const key_id of keyring.key_ids) {
    const ticket = await keyring.hash("ticket", [response.state, code], key_id);
    const parking = { ...request, ticket_hash: await digest(ticket), code_sealed };
    const parked = await askAgain(context, () => store.receiveAuthorizationResponse(parking));
    if (parked) return { outcome: "parked", ...parked, ticket };
  }
  return { outcome: "invalid" };
}
