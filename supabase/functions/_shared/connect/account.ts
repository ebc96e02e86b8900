import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { type Account, readAccount } from "../oauth/account.ts";
import { askAccount } from "../oauth/account_request.ts";
import { Retryable } from "../oauth/api_answer.ts";
import type { AccessToken } from "../oauth/client.ts";
import { type Answers, learn, type Values } from "../oauth/values.ts";
import { backOff, retry, withDeadline } from "../time.ts";

/** All of it and one try of it, in milliseconds: a person waits, and what is lost is a code that cannot be had again. */
const LEARN_MS = 20_000;
const ATTEMPT_MS = 8_000;
const ATTEMPTS = 4;

export interface Learnt {
  readonly account: Account;
  /** With what the account request says beside. */
  readonly values: Values;
}

/**
 * Whom a new access token speaks for: asked at the provider's API where the answers so far do not say. It is the only
 * request with a token that is not stored yet.
 *
 * @throws {PublicError} `PROVIDER_UNAVAILABLE`, `PROVIDER_RATE_LIMITED`, `PROVIDER_FORBIDDEN`, `PROVIDER_RESPONSE_INVALID`
 */
export async function learnAccount(
  { client, clock, fetch, random }: Pick<Context, "client" | "clock" | "fetch" | "random">,
  token: AccessToken,
  answers: Answers,
): Promise<Learnt> {
  const ends = clock.now() + LEARN_MS;
  const worthRetrying = (error: unknown): number | null =>
    error instanceof Retryable && clock.now() + error.least_ms < ends ? error.least_ms : null;
  const answer = await retry(clock, backOff(random, ATTEMPTS), worthRetrying, () => {
    const left_ms = Math.max(0, Math.min(ATTEMPT_MS, ends - clock.now()));
    return withDeadline(clock, left_ms, (signal) => askAccount(client, token, { fetch, signal }))
      .catch(rejected);
  });
  const all = { ...answers, account: answer };
  const { values, refused } = learn(client, "account", all, token.values);
  if (refused.length > 0) throw unknownAccount(`its ${refused.join(", ")} is not allowed`);
  const account = readAccount(client.provider, { ...all, value: values });
  if (!account) throw unknownAccount("no account in it");
  return { account, values };
}

/** The provider's own 4xx is for whoever sent the request, and this one is ours. */
function rejected(error: unknown): never {
  if (!(error instanceof PublicError && error.code === "PROVIDER_REJECTED")) throw error;
  throw unknownAccount(`status ${error.status}`);
}

function unknownAccount(why: string): PublicError {
  const message = `the provider did not say whose account this is: ${why}`;
  return new PublicError("PROVIDER_RESPONSE_INVALID", message);
}
