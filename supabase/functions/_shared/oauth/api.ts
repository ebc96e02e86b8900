import { type Bytes, goingOn, readBeginning } from "../bytes.ts";
import { PublicError } from "../errors.ts";
import {
  downstreamHeaders,
  isPlainSuccess,
  isToldByBody,
  jsonOf,
  readJson,
  refuse,
  responseInvalid,
  Retryable,
  TokenRefused,
} from "./api_answer.ts";
import type { AccessToken, Client, Transport } from "./client.ts";
import { fillAll, fillHeaders } from "./template.ts";
import { usable } from "./values.ts";

export interface ApiRequest {
  /** Of `apiUrl`. Null: no token may be sent there. */
  readonly url: URL | null;
  /** Default: GET. */
  readonly method?: string;
  /** What a caller chose, within what may travel. The provider's own come after. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Bytes | string;
  /** `json`: whatever else comes is an error. `any`: what the API says passes, a refusal too, but for what is ours to mend. */
  readonly takes: "json" | "any";
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
  /** As the provider sent it, byte for byte; a long one while it still comes. Null: there can be none. */
  readonly body: Bytes | ReadableStream<Uint8Array> | null;
}

/**
 * Bytes that are held until the end has come, so that an answer that breaks off can be asked for again: twenty at once
 * take 80 MB, of the 256 MB that an isolate has. What is longer is passed on as it comes, if it begins as a success.
 */
const HELD_BYTES = 2 * 1024 * 1024;

const USER_AGENT = "oauth-tokens-on-supabase";
/** https://fetch.spec.whatwg.org/#null-body-status */
const NULL_BODY = [204, 205];

/**
 * Asks the provider's API once with the token. Nothing of a caller's request travels but what is named: the headers are
 * built from nothing, redirects end here, and the token goes to an allowed address only.
 *
 * @throws {Retryable} `PROVIDER_RATE_LIMITED`, `PROVIDER_UNAVAILABLE`: the same request may succeed later. Of the
 * second kind is {TokenRefused}. With `any` it has the answer, if one came
 * @throws {PublicError} `PROVIDER_FORBIDDEN`, `PROVIDER_REJECTED`, `PROVIDER_RESPONSE_INVALID` (among them
 * {AddressMoved}), and the first two where repeating cannot help
 */
export async function askApi(
  client: Client,
  token: AccessToken,
  request: ApiRequest,
  { fetch, signal }: Transport,
): Promise<ApiAnswer> {
  const { url, method, body, connection_id } = request;
  if (!url) throw responseInvalid("it named an API address that is not allowed", connection_id);
  try {
    signal.throwIfAborted();
    const headers = headersOf(client, token, request);
    const asked = withQuery(client, token, url);
    const response = await fetch(asked, { method, headers, body, redirect: "manual", signal });
    return await readAnswer(client, request, response);
  } catch (error) {
    throw error instanceof PublicError ? error : unanswered(signal, connection_id);
  }
}

function headersOf(client: Client, { access_token, values }: AccessToken, request: ApiRequest) {
  const { client_id } = client;
  const fillings = { ...usable(client, values), access_token, client_id };
  return {
    accept: "application/json",
    ...request.headers,
    "user-agent": USER_AGENT,
    ...fillHeaders(client.provider.api.headers, fillings),
  };
}

function withQuery(client: Client, { access_token, values }: AccessToken, url: URL): URL {
  const { query } = client.provider.api;
  if (Object.keys(query).length === 0) return url;
  const asked = new URL(url);
  const parameters = fillAll(query, { ...usable(client, values), access_token });
  for (const [name, value] of Object.entries(parameters)) asked.searchParams.set(name, value);
  return asked;
}

async function readAnswer(
  { provider }: Client,
  { takes, limit, advice = "", connection_id }: ApiRequest,
  response: Response,
): Promise<ApiAnswer> {
  const { status, headers } = response;
  // Where refusals pass, so does what calls itself one.
  const api = takes === "any" ? { ...provider.api, failed: [] } : provider.api;
  const told = isToldByBody(api, status);
  if (takes === "json" && !response.ok && !told) {
    await response.body?.cancel();
    refuse(api, response, undefined, connection_id);
  }
  const held = Math.min(limit, HELD_BYTES);
  const { bytes, rest } = lengthOf(headers) <= held
    ? { bytes: new Uint8Array(await response.arrayBuffer()), rest: null }
    : await readBeginning(response.body, held);
  const plain = isPlainSuccess(api, response, bytes, { whole: rest === null });
  const head = { status, headers: downstreamHeaders(api, headers, takes) };
  const answer = NULL_BODY.includes(status) ? { ...head, body: null } : { ...head, body: bytes };
  if (!plain) {
    const json = rest !== null || !(told || takes === "json")
      ? undefined
      : takes === "json" && response.ok
      ? readJson(headers, bytes, connection_id)
      : jsonOf(headers, bytes);
    refuseUnlessPassed(() => refuse(api, response, json, connection_id), takes, answer);
  }
  if (rest === null) return answer;
  if ((plain || takes === "any") && held < limit) return { ...answer, body: goingOn({ bytes, rest }, limit) };
  await rest.cancel();
  throw responseInvalid(`larger than ${held / 1024} KiB${advice}`, connection_id);
}

/** Where everything passes, only what is ours to mend is an error: with the answer, should it not be mended. */
function refuseUnlessPassed(judge: () => void, takes: ApiRequest["takes"], answer: ApiAnswer): void {
  try {
    judge();
  } catch (error) {
    if (!(error instanceof PublicError) || takes === "json") throw error;
    if (error instanceof TokenRefused || error.code === "PROVIDER_RESPONSE_INVALID") throw error;
    if (!(error instanceof Retryable)) return;
    error.answer = answer;
    throw error;
  }
}

/** Bytes that are announced, to which HTTP holds a body that is not compressed (RFC 9112 §6.3). */
function lengthOf(headers: Headers): number {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? Infinity : Number(length);
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
