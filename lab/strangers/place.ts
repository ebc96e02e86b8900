import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

export type Listener = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** An HTTP server at one port of this machine, which it keeps when it goes down and comes back. */
export class Place {
  /** Who answers. */
  listener: Listener = (_request, response) => json(response, 503, { error: "starting" });
  #server: Server | null = null;
  #port = 0;

  get origin(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Listens: at any free port the first time, at the same one afterwards. */
  async open(): Promise<void> {
    if (this.#server) return;
    const server = createServer((request, response) => void this.#answer(request, response));
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: this.#port, host: "127.0.0.1" }, () => resolve());
    });
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    this.#port = address.port;
    this.#server = server;
  }

  /** From then on connections are refused, and none stays open. */
  async close(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      await this.listener(request, response);
    } catch (error) {
      console.error(error);
      if (!response.headersSent) json(response, 500, { error: "server_error" });
    }
  }
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/**
 * The API behind every stranger: files for whoever's token is accepted, and one path at which none ever is.
 *
 * @param path with its slash
 */
export function answerApi(path: string, accepted: boolean, response: ServerResponse): void {
  if (!accepted || path === "/closed") return json(response, 401, { error: "invalid_token" });
  if (path === "/files") return json(response, 200, { files: ["a.txt"] });
  json(response, 404, { error: "not_found" });
}
