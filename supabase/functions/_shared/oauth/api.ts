import { readBounded } from "../bytes.ts";
import { PublicError } from "../errors.ts";
import { type ApiAnswer, processApiResponse, responseInvalid, Retryable } from "./api_answer.ts";
import { allowedApiOrigin } from "./api_origin.ts";
import type { AccessToken, Client, Transport } from "./client.ts";

export interface ApiRequest {
  /** From a template of ours, beginning with a slash. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Bytes of the largest answer that is taken, and what to do about a larger one. */
  readonly limit: number;
  readonly advice?: string;
  /** Named in errors. */
  readonly connection_id?: string;
}

const USER_AGENT = "oauth-tokens-on-supabase";

/**
 * GETs once from the provider's API with a bearer token (RFC 6750 §2.1). Nothing of a caller's request travels: the
 * headers are built from nothing, redirects end here, and the token goes to an allowed origin only.
 *
 * @throws {Retryable} `PROVIDER_RATE_LIMITED`, `PROVIDER_UNAVAILABLE`: the same request may succeed later. Of the
 * second kind is {TokenRefused}
 * @throws {PublicError} `PROVIDER_FORBIDDEN`, `PROVIDER_REJECTED`, `PROVIDER_RESPONSE_INVALID` (among them
 * {AddressMoved}), and the first two where repeating cannot help
 */
export async function askApi(
  client: Client,
  { access_token, api_origin }: AccessToken,
  request: ApiRequest,
  { fetch, signal }: Transport,
): Promise<ApiAnswer> {
  const { limit, advice = "", connection_id } = request;
  const url = addressOf(client, api_origin, request);
  const headers = {
    authorization: `Bearer ${access_token}`,
    accept: "application/json",
    "user-agent": USER_AGENT,
  };
  try {
    signal.throwIfAborted();
    const response = await fetch(url, { headers, redirect: "manual", signal });
    if (response.ok) {
      const body = await readBounded(response.body, limit);
      if (body === null) throw responseInvalid(`larger than ${limit / 1024} KiB${advice}`, connection_id);
      return processApiResponse(response, body, connection_id);
    }
    await response.body?.cancel();
    return processApiResponse(response, null, connection_id);
  } catch (error) {
    throw error instanceof PublicError ? error : unanswered(signal, connection_id);
  }
}

function addressOf(client: Client, api_origin: string, { path, query, connection_id }: ApiRequest): URL {
  const origin = allowedApiOrigin(client, api_origin);
  if (origin === null) throw responseInvalid("it named an API address that is not allowed", connection_id);
  const url = new URL(origin);
  url.pathname = path;
  // A blank as `+` is form encoding (https://url.spec.whatwg.org/#urlencoded-serializing); `%20` is understood everywhere.
  url.search = new URLSearchParams(query).toString().replaceAll("+", "%20");
  return url;
}

/** What the network said is dropped: it may quote the address, and with it the search. */
function unanswered({ aborted, reason }: AbortSignal, connection_id?: string): PublicError {
  const late = aborted && reason instanceof DOMException && reason.name === "TimeoutError";
  if (aborted && !late) return new CallerLeft(connection_id);
  const message = late ? "the provider did not answer in time" : "the provider cannot be reached";
  return new Retryable("PROVIDER_UNAVAILABLE", message, { connection_id });
}

/** For the log: nobody is there to read it. */
export class CallerLeft extends PublicError {
  override readonly name = "CallerLeft";
  constructor(connection_id?: string) {
    super("PROVIDER_UNAVAILABLE", "the caller left before the provider answered", { connection_id });
  }
}
