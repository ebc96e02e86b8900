import type { Context } from "../context.ts";
import type { ErrorDetails, PublicError } from "../errors.ts";
import { clientFingerprint } from "../keep/client_fingerprint.ts";
import type { Refreshed } from "../keep/memory.ts";
import type { Lease } from "../keep/store.ts";
import { openGrant } from "../keep/token_set.ts";
import type { Grant, TokenSet } from "../oauth/client.ts";
import { classifyFailure, publicErrorOf } from "../oauth/failure.ts";
import { refreshTokens } from "../oauth/token_endpoint.ts";
import { learn } from "../oauth/values.ts";
import { withDeadline } from "../time.ts";
import { confirm } from "./confirm.ts";
import { commit, fail } from "./outcome.ts";
import { HAND_OVER_MS, leaseTimings, MINIMUM_LEFT_MS, OPERATOR_WAIT_MS, requestEnds } from "./timings.ts";

interface Attempt {
  /** The clock just before the claim was sent: the lease ends no sooner than its length after this. */
  readonly started: number;
  /** The API answered 401 to the access token at hand, so it is of no more use. */
  readonly refused: boolean;
}

/**
 * Spends the leased refresh token once and records what came of it.
 *
 * Nothing but sealing stands between the provider's answer and the commit: a process that dies there loses the only copy.
 *
 * @returns an error, not thrown, where it is worth claiming again after its `retry_after`
 * @throws {PublicError} `REAUTHORIZATION_REQUIRED` if the provider has refused it for good, `CONNECTION_NOT_FOUND` if
 * the user disconnected meanwhile, `CONFIGURATION_INVALID` if it does not open
 */
export async function spend(
  context: Context,
  lease: Lease,
  attempt: Attempt,
): Promise<Refreshed | PublicError> {
  const { clock, client, fetch, memory } = context;
  const ends = requestEnds(client.provider, { claim_sent: attempt.started, now: clock.now() });
  const opened = await openTokens(context, lease);
  if (opened.refresh_token === undefined) return await confirm(context, lease, opened);
  const left_ms = ends - clock.now();
  if (left_ms < MINIMUM_LEFT_MS) {
    return fail(context, lease, { class: "transient", wait_ms: 0, code: "claim_late" });
  }
  if (!memory.breaker.enter(clock.now(), lease.id)) {
    const wait_ms = memory.breaker.wait(clock.now(), lease.id);
    return fail(context, lease, { class: "transient", wait_ms, code: "breaker_open" });
  }
  const sent = clock.now();
  const send = (signal: AbortSignal) => refreshTokens(client, opened, { fetch, signal });
  let tokens: TokenSet;
  try {
    tokens = await withDeadline(clock, left_ms, send, HAND_OVER_MS);
  } catch (error) {
    return recordFailure(context, lease, attempt, error);
  }
  memory.breaker.success(lease.id);
  const { access_token, refresh_token = opened.refresh_token } = tokens;
  // A value that is not allowed must not replace one that works.
  const { values: told } = learn(client, "token", tokens.answers, opened.values);
  const { values } = learn(client, "id_token", tokens.answers, told);
  const kept = { access_token, refresh_token, values };
  return commit(context, lease, kept, tokens, () => clock.now() - sent);
}

/** Opens all of it before anything is sent: a response may leave out what only the old ones say. */
async function openTokens(context: Context, lease: Lease): Promise<Grant> {
  const { client, keyring } = context;
  const owner = { id: lease.id, provider: client.provider.name };
  try {
    return await openGrant(keyring, owner, lease.refresh_token_sealed);
  } catch (error) {
    await fail(context, lease, { class: "transient", wait_ms: OPERATOR_WAIT_MS, code: "config_seal" });
    throw error;
  }
}

/** Records a failure by its class, and what the provider or the operator needs before the next try. */
async function recordFailure(
  context: Context,
  lease: Lease,
  attempt: Attempt,
  error: unknown,
): Promise<PublicError> {
  const { clock, client, keyring, memory } = context;
  const { provider } = client;
  const failure = classifyFailure(error, provider);
  if (failure.class === "permanent") memory.breaker.success(lease.id);
  else memory.breaker.failure(clock.now(), lease.id, error);
  const wait_ms = Math.max(
    failure.retry_after_ms ?? 0,
    failure.operator ? OPERATOR_WAIT_MS : 0,
    failure.class === "ambiguous" ? pauseAfterAmbiguous(context, lease, attempt) : 0,
  );
  const refused = failure.class === "unexplained" && {
    client_id: client.client_id,
    client_fingerprint: await clientFingerprint(keyring, client),
    access_refused: attempt.refused,
  };
  const operatorError = (details: ErrorDetails) => publicErrorOf(error, provider, details);
  const { class: kind, code } = failure;
  return fail(
    context,
    lease,
    { class: kind, wait_ms, code, ...refused },
    failure.operator ? operatorError : undefined,
  );
}

/**
 * After an ambiguous end the new token may be out of reach. Where the spent one works a while longer, ask at once;
 * else live on the access token at hand while it lives. Where a spent one revokes everything, never ask while the
 * request that we gave up may still be at work there.
 */
function pauseAfterAmbiguous({ client }: Context, lease: Lease, { refused }: Attempt): number {
  const { reuse_grace, revokes_on_reuse, rotation } = client.provider;
  if (rotation === "reusable" || reuse_grace > 0) return 0;
  const least_ms = revokes_on_reuse ? leaseTimings(client.provider).settle_ms : 0;
  return Math.max(least_ms, refused ? 0 : lease.expires_in_ms ?? 0);
}
