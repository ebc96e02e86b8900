import type { Context } from "../context.ts";
import {
  type ErrorDetails,
  internalError,
  notFound,
  PublicError,
  reauthorizationRequired,
  refreshInProgress,
  refreshUnavailable,
} from "../errors.ts";
import { clientFingerprint } from "../keep/client_fingerprint.ts";
import type { Refreshed } from "../keep/memory.ts";
import type { Failure, Lease } from "../keep/store.ts";
import { sealTokenSet } from "../keep/token_set.ts";
import type { Grant, TokenSet } from "../oauth/client.ts";
import { retry, storageUnavailable, type WorthRetrying } from "../time.ts";
import { revokePending } from "./revoke.ts";
import { COMMIT_LATE_MS, COMMIT_PAUSES_MS } from "./timings.ts";

/** Whatever does not say what became of the call, not only what is known to pass, says "not yet". */
const notYet: WorthRetrying = () => 0;

/**
 * Commits what was issued. Success beats failure: it is kept even if the lease has gone to someone else meanwhile.
 *
 * Until the database says what became of it, it is not stored: the caller is answered from memory and the commit goes
 * on behind the answer.
 *
 * @param elapsed_ms since the request was sent
 * @returns an error, not thrown, where it is worth claiming again after its `retry_after`
 */
export async function commit(
  context: Context,
  { id, lease_id, version: base_version }: Lease,
  grant: Grant,
  { expires_in, refresh_token_expires_in, scope }: TokenSet,
  elapsed_ms: () => number,
): Promise<Refreshed | PublicError> {
  const { clock, store, keyring, client } = context;
  const owner = { id, provider: client.provider.name };
  const { access_token, values } = grant;
  const sealed = await sealTokenSet(keyring, owner, grant);
  const client_fingerprint = await clientFingerprint(keyring, client);
  const send = () =>
    store.commitRefresh({
      id,
      lease_id,
      base_version,
      ...sealed,
      client_fingerprint,
      scope: scope?.join(" ") ?? null,
      expires_in_ms: inMs(expires_in),
      authorization_expires_in_ms: inMs(refresh_token_expires_in),
      refresh_ahead_ms: inMs(client.provider.refresh_ahead ?? null),
      elapsed_ms: Math.round(elapsed_ms()),
    });
  const version = base_version + 1;
  const refreshed = { outcome: "refreshed" as const, version, access_token: { access_token, values } };
  let committed: Awaited<ReturnType<typeof send>>;
  try {
    committed = await retry(clock, COMMIT_PAUSES_MS, notYet, send);
  } catch {
    // Its last failure is reported, if it comes to that.
    context.waitUntil(commitLate(context, send));
    return { ...refreshed, access_expires_at: null };
  }
  switch (committed.outcome) {
    case "committed":
    case "already_committed":
      return { ...refreshed, access_expires_at: committed.access_expires_at };
    case "superseded":
      return refreshInProgress(id);
    case "disconnected":
      // What was issued since must not outlive the user's no.
      context.waitUntil(revokePending(context, { id }).catch(context.report));
      throw notFound(id);
  }
}

/**
 * Gives the lease back and records why; only the database knows whether a refusal is final, and whether one that was not
 * explained is our client's fault.
 *
 * @param operatorError what to tell if it is
 * @returns after which wait to claim again, as the error of a caller who cannot wait that long
 * @throws {PublicError} `REAUTHORIZATION_REQUIRED` if it was
 */
export async function fail(
  { clock, store }: Context,
  { id, lease_id }: Lease,
  failure: Omit<Failure, "id" | "lease_id">,
  operatorError?: (details: ErrorDetails) => PublicError,
): Promise<PublicError> {
  const record = () => store.failRefresh({ id, lease_id, ...failure, wait_ms: Math.ceil(failure.wait_ms) });
  const { outcome, retry_in_ms, counts } = await retry(clock, COMMIT_PAUSES_MS, notYet, record)
    .catch(stillUnavailable);
  switch (outcome) {
    case "reauthorization_required":
      throw reauthorizationRequired(id);
    case "superseded":
      return refreshInProgress(id);
    case "retry":
      return operatorError && !counts
        ? operatorError({ connection_id: id, retry_after: retry_in_ms / 1000 })
        : refreshUnavailable(id, retry_in_ms);
  }
}

/** The database has been asked for a while, and the lease is held: whoever comes back at once finds it the same. */
function stillUnavailable(error: unknown): never {
  if (storageUnavailable(error) === null) throw error;
  throw new PublicError("STORAGE_UNAVAILABLE", "the database does not answer: try again", { retry_after: 5 });
}

/** Null stays: the end is not known, or there is none. */
function inMs(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1000;
}

async function commitLate({ clock, report }: Context, send: () => Promise<unknown>): Promise<void> {
  try {
    await retry(clock, latePauses(), notYet, send);
  } catch (error) {
    const message = "a refreshed token set was not stored";
    const { reason } = error instanceof PublicError ? error : internalError(error);
    report(new PublicError("STORAGE_UNAVAILABLE", message, { reason: `${message}: ${reason}` }));
  }
}

function* latePauses(): Generator<number> {
  for (let waited = 0; waited < COMMIT_LATE_MS; waited += 1_000) yield 1_000;
}
