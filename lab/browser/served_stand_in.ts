import { serve, type Served } from "../../local/stack/serve.ts";
import { CLIENT, factsOf } from "../../tests/support/stand_in/facts.ts";
import { StandIn } from "../../tests/support/stand_in/stand_in.ts";

/**
 * A stand-in on loopback, whose user allows what is asked at once. It hears every request as if it had been sent to
 * the provider's own host, with the redirect URI that is registered there in the place of this stack's.
 */
export class ServedStandIn {
  readonly stand_in: StandIn;
  /** Every token it gave out. */
  readonly tokens: string[] = [];
  /** This stack's. Another is passed on as it is, and refused. */
  redirect_uri = "";
  readonly #served: Served;
  readonly #host: string;

  constructor(name: string) {
    const facts = factsOf(name);
    this.stand_in = new StandIn(facts, { now: () => 0 });
    this.#host = new URL(facts.authorization.endpoint).origin;
    this.#served = serve(0, (request) => this.#answer(request));
  }

  get origin(): string {
    return this.#served.origin;
  }

  /** What sends the functions here. */
  get env(): Record<string, string> {
    const { client_id, client_secret } = CLIENT;
    const settings = { client_id, client_secret, oauth_origin: this.origin, api_origins: this.origin };
    const prefix = this.stand_in.facts.name.toUpperCase();
    return Object.fromEntries(
      Object.entries(settings).map(([name, value]) => [`${prefix}_${name.toUpperCase()}`, value]),
    );
  }

  stop(): Promise<void> {
    return this.#served.stop();
  }

  async #answer(request: Request): Promise<Response> {
    const { pathname, search } = new URL(request.url);
    const url = new URL(this.#host + pathname + search);
    const { endpoint } = this.stand_in.facts.authorization;
    if (url.origin + url.pathname === endpoint) return this.#authorize(url);
    const headers = new Headers(request.headers);
    headers.delete("host");
    headers.delete("content-length");
    const form = headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") ?? false;
    const body = await request.text();
    const sent = form ? this.#registered(new URLSearchParams(body)).toString() : body;
    const response = await this.stand_in.fetch(url, { method: request.method, headers, body: sent || null });
    this.#remember(await response.clone().json().catch(() => ({})));
    return response;
  }

  #authorize(url: URL): Response {
    this.#registered(url.searchParams);
    const back = this.stand_in.authorize(url.href);
    return Response.redirect(this.redirect_uri + back.search, 302);
  }

  #registered(parameters: URLSearchParams): URLSearchParams {
    if (parameters.get("redirect_uri") === this.redirect_uri) {
      parameters.set("redirect_uri", this.stand_in.redirect_uri);
    }
    return parameters;
  }

  #remember({ access_token, refresh_token }: Record<string, unknown>): void {
    this.tokens.push(...[access_token, refresh_token].filter((token) => typeof token === "string"));
  }
}
