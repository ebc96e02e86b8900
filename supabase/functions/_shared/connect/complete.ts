import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { clientFingerprint } from "../keep/client_fingerprint.ts";
import { digest } from "../keep/seal.ts";
import type { Connect, Connection, TakenAuthorization } from "../keep/store.ts";
import { sealTokenSet } from "../keep/token_set.ts";
import { apiUrl } from "../oauth/address.ts";
import { responseInvalid } from "../oauth/api_answer.ts";
import type { Client, TokenSet } from "../oauth/client.ts";
import { classifyFailure, publicErrorOf } from "../oauth/failure.ts";
import { exchangeCode } from "../oauth/token_endpoint.ts";
import { type Answers, learn, type Learnt, missing, type Values } from "../oauth/values.ts";
import { withDeadline } from "../time.ts";
import { learnAccount } from "./account.ts";
import { type Begun, TOO_MANY_RETRY_AFTER } from "./begin.ts";
import { connectionId } from "./connection_id.ts";
import type { Parked } from "./receive.ts";
import { askAgain, beingCompleted, untilStored } from "./until_stored.ts";

/** How long the exchange may take, in milliseconds: long, because a code is spent even if its answer is not waited for. */
const EXCHANGE_MS = 20_000;

/** What was taken, and by which attempt. */
interface Attempt {
  readonly ticket_hash: string;
  readonly attempt_id: string;
}
type Taken = TakenAuthorization & Attempt;

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
 * Only the user who began can, in the tab that began: it is checked before anything goes to the provider, and the code
 * is exchanged once. Without a final answer from there the request is put back, and the same ticket may be tried again;
 * once all is done it is answered with the connection, since the first answer may have been lost. What has begun is
 * finished even if the caller leaves.
 *
 * @returns the connection as it stands: a later authorization, or its end, may have come first
 * @throws {PublicError} `AUTHORIZATION_REQUEST_INVALID`: unknown, expired, someone else's, or the code refused
 * @throws {PublicError} `STORAGE_UNAVAILABLE`: also while it is being completed
 * @throws {PublicError} `INVALID_CREDENTIALS`: the user has been deleted
 * @throws {PublicError} `PROVIDER_UNAVAILABLE`, `PROVIDER_RATE_LIMITED`, `PROVIDER_FORBIDDEN`,
 * `PROVIDER_RESPONSE_INVALID`, `CONFIGURATION_INVALID`
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
  const { client, store, waitUntil } = context;
  const attempt = { ticket_hash: await digest(ticket), attempt_id: crypto.randomUUID() };
  const request = {
    ...attempt,
    provider: client.provider.name,
    binding_hash: await digest(binding),
    user_id,
  };
  const taken = await askAgain(context, () => store.takeAuthorization(request)).catch((error) => {
    // Perhaps it is taken, and only the answer was lost.
    waitUntil(giveBack(context, attempt));
    throw error;
  });
  switch (taken?.outcome) {
    case "taken": {
      const work = connectTaken(context, user_id, { ...taken, ...attempt });
      waitUntil(Promise.allSettled([work]));
      return await work;
    }
    case "finished": {
      const connection = await store.connection({ id: taken.connection_id, user_id });
      if (!connection) throw requestInvalid();
      return connection;
    }
    case "under_way":
      throw beingCompleted();
    case "too_many":
      throw tooManyExchanges();
    case undefined:
      throw requestInvalid();
  }
}

/** Without this nobody could complete for two minutes, and then not with this ticket. */
async function giveBack(
  context: Context,
  { ticket_hash, attempt_id }: Attempt,
  refused = false,
): Promise<void> {
  const { report, store } = context;
  const returned = { ticket_hash, attempt_id, refused };
  await askAgain(context, () => store.returnAuthorization(returned)).catch(report);
}

async function connectTaken(context: Context, user_id: string, taken: Taken): Promise<Connection> {
  return await untilStored(context, await obtain(context, user_id, taken));
}

/**
 * Exchanges the code: with that it is spent, so whatever fails afterwards makes the user begin again.
 *
 * A token set that cannot be kept is forgotten, not revoked: it exists nowhere but here, while revoking it may end
 * the whole authorization (RFC 7009 §2.1; at Pipedrive a refresh token uninstalls the client) and with it a
 * connection that this user already has.
 *
 * @returns what stores the tokens
 */
