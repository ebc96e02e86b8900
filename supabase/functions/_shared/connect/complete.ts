import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { clientFingerprint } from "../keep/client_fingerprint.ts";
import { digest } from "../keep/seal.ts";
import type { Connection, TakenAuthorization } from "../keep/store.ts";
import { sealTokenSet } from "../keep/token_set.ts";
import { allowedApiOrigin } from "../oauth/api_origin.ts";
import { responseInvalid } from "../oauth/api_answer.ts";
import { classifyFailure, publicErrorOf } from "../oauth/failure.ts";
import { exchangeCode } from "../oauth/token_endpoint.ts";
import { backOff, retry, storageUnavailable, withDeadline } from "../time.ts";
import { learnAccount } from "./account.ts";
import { connectionId } from "./connection_id.ts";

/** How long the exchange may take, in milliseconds: long, because a code is spent even if its answer is not waited for. */
const EXCHANGE_MS = 20_000;
/** Between exchange and commit nothing else holds the tokens, so the database is asked more than once. */
const CONNECT_ATTEMPTS = 6;

export interface CompleteRequest {
  /** Who is signed in now. */
  readonly user_id: string;
  readonly ticket: string;
  readonly binding: string;
}

/**
 * Completes an authorization: exchanges the parked code, learns whom the tokens speak for, and stores them as this
 * user's connection, in place if there is one.
 *
 * Only the user who began can, in the tab that began, once: one conditional update checks all of it before anything
 * goes to the provider. Without a final answer from there the request is put back, and the same ticket may be tried
 * again. What has begun is finished even if the caller leaves.
 *
 * @throws {PublicError} `AUTHORIZATION_REQUEST_INVALID`: unknown, used, expired, someone else's, or the code refused
 * @throws {PublicError} `PROVIDER_UNAVAILABLE`, `PROVIDER_RATE_LIMITED`, `PROVIDER_FORBIDDEN`,
 * `PROVIDER_RESPONSE_INVALID`, `CONFIGURATION_INVALID`, `STORAGE_UNAVAILABLE`
 *
 * @example
 * ```ts
 * const { id, account } = await completeAuthorization(context, { user_id, ticket, binding });
 * ```
 */
export async function completeAuthorization(
  context: Context,
  { user_id, ticket, binding }: CompleteRequest,
): Promise<Connection> {
  const taken = await context.store.takeAuthorization({
    provider: context.client.provider.name,
    ticket_hash: await digest(ticket),
    binding_hash: await digest(binding),
    user_id,
  });
  if (!taken) throw requestInvalid();
  const work = connectTaken(context, user_id, taken);
  context.waitUntil(Promise.allSettled([work]));
  return await work;
}

/**
 * The code is spent with the exchange, so whatever fails after it makes the user begin again.
 *
 * A token set that cannot be kept is forgotten, not revoked: it exists nowhere but here, while revoking it may end
 * the whole authorization (RFC 7009 §2.1; at Pipedrive a refresh token uninstalls the client) and with it a
 * connection that this user already has.
 */
async function connectTaken(
  context: Context,
  user_id: string,
  taken: TakenAuthorization,
): Promise<Connection> {
  const { client, clock, keyring, random, store } = context;
  const provider = client.provider.name;
  const asked = clock.now();
  const { access_token, refresh_token, expires_in, scope, ...tokens } = await exchange(context, taken);
  // The address came with the answer: no token goes to one that is not allowed.
  const api_origin = allowedApiOrigin(client, tokens.api_origin ?? "");
  if (api_origin === null) throw responseInvalid("no API address that is allowed");
  const account = await learnAccount(context, { access_token, api_origin });
  const id = await connectionId(provider, account.key, user_id);
  const sealed = await sealTokenSet(keyring, { id, provider }, { access_token, api_origin, refresh_token });
  const client_fingerprint = await clientFingerprint(keyring, client);
  return await retry(clock, backOff(random, CONNECT_ATTEMPTS), storageUnavailable, () =>
    store.connect({
      id,
      user_id,
      provider,
      account_key: account.key,
      account_name: account.name ?? null,
      account_email: account.email ?? null,
      scope: (scope ?? client.provider.scopes).join(" "),
      ...sealed,
      client_id: client.client_id,
      client_fingerprint,
      expires_in_ms: expires_in * 1000,
      elapsed_ms: Math.round(clock.now() - asked),
      request_id: taken.id,
    }));
}

async function exchange(context: Context, taken: TakenAuthorization) {
  const { client, clock, fetch, keyring, store, report } = context;
  const { id, redirect_uri, code_sealed, code_verifier_sealed } = taken;
  const request = { id, provider: client.provider.name };
  try {
    const code = await keyring.open(code_sealed, { ...request, field: "code" });
    const code_verifier = code_verifier_sealed === null
      ? null
      : await keyring.open(code_verifier_sealed, { ...request, field: "code_verifier" });
    const grant = { code, code_verifier, redirect_uri };
    return await withDeadline(clock, EXCHANGE_MS, (signal) => exchangeCode(client, grant, { fetch, signal }));
  } catch (error) {
    // A refused code is final. Anything else may be over, or mended by the operator, while the ticket lives.
    if (classifyFailure(error, client.provider).class === "permanent") throw requestInvalid();
    await store.returnAuthorization({ request_id: id }).catch(report);
    throw publicErrorOf(error, client.provider);
  }
}

/** One error for unknown, used, expired and someone else's, so that none can be told from another. */
function requestInvalid(): PublicError {
  const message = "this authorization cannot be completed: begin again";
  return new PublicError("AUTHORIZATION_REQUEST_INVALID", message);
}
