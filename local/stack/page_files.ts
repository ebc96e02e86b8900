import { createHash } from "node:crypto";
import { gzipSync } from "node:zlib";

/** Compressed once, by the ETag. */
const compressed = new Map<string, Uint8Array<ArrayBuffer>>();

/**
 * A file as a browser is best served: compressed, and not sent again while it is the same. It is asked for every time,
 * because without a build no name says of which version it is, and parts of two versions make no page.
 *
 * @returns null if there is no such file
 */
export async function answerFile(
  request: Request,
  file: URL,
  headers: Record<string, string>,
): Promise<Response | null> {
  const content = await read(file);
  if (content === null) return null;
  const hash = createHash("sha256").update(content).digest("base64url");
  // Weak, because it stands for both forms.
  const etag = `W/"${hash}"`;
  const all = { ...headers, etag, "cache-control": "no-cache", vary: "accept-encoding" };
  const known = request.headers.get("if-none-match")?.split(/\s*,\s*/) ?? [];
  if (known.some((one) => one.replace(/^W\//, "") === `"${hash}"`)) {
    return new Response(null, { status: 304, headers: all });
  }
  if (!/\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) {
    return new Response(content, { headers: all });
  }
  const small = compressed.get(hash) ?? new Uint8Array(gzipSync(content));
  compressed.set(hash, small);
  return new Response(small, { headers: { ...all, "content-encoding": "gzip" } });
}

async function read(file: URL): Promise<Uint8Array<ArrayBuffer> | null> {
  try {
    return await Deno.readFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) return null;
    // "/app.js/index.html": what is before the slash is no folder.
    if (error instanceof Deno.errors.NotADirectory) return null;
    throw error;
  }
}
