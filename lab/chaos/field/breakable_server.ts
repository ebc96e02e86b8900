import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Verdict } from "./moments.ts";

export interface Asked {
  readonly method: string;
  /** Path and query. */
  readonly path: string;
  readonly headers: Headers;
  readonly body: string;
  /** Whether whoever asked still listens. */
  listening(): boolean;
}

export interface Message {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** What is sent, and how: whole, not at all, half of it, or something else in its place. */
export interface Reply {
  readonly message: Message;
  readonly verdict: Verdict;
}

export interface BreakableServer {
  readonly origin: string;
  stop(): Promise<void>;
}

/** A server on loopback that can break off. On Node's, because Deno's cannot end a connection without a word. */
export async function serveBreakable(answer: (asked: Asked) => Promise<Reply>): Promise<BreakableServer> {
  const server = createServer((incoming, outgoing) => {
    handle(incoming, outgoing, answer).catch(() => incoming.socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Passes a message on; the answer comes whole. */
export async function passOn(
  origin: string,
  { method, path, headers, body }: Asked,
  client?: Deno.HttpClient,
): Promise<Message> {
  const sent = new Headers(headers);
  for (const name of ["host", "connection", "content-length", "transfer-encoding"]) sent.delete(name);
  sent.set("accept-encoding", "identity");
  const withBody = method !== "GET" && method !== "HEAD";
  const response = await fetch(origin + path, {
    method,
    headers: sent,
    ...(client && { client }),
    ...(withBody && { body }),
  });
  return {
    status: response.status,
    type: response.headers.get("content-type") ?? "text/plain",
    text: await response.text(),
  };
}

async function handle(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  answer: (asked: Asked) => Promise<Reply>,
): Promise<void> {
  const chunks: BlobPart[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers = new Headers();
  for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value));
  const { message, verdict } = await answer({
    method: incoming.method ?? "GET",
    path: incoming.url ?? "/",
    headers,
    body: chunks.length === 0 ? "" : await new Blob(chunks).text(),
    listening: () => !outgoing.destroyed && !incoming.socket.destroyed,
  });
  await write(outgoing, message, verdict);
}

async function write(outgoing: ServerResponse, message: Message, verdict: Verdict): Promise<void> {
  if (verdict === "drop") return void outgoing.destroy();
  if (typeof verdict === "object") {
    const [type, text] = "html" in verdict
      ? ["text/html", verdict.html]
      : ["application/json", JSON.stringify(verdict.json)];
    outgoing.writeHead(verdict.status, { "content-type": type });
    return void outgoing.end(text);
  }
  const bytes = new TextEncoder().encode(message.text);
  outgoing.writeHead(message.status, { "content-type": message.type, "content-length": bytes.length });
  if (verdict === "pass") return void outgoing.end(bytes);
  await new Promise<void>((resolve) =>
    outgoing.write(bytes.subarray(0, Math.floor(bytes.length / 2)), () => resolve())
  );
  outgoing.destroy();
}