async function obtain(
  context: Context,
  user_id: string,
  taken: Taken,
): Promise<() => Promise<Connection>> {
  const { client, clock, store } = context;
  const asked = clock.now();
  const exchanged = await exchange(context, taken);
  const exchange_ms = Math.round(clock.now() - asked);
  try {
    const connect = await describe(context, user_id, exchanged);
    return () =>
      store.connect({
        ...connect,
        elapsed_ms: Math.round(clock.now() - asked),
        exchange_ms,
        client_id: client.client_id,
        request_id: taken.id,
      });
  } catch (error) {
    await giveBack(context, taken, true);
    throw error;
  }
}

/** Whose the tokens are, and both sealed for that connection. */
async function describe(
  context: Context,
  user_id: string,
  { tokens, redirect, ...brought }: Exchanged,
): Promise<Omit<Connect, "elapsed_ms" | "exchange_ms" | "client_id" | "request_id">> {
  const { client, keyring } = context;
  const provider = client.provider.name;
  const { access_token, refresh_token, scope } = tokens;
  const answers = { ...tokens.answers, redirect };
  const given = learnAll(client, ["token", "id_token"], answers, brought.values);
  // An address may have come with the answer: no token goes to one that is not allowed.
  if (given.refused.length > 0) throw responseInvalid("no API address that is allowed");
  const token = { access_token, values: given.values };
  const { account, values } = await learnAccount(context, token, answers);
  const lacking = missing(client, values);
  if (lacking.length > 0) throw responseInvalid(`it does not say ${lacking.join(", ")}`);
  if (!apiUrl(client, values, {})) throw responseInvalid("no API address that is allowed");
  const id = await connectionId(provider, account.key, user_id);
  return {
    id,
    user_id,
    provider,
    account_key: account.key,
    account_name: account.name ?? null,
    account_email: account.email ?? null,
    scope: (scope ?? client.scopes).join(" "),
    ...await sealTokenSet(keyring, { id, provider }, { access_token, refresh_token, values }),
    client_fingerprint: await clientFingerprint(keyring, client),
    ...lifetimes(client, tokens),
  };
}

/** Without a refresh token the access token's end is the authorization's. */
function lifetimes({ provider }: Client, { expires_in, refresh_token_expires_in }: TokenSet) {
  const ends_in = provider.rotation === "none" ? expires_in : refresh_token_expires_in;
  const ms = (seconds: number | null) => seconds === null ? null : seconds * 1000;
  return {
    expires_in_ms: ms(expires_in),
    authorization_expires_in_ms: ms(ends_in),
    refresh_ahead_ms: ms(provider.refresh_ahead ?? null),
  };
}

/** What answers bring, where it is allowed. */
function learnAll(
  client: Client,
  from: readonly ("redirect" | "token" | "id_token")[],
  answers: Answers,
  known: Values,
): Learnt {
  return from.reduce((all, one) => {
    const { values, refused } = learn(client, one, answers, all.values);
    return { values, refused: [...all.refused, ...refused] };
  }, { values: known, refused: [] } as Learnt);
}

interface Exchanged {
  readonly tokens: TokenSet;
  readonly values: Values;
  readonly redirect: Parked["redirect"];
}

async function exchange(context: Context, taken: Taken): Promise<Exchanged> {
  const { client, clock, fetch, keyring } = context;
  const { id, redirect_uri, code_sealed, code_verifier_sealed } = taken;
  const request = { id, provider: client.provider.name };
  try {
    const { code, redirect }: Parked = JSON.parse(
      await keyring.open(code_sealed, { ...request, field: "code" }),
    );
    const { code_verifier, values: given }: Begun = code_verifier_sealed === null
      ? { code_verifier: null, values: {} }
      : JSON.parse(await keyring.open(code_verifier_sealed, { ...request, field: "code_verifier" }));
    const { values } = learnAll(client, ["redirect"], { redirect }, given);
    const grant = { code, code_verifier, redirect_uri, values };
    const send = (signal: AbortSignal) => exchangeCode(client, grant, { fetch, signal });
    return { tokens: await withDeadline(clock, EXCHANGE_MS, send), values, redirect };
  } catch (error) {
    // A refused code is final. Anything else may be over, or mended by the operator, while the ticket lives.
    const refused = classifyFailure(error, client.provider).class === "permanent";
    await giveBack(context, taken, refused);
    throw refused ? requestInvalid() : publicErrorOf(error, client.provider);
  }
}

function tooManyExchanges(): PublicError {
  const message =
    "the provider has been asked too often about your authorizations: wait before you try again";
  return new PublicError("PROVIDER_RATE_LIMITED", message, { retry_after: TOO_MANY_RETRY_AFTER });
}

/** One error for unknown, refused, expired and someone else's, so that none can be told from another. */
function requestInvalid(): PublicError {
  const message = "this authorization cannot be completed: begin again";
  return new PublicError("AUTHORIZATION_REQUEST_INVALID", message);
}
