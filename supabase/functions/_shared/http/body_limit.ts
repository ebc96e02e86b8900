import { PublicError } from "../errors.ts";

/** The largest of our request bodies is a search; 16 KiB is ten times that. */
export const MAX_BODY_BYTES = 16 * 1024;

/**
 * The same request with its body read, or the refusal of a body that is too large.
 *
 * Checked on what is announced, so that nothing is read in vain, and on what arrives, because the announcement may be
 * wrong or missing. Behind this everything may read the body whole.
 *
 * @throws {PublicError} `INVALID_REQUEST`
 */
export async function withLimitedBody(request: Request): Promise<Request> {
  if (!request.body) return request;
  if (Number(request.headers.get("content-length")) > MAX_BODY_BYTES) {
    await request.body.cancel();
    throw tooLarge();
  }
  const chunks = [];
  let size = 0;
  // Leaving the loop cancels the stream.
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > MAX_BODY_BYTES) throw tooLarge();
    chunks.push(chunk);
  }
  return new Request(request, { body: await new Blob(chunks).arrayBuffer() });
}

function tooLarge(): PublicError {
  return new PublicError("INVALID_REQUEST", `the body is larger than ${MAX_BODY_BYTES / 1024} KiB`);
}
