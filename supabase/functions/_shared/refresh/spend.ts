import type { TokenSet } from "../oauth/client.ts";
import { classifyFailure } from "../oauth/failure.ts";
import { refreshTokens } from "../oauth/token_endpoint.ts";
import { withDeadline } from "../time.ts";
import {
  notFound,
  providerUnavailable,
  PublicError,
  reauthorizationRequired,
  refreshInProgress,
} from "../errors.ts";
import type { Refreshed } from "../keep/memory.ts";
import type { Context } from "../context.ts";
import { revokeEnded } from "./revoke.ts";
import type { Claim, Failure } from "../keep/store.ts";
import {
  COMMIT_LATE_MS,
  COMMIT_PAUSES_MS,
  HAND_OVER_MS,
  leaseTimings,
  MINIMUM_LEFT_MS,
  OPERATOR_WAIT_MS,
} from "./timings.ts";
import { type AccessToken, openAccessToken, openRefreshToken, sealTokenSet } from "../keep/token_set.ts";

/** A claim that was granted: the sole right to spend this refresh token until the lease ends. */
export interface Lease extends Claim {
  readonly id: string;
}

/** No token set yet: when to claim again, and what to tell a caller who cannot wait that long. */
export interface Pause {
  readonly retry_in_ms: number;
  readonly trouble: Error;
}

interface Attempt {
  /** The clock just before the claim was sent: the request's deadline counts from here, so that it ends before the lease. */
  readonly started: number;
  /** The API answered 401 to the access token at hand, so it is of no more use. */
  readonly refused: boolean;
}

/**
 * Spends the leased refresh token once and records what came of it.
 *
 * Nothing but sealing stands between the provider's answer and the commit: a process that dies there loses the only copy.
 *
 * @throws {PublicError} `REAUTHORIZATION_REQUIRED` if the provider has refused it for good, `CONNECTION_NOT_FOUND` if
 * the user disconnected meanwhile, `CONFIGURATION_INVALID` if it does not open
 */
export async function spend(context: Context, lease: Lease, attempt: Attempt): Promise<Refreshed | Pause> {
  const { clock, client, memory } = context;
  const { request_ms } = leaseTimings(client.provider);
  const opened = await open(context, lease);
  const left = request_ms - (clock.now() - attempt.started);
  if (left < MINIMUM_LEFT_MS) {
    return fail(context, lease, { class: "transient", wait_ms: 0, code: "claim_late" });
  }
  if (!memory.breaker.enter(clock.now())) {
    const wait_ms = memory.breaker.wait(clock.now());
    return fail(context, lease, { class: "transient", wait_ms, code: "breaker_open" });
  }
  const sent = clock.now();
  let tokens: TokenSet;
  try {
    tokens = await withDeadline(
      clock,
      left,
      (signal) => refreshTokens(client, opened.refresh_token, { fetch: context.fetch, signal }),
      HAND_OVER_MS,
    );
  } catch (error) {
    return judge(context, lease, attempt, error);
  }
  memory.breaker.success();
  return keep(context, lease, sent, {
    access_token: tokens.access_token,
    token_type: tokens.token_type,
    api_origin: tokens.api_origin ?? opened.access_token.api_origin,
    refresh_token: tokens.refresh_token ?? opened.refresh_token,
  }, tokens);
}

/** Opens both before anything is sent: a response may leave out what only the old ones say. */
async function open(
  context: Context,
  lease: Lease,
): Promise<{ access_token: AccessToken; refresh_token: string }> {
  const owner = { id: lease.id, provider: context.client.provider.name };
  try {
    const [access_token, refresh_token] = await Promise.all([
      openAccessToken(context.keyring, owner, lease.access_token_sealed),
      openRefreshToken(context.keyring, owner, lease.refresh_token_sealed),
    ]);
    return { access_token, refresh_token };
  } catch (error) {
    await fail(context, lease, { class: "transient", wait_ms: OPERATOR_WAIT_MS, code: "config_seal" });
    throw error;
  }
}

