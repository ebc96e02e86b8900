/**
 * A body of at most `limit` bytes, counted as they arrive and after decompression, because no header says how many
 * that will be; null: there were more, and the rest was not waited for.
 */
export async function readBounded(body: ReadableStream<Uint8Array> | null, limit: number) {
  const { bytes, rest } = await readBeginning(body, limit);
  if (rest === null) return bytes;
  await rest.cancel();
  return null;
}

/** What has come of a body when it ends, or is longer than `limit` bytes: then the reader has the rest. */
export async function readBeginning(body: ReadableStream<Uint8Array> | null, limit: number) {
  const chunks = [];
  let size = 0;
  const reader = body?.getReader() ?? null;
  for (let next = await reader?.read(); next && !next.done; next = await reader?.read()) {
    chunks.push(next.value);
    size += next.value.byteLength;
    if (size > limit) return { bytes: joined(chunks, size), rest: reader };
  }
  return { bytes: joined(chunks, size), rest: null };
}

function joined(chunks: readonly Uint8Array[], size: number) {
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return bytes;
}

/**
 * A body whose beginning is known, the rest as it comes. One of more than `limit` bytes breaks off. What the network
 * says when it breaks off by itself is dropped: whoever logs it may quote the address.
 */
export function goingOn(
  { bytes, rest }: { readonly bytes: Bytes; readonly rest: ReadableStreamDefaultReader<Uint8Array> },
  limit: number,
): ReadableStream<Uint8Array> {
  let size = 0;
  const pass = async (controller: ReadableStreamDefaultController<Uint8Array>, chunk: Uint8Array) => {
    size += chunk.byteLength;
    if (size <= limit) return controller.enqueue(chunk);
    await rest.cancel();
    controller.error(new RangeError(`a body of more than ${limit} bytes`));
  };
  return new ReadableStream({
    start: (controller) => pass(controller, bytes),
    async pull(controller) {
      const next = await rest.read().catch(() => null);
      if (next === null) controller.error(new TypeError("the body broke off"));
      else if (next.done) controller.close();
      else await pass(controller, next.value);
    },
    cancel: (reason) => rest.cancel(reason),
  });
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

/** What a dotted path leads to, through own members of objects, and in lists by their number. */
export function valueAt(json: unknown, path: string): unknown {
  return path.split(".").reduce(
    (value, name) => {
      const holds = isObject(value) || (Array.isArray(value) && /^\d+$/.test(name));
      return holds && Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    },
    json,
  );
}
