import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import { type Account, readAccount } from "../oauth/account.ts";
import { askApi } from "../oauth/api.ts";
import { readJson, Retryable } from "../oauth/api_answer.ts";
import type { AccessToken } from "../oauth/client.ts";
import { backOff, retry, withDeadline } from "../time.ts";

/** All of it and one try of it, in milliseconds: a person waits, and what is lost is a code that cannot be had again. */
const LEARN_MS = 20_000;
const ATTEMPT_MS = 8_000;
const ATTEMPTS = 4;
const MAX_RESPONSE_BYTES = 64 * 1024;

/**
 * Whom a new access token speaks for, asked at the provider's API: the only request with a token that is not stored yet.
 *
 * @throws {PublicError} `PROVIDER_UNAVAILABLE`, `PROVIDER_RATE_LIMITED`, `PROVIDER_FORBIDDEN`, `PROVIDER_RESPONSE_INVALID`
 */
export async function learnAccount(
  { client, clock, fetch, random }: Pick<Context, "client" | "clock" | "fetch" | "random">,
  token: AccessToken,
): Promise<Account> {
  const ends = clock.now() + LEARN_MS;
  const { path } = client.provider.account;
  const worthRetrying = (error: unknown): number | null =>
    error instanceof Retryable && clock.now() + error.least_ms < ends ? error.least_ms : null;
  const { headers, body } = await retry(clock, backOff(random, ATTEMPTS), worthRetrying, () => {
    const left_ms = Math.max(0, Math.min(ATTEMPT_MS, ends - clock.now()));
    const request = { path, limit: MAX_RESPONSE_BYTES };
    return withDeadline(clock, left_ms, (signal) => askApi(client, token, request, { fetch, signal }))
      .catch(rejected);
  });
  const bytes = new Uint8Array(await new Response(body).arrayBuffer());
  const account = readAccount(client.provider, readJson(headers, bytes));
  if (!account) throw unknownAccount("no account in it");
  return account;
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
