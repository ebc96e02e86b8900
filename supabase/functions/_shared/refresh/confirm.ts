import type { Context } from "../context.ts";
import { PublicError } from "../errors.ts";
import type { Lease } from "../keep/store.ts";
import { askAccount } from "../oauth/account_request.ts";
import { TokenRefused } from "../oauth/api_answer.ts";
import type { AccessToken } from "../oauth/client.ts";
import { withDeadline } from "../time.ts";
import { fail } from "./outcome.ts";

/** How long one try may take, in milliseconds. */
const ATTEMPT_MS = 5_000;
/** Between two tries: an incident of one moment ends nothing. */
const PAUSE_MS = 2_000;
/** After the account request has accepted the token, for so long a refusal elsewhere is not looked into again. */
const ACCEPTED_WAIT_MS = 60_000;

/**
 * Where there is no refresh token: finds out whether a refused access token is over. Its known end says so; before it
 * only the account request does, asked twice, since what the API refuses may be one path, which a caller chose.
 *
 * @returns an error, not thrown: the token may be good
 * @throws {PublicError} `REAUTHORIZATION_REQUIRED` if it is over
 */
export async function confirm(context: Context, lease: Lease, token: AccessToken): Promise<PublicError> {
  const { clock } = context;
  const over = { class: "permanent", wait_ms: 0, code: "access_token_refused" } as const;
  if (lease.expires_in_ms !== null && lease.expires_in_ms <= 0) return fail(context, lease, over);
  const first = await tried(context, token);
  if (first === "refused") await clock.sleep(PAUSE_MS);
  const said = first === "refused" ? await tried(context, token) : first;
  if (said === "refused") return fail(context, lease, over);
  return said === "accepted"
    ? fail(context, lease, { class: "accepted", wait_ms: ACCEPTED_WAIT_MS, code: "access_token_accepted" })
    : fail(context, lease, { class: "transient", wait_ms: ACCEPTED_WAIT_MS, code: "account_unreachable" });
}

async function tried(
  { client, clock, fetch }: Context,
  token: AccessToken,
): Promise<"accepted" | "refused" | "unknown"> {
  const ask = (signal: AbortSignal) => askAccount(client, token, { fetch, signal });
  try {
    await withDeadline(clock, ATTEMPT_MS, ask);
    return "accepted";
  } catch (error) {
    if (error instanceof TokenRefused) return "refused";
    if (error instanceof PublicError) return "unknown";
    throw error;
  }
}
