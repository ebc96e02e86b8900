import { serve, type Served } from "../../local/stack/serve.ts";

/** A message of Realtime: join reference, reference, topic, event, payload. */
type Message = [string | null, string | null, string, string, Record<string, unknown>];

interface Line {
  readonly socket: WebSocket;
  /** Those joined. */
  readonly topics: Set<string>;
}

/**
 * A project elsewhere: the API of a stack under another origin, and with a Realtime, which the local stack has not.
 *
 * It speaks Phoenix channels as Realtime does and keeps its rule for `oauth_events:…`: a private topic, joined with
 * the login of the user whose id it ends in, and only while live events are on.
 */
export class Project {
  /** Whether `select oauth.start_live_events()` was said. */
  live = false;
  readonly #served: Served;
  readonly #lines = new Set<Line>();

  constructor(readonly stack: { readonly api_url: string; readonly publishable_key: string }) {
    this.#served = serve(0, (request) => this.#answer(request));
  }

  get origin(): string {
    return this.#served.origin;
  }

  /** Tells whoever has joined the topic. @returns how many that are */
  tell(topic: string, event: string, payload: Record<string, unknown>): number {
    const joined = [...this.#lines].filter(({ topics }) => topics.has(topic));
    for (const line of joined) {
      send(line, [null, null, topic, "broadcast", { type: "broadcast", event, payload }]);
    }
    return joined.length;
  }

  /** Every line breaks, as when the service is started anew. */
  breakLines(): void {
    for (const { socket } of this.#lines) socket.close();
  }

  async stop(): Promise<void> {
    this.breakLines();
    await this.#served.stop();
  }

  async #answer(request: Request): Promise<Response> {
    const url = new URL(request.url);
    if (url.pathname === "/realtime/v1/websocket") return this.#open(request, url);
    const headers = new Headers(request.headers);
    headers.delete("host");
    const { method, body } = request;
    return await fetch(this.stack.api_url + url.pathname + url.search, { method, headers, body });
  }

  #open(request: Request, url: URL): Response {
    if (url.searchParams.get("apikey") !== this.stack.publishable_key) {
      return new Response(null, { status: 401 });
    }
    const { socket, response } = Deno.upgradeWebSocket(request);
    const line: Line = { socket, topics: new Set() };
    this.#lines.add(line);
    socket.onclose = () => this.#lines.delete(line);
    socket.onmessage = ({ data }) => void this.#hear(line, JSON.parse(data));
    return response;
  }

  async #hear(line: Line, [join_ref, ref, topic, event, payload]: Message): Promise<void> {
    const reply = (status: "ok" | "error", response: Record<string, unknown>) =>
      send(line, [join_ref, ref, topic, "phx_reply", { status, response }]);
    if (event === "heartbeat") reply("ok", {});
    if (event === "phx_leave") {
      line.topics.delete(topic);
      reply("ok", {});
    }
    if (event !== "phx_join") return;
    if (await this.#mayJoin(topic, payload)) {
      line.topics.add(topic);
      reply("ok", { postgres_changes: [] });
    } else {reply("error", {
        reason: "Unauthorized: You do not have permissions to read from this Channel topic",
      });}
  }

  async #mayJoin(topic: string, payload: Record<string, unknown>): Promise<boolean> {
    const { config, access_token } = payload as { config?: { private?: boolean }; access_token?: string };
    if (!this.live || !config?.private) return false;
    const { api_url, publishable_key } = this.stack;
    const answer = await fetch(`${api_url}/auth/v1/user`, {
      headers: { apikey: publishable_key, authorization: `Bearer ${access_token}` },
    });
    const { id } = await answer.json();
    return answer.ok && topic === `realtime:oauth_events:${id}`;
  }
}

function send({ socket }: Line, message: Message): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}
