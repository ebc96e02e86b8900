import { judgeApiOrigin } from "../oauth/api_origin.ts";
import type { TokenSet } from "../oauth/client.ts";
import { PublicError, UnexpectedResponse } from "../errors.ts";
import { classifyFailure } from "../oauth/failure.ts";
import { exchangeCode } from "../oauth/token_endpoint.ts";
import { connectionId } from "./connection_id.ts";
import { retry, storageUnavailable, withDeadline } from "../time.ts";
import { learnAccount } from "./account.ts";
import type { Context } from "../context.ts";
import { digest } from "../keep/seal.ts";
import type { Connection, TakenAuthorization } from "../keep/store.ts";
import { type AccessToken, sealTokenSet } from "../keep/token_set.ts";

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
  const { client, clock, keyring, store } = context;
  const provider = client.provider.name;
  const asked = clock.now();
  const tokens = await exchange(context, taken);
  const access_token = judged(context, tokens);
  const account = await learnAccount(context, access_token);
  const id = await connectionId(provider, account.key, user_id);
  const sealed = await sealTokenSet(keyring, { id, provider }, {
    ...access_token,
    refresh_token: tokens.refresh_token,
  });
  return await retry(context, CONNECT_ATTEMPTS, storageUnavailable, () =>
    store.connect({
      id,
      user_id,
      provider,
      account_key: account.key,
      account_name: account.name ?? null,
      account_email: account.email ?? null,
      scope: tokens.scope ?? client.provider.scopes,
      ...sealed,
      expires_in_ms: tokens.expires_in * 1000,
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
    return await withDeadline(
      clock,
      EXCHANGE_MS,
      (signal) => exchangeCode(client, { code, code_verifier, redirect_uri }, { fetch, signal }),
    );
  } catch (error) {
    const trouble = troubleOf(context, error);
    if (trouble.code !== "AUTHORIZATION_REQUEST_INVALID") await store.returnAuthorization(id).catch(report);
    throw trouble;
  }
}

/** A refused code is final. Anything else may be over, or mended by the operator, while the ticket lives. */
function troubleOf({ client }: Context, error: unknown): PublicError {
  if (error instanceof PublicError) return error;
  if (error instanceof UnexpectedResponse && error.status < 300) return unusable(error.reason);
  const failure = classifyFailure(error, client.provider);
  if (failure.class === "permanent") return requestInvalid();
  if (failure.operator) {
    const word = failure.code.replace(/^config_/, "");
    return new PublicError(
      "CONFIGURATION_INVALID",
      `the provider refused our client with "${word}": check its settings`,
    );
  }
  return new PublicError(
    failure.code === "rate_limited" ? "PROVIDER_RATE_LIMITED" : "PROVIDER_UNAVAILABLE",
    "the provider cannot complete the authorization now: try again",
    { ...(failure.retry_after_ms !== undefined && { retry_after: failure.retry_after_ms / 1000 }) },
  );
}

/** The address came with the answer: no token goes to one that is not allowed. */
function judged({ client }: Context, { access_token, token_type, api_origin }: TokenSet): AccessToken {
  const allowed = api_origin === undefined ? null : judgeApiOrigin(client, api_origin);
  if (allowed === null) throw unusable("no API address that is allowed");
  return { access_token, token_type, api_origin: allowed };
}

function unusable(what: string): PublicError {
  return new PublicError("PROVIDER_RESPONSE_INVALID", `the provider's answer is unusable: ${what}`);
}

/** One error for unknown, used, expired and someone else's, so that none can be told from another. */
function requestInvalid(): PublicError {
  return new PublicError(
    "AUTHORIZATION_REQUEST_INVALID",
    "this authorization cannot be completed: begin again",
  );
}
