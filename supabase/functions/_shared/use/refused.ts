import type { Context } from "../context.ts";
import { CallerLeft } from "../oauth/api.ts";
import { TokenRefused } from "../oauth/api_answer.ts";
import { withPatience } from "../time.ts";

/** How often a refused token that no refresh replaces is tried again, and after which pause: its jitter is a half. */
const REFUSED = { tries: 3, pause_ms: 1_000 };
/** With less than this left, waiting for another attempt is not worth it. */
export const LEAST_LEFT_MS = 500;

export interface Refused<Answer> {
  readonly refusal: TokenRefused;
  /** Of the clock. */
  readonly ends: number;
  /** Asks with the same token. */
  readonly again: () => Promise<Answer>;
}

/**
 * Tries a refused token again. One caller does, and whoever else was refused the same token waits for what it finds,
 * so that a herd does not become a storm.
 *
 * @param key of the token
 */
export async function askUntilAccepted<Answer>(
  context: Context,
  key: string,
  refused: Refused<Answer>,
): Promise<Answer> {
  const { clock, memory: { trials } } = context;
  const { refusal, ends, again } = refused;
  const under_way = trials.get(key);
  if (!under_way) {
    const trial = tryAgain(context, refused).finally(() => trials.delete(key));
    trials.set(key, trial);
    return await trial;
  }
  try {
    await withPatience(clock, ends - clock.now(), under_way, () => Promise.reject(refusal));
  } catch (error) {
    if (error instanceof TokenRefused) throw error;
    if (error instanceof CallerLeft) return await askUntilAccepted(context, key, refused);
    // Whatever else it was told is about its own request, and says nothing against the token.
  }
  return await again();
}

async function tryAgain<Answer>(
  { clock, memory, random }: Context,
  { refusal, ends, again }: Refused<Answer>,
): Promise<Answer> {
  for (let tried = 0; tried < REFUSED.tries; tried += 1) {
    const pause_ms = REFUSED.pause_ms * (0.75 + random() / 2);
    const fits = clock.now() + pause_ms + LEAST_LEFT_MS <= ends;
    if (!fits || !memory.retries.take()) break;
    await clock.sleep(pause_ms);
    try {
      return await again();
    } catch (error) {
      if (!(error instanceof TokenRefused)) throw error;
    }
  }
  throw refusal;
}
