import { type Bytes, goingOn, readBeginning } from "../bytes.ts";
import { PublicError } from "../errors.ts";
import {
  downstreamHeaders,
  isPlainSuccess,
  readJson,
  refuseStatus,
  responseInvalid,
  Retryable,
} from "./api_answer.ts";
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

/** A usable answer of the API. */
export interface ApiAnswer {
  readonly status: number;
  /** Only what may travel on: its type and what it says about limits. */
  readonly headers: Headers;
  /** As the provider sent it, byte for byte; a long one while it still comes. */
  readonly body: Bytes | ReadableStream<Uint8Array>;
}

/**
 * Bytes that are held until the end has come, so that an answer that breaks off can be asked for again: twenty at once
 * take 80 MB, of the 256 MB that an isolate has. What is longer is passed on as it comes, if it begins as a success.
 */
const HELD_BYTES = 2 * 1024 * 1024;

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
  const asked = {
    authorization: `Bearer ${access_token}`,
    accept: "application/json",
    "user-agent": USER_AGENT,
  };
  try {
    signal.throwIfAborted();
    const response = await fetch(url, { headers: asked, redirect: "manual", signal });
    if (!response.ok) {
      await response.body?.cancel();
      refuseStatus(response, connection_id);
    }
    const { status, headers } = response;
    const held = Math.min(limit, HELD_BYTES);
    const { bytes, rest } = lengthOf(headers) <= held
      ? { bytes: new Uint8Array(await response.arrayBuffer()), rest: null }
      : await readBeginning(response.body, held);
    const plain = isPlainSuccess(headers, bytes, { whole: rest === null });
    const answer = { status, headers: downstreamHeaders(headers) };
    if (rest === null) {
      if (!plain) readJson(headers, bytes, connection_id);
      return { ...answer, body: bytes };
    }
    if (plain && held < limit) return { ...answer, body: goingOn({ bytes, rest }, limit) };
    await rest.cancel();
    throw responseInvalid(`larger than ${held / 1024} KiB${advice}`, connection_id);
  } catch (error) {
    throw error instanceof PublicError ? error : unanswered(signal, connection_id);
  }
}

/** Bytes that are announced, to which HTTP holds a body that is not compressed (RFC 9112 §6.3). */
function lengthOf(headers: Headers): number {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? Infinity : Number(length);
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