/** Commits what was issued. Success beats failure: it is kept even if the lease has gone to someone else meanwhile. */
async function keep(
  context: Context,
  lease: Lease,
  sent: number,
  tokens: AccessToken & { readonly refresh_token: string },
  { expires_in, scope }: TokenSet,
): Promise<Refreshed | Pause> {
  const { clock, store, keyring, client } = context;
  const { refresh_token: _, ...access_token } = tokens;
  const sealed = await sealTokenSet(keyring, { id: lease.id, provider: client.provider.name }, tokens);
  const commit = () =>
    store.commitRefresh({
      id: lease.id,
      lease_id: leaseId(lease),
      base_version: lease.version,
      ...sealed,
      scope: scope ?? null,
      expires_in_ms: expires_in * 1000,
      elapsed_ms: Math.round(clock.now() - sent),
    });
  const refreshed: Refreshed = { outcome: "refreshed", version: lease.version + 1, access_token };
  const committed = await insist(context, commit, COMMIT_PAUSES_MS);
  if (committed === "unavailable") {
    context.waitUntil(
      insist(context, commit, latePauses()).then((end) => {
        if (end === "unavailable") {
          context.report(new PublicError("STORAGE_UNAVAILABLE", "a refreshed token set was not stored"));
        }
      }, context.report),
    );
    return refreshed;
  }
  switch (committed.outcome) {
    case "committed":
    case "already_committed":
      return refreshed;
    case "superseded":
      return { retry_in_ms: 0, trouble: refreshInProgress(lease.id) };
    case "disconnected":
      // What was issued since must not outlive the user's no.
      context.waitUntil(revokeEnded(context, lease.id, sealed.refresh_token_sealed));
      throw notFound(lease.id);
  }
}

/** Records a failure by its class; only the database knows whether a refusal is final. */
async function judge(context: Context, lease: Lease, attempt: Attempt, error: unknown): Promise<Pause> {
  const { clock, client, memory } = context;
  const failure = classifyFailure(error, client.provider);
  if (failure.class === "permanent") memory.breaker.success();
  else memory.breaker.failure(clock.now());
  const wait_ms = Math.max(
    failure.retry_after_ms ?? 0,
    failure.operator ? OPERATOR_WAIT_MS : 0,
    failure.class === "ambiguous" ? pauseAfterAmbiguous(context, lease, attempt) : 0,
  );
  const pause = await fail(context, lease, { class: failure.class, wait_ms, code: failure.code });
  if (!failure.operator) return pause;
  const message = `the provider refused our client with "${
    failure.code.replace(/^config_/, "")
  }": check its settings`;
  return {
    ...pause,
    trouble: new PublicError("CONFIGURATION_INVALID", message, { connection_id: lease.id }),
  };
}

/**
 * After an ambiguous end the new token may be out of reach. Where the spent one works a while longer, ask at once;
 * else live on the access token at hand while it lives. Where a spent one revokes everything, never ask while the
 * request that we gave up may still be at work there.
 */
function pauseAfterAmbiguous({ client }: Context, lease: Lease, { refused }: Attempt): number {
  const { reuse_grace_ms, revokes_on_reuse } = client.provider;
  if (reuse_grace_ms > 0) return 0;
  const least_ms = revokes_on_reuse ? leaseTimings(client.provider).settle_ms : 0;
  return Math.max(least_ms, refused ? 0 : lease.expires_in_ms);
}

/** @throws {PublicError} `REAUTHORIZATION_REQUIRED` if the failure was final */
async function fail(
  context: Context,
  lease: Lease,
  failure: Pick<Failure, "class" | "wait_ms" | "code">,
): Promise<Pause> {
  const wait_ms = Math.ceil(failure.wait_ms);
  const record = () =>
    context.store.failRefresh({ id: lease.id, lease_id: leaseId(lease), ...failure, wait_ms });
  const failed = await insist(context, record, COMMIT_PAUSES_MS);
  if (failed === "unavailable") {
    throw new PublicError("STORAGE_UNAVAILABLE", "the database does not answer: try again", {
      retry_after: 5,
    });
  }
  switch (failed.outcome) {
    case "reauthorization_required":
      throw reauthorizationRequired(lease.id);
    case "superseded":
      return { retry_in_ms: 0, trouble: refreshInProgress(lease.id) };
    case "retry":
      return { retry_in_ms: failed.retry_in_ms, trouble: providerUnavailable(lease.id, failed.retry_in_ms) };
  }
}

/** Repeats a call that the database did not take, after each of the pauses. */
async function insist<T>(
  context: Context,
  call: () => Promise<T>,
  pauses: Iterable<number>,
): Promise<T | "unavailable"> {
  const left = pauses[Symbol.iterator]();
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof PublicError && error.code === "STORAGE_UNAVAILABLE")) throw error;
      const pause = left.next();
      if (pause.done) return "unavailable";
      await context.clock.sleep(pause.value);
    }
  }
}

function* latePauses(): Generator<number> {
  for (let waited = 0; waited < COMMIT_LATE_MS; waited += 1_000) yield 1_000;
}

function leaseId(lease: Lease): string {
  if (lease.lease_id === null) throw new Error("a claim was granted without a lease");
  return lease.lease_id;
}
