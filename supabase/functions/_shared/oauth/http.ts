import { readBounded } from "../bytes.ts";
import type { Transport } from "./client.ts";
import { ProviderUnreachable, UnexpectedResponse } from "./errors.ts";

/** No token response comes near it; an endless one must not fill the isolate. */
export const RESPONSE_LIMIT_BYTES = 64 * 1024;
/** The longest wait a provider may ask of us. */
const RETRY_AFTER_LIMIT_MS = 120_000;

/**
 * A `fetch` for the messages of OAuth: it follows no redirect (RFC 9700 §4.11), sends once, and answers with the whole
 * body read, or throws what it means that none came.
 *
 * @throws {ProviderUnreachable} `not_reached`, `timeout`, `connection_lost`, or by its status
 * @throws {UnexpectedResponse} a redirect, or a success beyond `RESPONSE_LIMIT_BYTES`
 */
export function boundedFetch(transport: Transport): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    const { signal } = transport;
    if (signal.aborted) throw new ProviderUnreachable("not_reached", false);
    let response: Response | undefined;
    try {
      response = await transport.fetch(url, { ...init, redirect: "manual", signal });
      return readResponse(response, await readBounded(response.body, RESPONSE_LIMIT_BYTES));
    } catch (error) {
      if (error instanceof ProviderUnreachable || error instanceof UnexpectedResponse) throw error;
      if (signal.aborted) throw new ProviderUnreachable("timeout", true, response?.status);
      if (response === undefined && wasNeverSent(error)) throw new ProviderUnreachable("not_reached", false);
      throw new ProviderUnreachable("connection_lost", true, response?.status);
    }
  };
}

/**
 * @throws {ProviderUnreachable} for statuses that say the request was not processed (`sent` false: 425, 429, 503 and a
 * block page, 403 with HTML), or that leave it open (`sent` true: 408 and the other 5xx)
 */
function throwIfUnavailable(response: Response): void {
  const { status, headers } = response;
  const unavailable = (reason: string, sent: boolean) =>
    new ProviderUnreachable(reason, sent, status, parseRetryAfter(headers.get("retry-after")));
  if (status === 429) throw unavailable("rate_limited", false);
  if (status === 425 || status === 503) throw unavailable("unavailable", false);
  if (status === 403 && mediaType(headers) === "text/html") throw unavailable("blocked", false);
  if (status === 408 || status >= 500) throw unavailable(`status_${status}`, true);
}

/**
 * A `Retry-After` of seconds or an HTTP date (RFC 9110 §10.2.3) in milliseconds, whole seconds between 0 and two
 * minutes; undefined if there is none that can be read.
 *
 * @param now milliseconds since the epoch
 */
export function parseRetryAfter(value: string | null, now: number = Date.now()): number | undefined {
  const text = value?.trim() ?? "";
  const ms = /^\d+$/.test(text)
    ? Number(text) * 1000
    : /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text)
    ? Date.parse(text) - now
    : NaN;
  return Number.isNaN(ms)
    ? undefined
    : Math.min(Math.max(Math.ceil(ms / 1000) * 1000, 0), RETRY_AFTER_LIMIT_MS);
}

/** Without its parameters, in small letters; undefined if none is named. */
export function mediaType(headers: Headers): string | undefined {
  return headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
}

/** Whether a URL stays on this machine (RFC 8252 §8.3): the only place plain `http` is accepted for. */
export function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "[::1]" ||
    /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
}

/** The status decides before the body is looked at. A body beyond the limit matters only to a success. */
function readResponse(response: Response, body: Awaited<ReturnType<typeof readBounded>>): Response {
  const { status, headers } = response;
  if (status >= 300 && status < 400) throw new UnexpectedResponse("redirect", status);
  throwIfUnavailable(response);
  if (body === null && response.ok) throw new UnexpectedResponse("too_large", status);
  return new Response(body?.length ? body : null, { status, headers: withoutEncoding(headers) });
}

/** The body was decompressed while it was read. */
function withoutEncoding(headers: Headers): Headers {
  const copy = new Headers(headers);
  copy.delete("content-encoding");
  copy.delete("content-length");
  return copy;
}

/**
 * Whether a failed `fetch` ended before a connection stood (DNS, refused, TLS). Deno says so in the message, up to
 * 2.1 the error's own and later its cause's. A URL cannot imitate it: it holds no blanks.
 */
function wasNeverSent(error: unknown): boolean {
  const messages = error instanceof Error ? [error.message, (error.cause as Error | undefined)?.message] : [];
  return messages.some((message) => message?.includes("client error (Connect)") ?? false);
}
