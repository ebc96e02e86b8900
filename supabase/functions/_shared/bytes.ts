/**
 * A body of at most `limit` bytes, counted as they arrive and after decompression, because no header says how many
 * that will be; null: there were more, and the rest was not waited for.
 */
export async function readBounded(body: ReadableStream<Uint8Array> | null, limit: number) {
  const chunks = [];
  let size = 0;
  // Leaving the loop cancels the stream.
  for await (const chunk of body ?? []) {
    size += chunk.byteLength;
    if (size > limit) return null;
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return bytes;
}

/** A body that has been read; the hosted runtime's TypeScript has another name for it than the current one's. */
export type Bytes = NonNullable<Awaited<ReturnType<typeof readBounded>>>;

/** UTF-8 as text; undefined if it is not well-formed. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** What a text of JSON says; undefined for anything else. The parser's error is dropped: it quotes the text. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
