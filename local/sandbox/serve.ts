import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createControl, type SandboxControl } from "./control.ts";
import { answerControl } from "./control_http.ts";
import { answer } from "./router.ts";
import { type SandboxOptions, World } from "./world.ts";

export interface ServedSandbox {
  readonly origin: string;
  readonly control: SandboxControl;
  /** Whether what was kept speaks of another origin, which its token responses named as their API's. */
  readonly moved: boolean;
  /** Answers what it can, drops what hangs, closes the port. */
  stop(): Promise<void>;
}

const LOOPBACK = "127.0.0.1";

/**
 * Serves a sandbox over HTTP on loopback, everything at its one origin; port 0, the default, takes a free one.
 *
 * On Node's server, not Deno.serve: only this one can close a socket unanswered and tell quietly that a caller left.
 */
export async function serveSandbox(options: SandboxOptions & { port?: number } = {}): Promise<ServedSandbox> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port ?? 0, LOOPBACK, resolve);
  });
  const origin = `http://${LOOPBACK}:${(server.address() as AddressInfo).port}`;
  const world = new World(options, origin);
  const control = createControl(world);
  server.on("request", (incoming, outgoing) =>
    void handle(incoming, outgoing, origin, async (request) => (
      await answerControl(control, request) ?? await answer(world, request)
    )));
  return {
    origin,
    control,
    moved: world.moved,
    stop: async () => {
      world.closing.abort(new TypeError("the sandbox has stopped"));
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** One request; whatever rejects (a reset, a caller who left, the end) closes the socket without an answer. */
async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  origin: string,
  answer: (request: Request) => Promise<Response>,
): Promise<void> {
  const caller = new AbortController();
  outgoing.once("close", () => caller.abort(new TypeError("the caller has left")));
  try {
    const response = await answer(await requestOf(incoming, origin, caller.signal));
    await send(response, outgoing, caller.signal);
  } catch (error) {
    incoming.socket.destroy();
    // ECONNRESET: the caller left before the request was whole.
    if (!(error instanceof TypeError) && (error as { code?: string }).code !== "ECONNRESET") throw error;
  }
}

async function requestOf(incoming: IncomingMessage, origin: string, signal: AbortSignal): Promise<Request> {
  const chunks: BlobPart[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
  const base = incoming.headers.host === undefined ? origin : `http://${incoming.headers.host}`;
  const method = incoming.method ?? "GET";
  const body = method === "GET" || method === "HEAD" ? null : new Blob(chunks);
  return new Request(new URL(incoming.url ?? "/", base), { method, headers, body, signal });
}

/**
 * Writes no faster than the caller reads. Every connection ends with its answer: on a reused one, Deno's fetch (2.9)
 * silently sends a POST again after a reset, and the fault would never be seen.
 */
async function send(response: Response, outgoing: ServerResponse, signal: AbortSignal): Promise<void> {
  outgoing.writeHead(response.status, { ...Object.fromEntries(response.headers), connection: "close" });
  for await (const chunk of response.body ?? []) {
    signal.throwIfAborted();
    if (outgoing.write(chunk)) continue;
    await new Promise<void>((resolve) => {
      outgoing.once("drain", resolve);
      signal.addEventListener("abort", () => resolve(), { once: true });
    });
  }
  outgoing.end();
}
