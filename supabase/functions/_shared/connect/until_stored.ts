import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { COMMIT_LATE_MS, COMMIT_PAUSES_MS, PATIENCE_MS } from "../refresh/timings.ts";
import { backOff, type Clock, retry, storageUnavailable, withPatience, type WorthRetrying } from "../time.ts";

/** How often the database is asked what may be asked again. */
const ATTEMPTS = 3;

/**
 * Asks the database until it says that something is stored which nobody else holds: as long as for a refresh, behind
 * the answer if need be.
 *
 * @throws {PublicError} `STORAGE_UNAVAILABLE` once the caller has waited long enough; `INVALID_CREDENTIALS` if the user
 * has been deleted
 */
export async function untilStored<T>(
  { clock, report, waitUntil }: Pick<Context, "clock" | "report" | "waitUntil">,
  store: () => Promise<T>,
): Promise<T> {
  const storing = retry(clock, storingPauses(clock), notYet, store);
  waitUntil(storing.catch(report));
  return await withPatience(clock, PATIENCE_MS, storing, () => {
    throw beingCompleted();
  });
}

/** Asks the database again where it only stumbles: for what the same call again does not change. */
export function askAgain<T>(
  { clock, random }: Pick<Context, "clock" | "random">,
  ask: () => Promise<T>,
): Promise<T> {
  return retry(clock, backOff(random, ATTEMPTS), storageUnavailable, ask);
}

export function beingCompleted(): PublicError {
  return new PublicError("STORAGE_UNAVAILABLE", "this is still being completed: try again shortly");
}

function* storingPauses(clock: Clock): Generator<number> {
  const ends = clock.now() + COMMIT_LATE_MS;
  yield* COMMIT_PAUSES_MS;
  while (clock.now() < ends) yield 1_000;
}

/** Only that the user is gone is a final no; whatever else came says nothing of what is stored. */
const notYet: WorthRetrying = (error) =>
  error instanceof PublicError && error.code === "INVALID_CREDENTIALS" ? null : 0;
