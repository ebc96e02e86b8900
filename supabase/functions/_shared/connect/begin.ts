import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { digest, randomSecret } from "../keep/seal.ts";
import { createAuthorizationRequest } from "../oauth/authorization.ts";
import type { Client } from "../oauth/client.ts";
import { learn, usable, type Values } from "../oauth/values.ts";

/** How long a user has from beginning to completing, in milliseconds; the database's clock counts. */
const REQUEST_LIFETIME_MS = 10 * 60_000;
/** Authorization requests a user may begin in that time, whatever becomes of them: tabs that were forgotten, not a flood. */
const MOST_REQUESTS = 20;
/** Seconds after which a user with too many requests may find one expired. */
export const TOO_MANY_RETRY_AFTER = 60;

export interface BeginRequest {
  readonly user_id: string;
  /** The full URL the browser comes back to; its origin must already be allowed. */
  readonly return_to: string;
  /** What the provider asks the user for, by name. */
  readonly values?: Values;
}

/** What the exchange needs again, sealed meanwhile. */
export interface Begun {
  readonly code_verifier: string | null;
  readonly values: Values;
}

export interface BegunAuthorization {
  readonly authorization_url: string;
  /** Kept by the page that began; without it nobody completes. */
  readonly binding: string;
  readonly expires_at: string;
}

/**
 * Begins an authorization for this user: the request is stored, and the browser may go to `authorization_url`.
 *
 * Of `state` and `binding` only hashes are stored (RFC 9700 §4.7): who reads the table can neither come back in the
 * user's place nor complete.
 *
 * @throws {PublicError} `INVALID_REQUEST` naming the value that is missing or not allowed, `INVALID_CREDENTIALS` if the
 * user has been deleted, `PROVIDER_RATE_LIMITED` if the user has begun too many requests
 *
 * @example
 * ```ts
 * const { authorization_url, binding } = await beginAuthorization(context, {
 *   user_id,
 *   return_to: "https://app.example/settings",
 * });
 * ```
 */
export async function beginAuthorization(
  { client, store, keyring }: Context,
  { user_id, return_to, values: given = {} }: BeginRequest,
): Promise<BegunAuthorization> {
  const values = judged(client, given);
  const { authorization_url, state, code_verifier } = await createAuthorizationRequest(client, values);
  const [id, binding, provider] = [await digest(state), randomSecret(), client.provider.name];
  const { outcome, expires_at } = await store.beginAuthorization({
    id,
    user_id,
    provider,
    binding_hash: await digest(binding),
    redirect_uri: client.redirect_uri,
    return_to,
    code_verifier_sealed: code_verifier === null && Object.keys(values).length === 0
      ? null
      : await keyring.seal(
        JSON.stringify({ code_verifier, values } satisfies Begun),
        { id, provider, field: "code_verifier" },
      ),
    lifetime_ms: REQUEST_LIFETIME_MS,
    limit: MOST_REQUESTS,
  });
  if (outcome === "too_many" || expires_at === null) {
    throw new PublicError(
      "PROVIDER_RATE_LIMITED",
      `you have begun ${MOST_REQUESTS} authorizations in ten minutes: wait until they expire`,
      { retry_after: TOO_MANY_RETRY_AFTER },
    );
  }
  return { authorization_url, binding, expires_at };
}

/** Those that a user gives, each as its kind has it. */
function judged(client: Client, given: Values): Values {
  const asked = Object.entries(client.provider.values).filter(([, { from }]) => from === "user");
  const stray = Object.keys(given).find((name) => !asked.some(([own]) => own === name));
  if (stray !== undefined) {
    throw new PublicError("INVALID_REQUEST", '"values" holds what the provider does not ask for');
  }
  const { values, refused } = learn(client, "user", { value: given }, {});
  const found = usable(client, values);
  for (const [name] of asked) {
    if (refused.includes(name)) throw new PublicError("INVALID_REQUEST", `"values.${name}" is not allowed`);
    if (found[name] === undefined) throw new PublicError("INVALID_REQUEST", `"values.${name}" is required`);
  }
  return values;
}
