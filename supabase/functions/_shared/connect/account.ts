import { type Account, readAccount } from "../oauth/account.ts";
import { ProviderUnreachable, PublicError, UnexpectedResponse } from "../errors.ts";
import { boundedFetch } from "../oauth/http.ts";
import { readObject } from "../oauth/json.ts";
import { retry, withDeadline } from "../time.ts";
import type { Context } from "../context.ts";
import type { AccessToken } from "../keep/token_set.ts";

/** All of it and one try of it, in milliseconds: a person waits, and what is lost is a code that cannot be had again. */
const LEARN_MS = 20_000;
const ATTEMPT_MS = 8_000;
const ATTEMPTS = 4;
/** After a 429 that says nothing, in milliseconds. */
const RATE_LIMIT_PAUSE_MS = 2_000;

/** What asking takes. */
type Asking = Pick<Context, "client" | "clock" | "fetch" | "random">;

/**
 * Whom a new access token speaks for, asked at the provider's API.
 *
 * The only request with a token that is not stored yet. Its address must already be judged; no redirect is followed,
 * and an answer beyond 64 KiB is none.
 *
 * @throws {PublicError} `PROVIDER_UNAVAILABLE`, `PROVIDER_RATE_LIMITED`, `PROVIDER_FORBIDDEN`, `PROVIDER_RESPONSE_INVALID`
 */
export async function learnAccount(context: Asking, token: AccessToken): Promise<Account> {
  const { clock } = context;
  const ends = clock.now() + LEARN_MS;
  const worthAnother = (error: unknown): number | null => {
    if (!(error instanceof ProviderUnreachable) || error.reason === "blocked") return null;
    const wait_ms = error.retry_after_ms ?? (error.status === 429 ? RATE_LIMIT_PAUSE_MS : 0);
    return clock.now() + wait_ms < ends ? wait_ms : null;
  };
  try {
    return await retry(context, ATTEMPTS, worthAnother, () => {
      const left_ms = Math.max(0, Math.min(ATTEMPT_MS, ends - clock.now()));
      return withDeadline(clock, left_ms, (signal) => ask(context, token, signal));
    });
  } catch (error) {
    throw troubleOf(error);
  }
}

async function ask(
  { client, fetch }: Asking,
  { access_token, api_origin }: AccessToken,
  signal: AbortSignal,
): Promise<Account> {
  const { provider } = client;
  const response = await boundedFetch({ fetch, signal })(`${api_origin}${provider.account.path}`, {
    headers: { authorization: `Bearer ${access_token}`, accept: "application/json" },
  });
  if (response.status === 402 || response.status === 403) {
    throw new PublicError("PROVIDER_FORBIDDEN", "the provider does not let this client see the account");
  }
  if (!response.ok) throw new UnexpectedResponse(`status_${response.status}`, response.status);
  const account = readAccount(provider, await readObject(response));
  if (!account) throw new UnexpectedResponse("no_account", response.status);
  return account;
}

function troubleOf(error: unknown): unknown {
  if (error instanceof ProviderUnreachable) {
    const { status, retry_after_ms } = error;
    return new PublicError(
      status === 429 ? "PROVIDER_RATE_LIMITED" : "PROVIDER_UNAVAILABLE",
      "the provider cannot say now whose account this is: begin again later",
      { ...(retry_after_ms !== undefined && { retry_after: retry_after_ms / 1000 }) },
    );
  }
  if (error instanceof UnexpectedResponse) {
    return new PublicError(
      "PROVIDER_RESPONSE_INVALID",
      `the provider did not say whose account this is: ${error.reason}`,
    );
  }
  return error;
}
