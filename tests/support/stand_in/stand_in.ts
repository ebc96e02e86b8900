import { accountRequest, answerAccount, answerResource, signal } from "./api.ts";
import { judgeAuthorization } from "./authorization.ts";
import { redirectUri } from "./client.ts";
import { Codes } from "./codes.ts";
import { Grants } from "./grants.ts";
import { Refusal } from "./refusal.ts";
import { answerRevocation } from "./revocation.ts";
import { answerToken } from "./token_endpoint.ts";
import type { Answer, Facts, RevocationFacts } from "./types.ts";
import type { Endpoint, Entry, World } from "./world.ts";

export type { Endpoint, Entry } from "./world.ts";

/** A status without doing anything; `unreachable`: nothing was sent; `lost`: all was done, and no answer arrived. */
export type Failure = number | "unreachable" | "lost";

/**
 * One provider: its user's browser, its authorization server and its API, as strict as its facts have it. It knows one
 * user, and what it gives out is random. Requests to hosts that are not its own fail, and are in the journal.
 */
export class StandIn {
  /** Every request so far. */
  readonly journal: Entry[] = [];
  /** The registered one. */
  readonly redirect_uri: string;
  readonly fetch: typeof fetch = (input, init) => this.#fetch(new Request(input, init));
  readonly #world: World;
  readonly #failures: { readonly endpoint: Endpoint; readonly failure: Failure }[] = [];
  readonly #limits: number[] = [];

  /**
   * @param clock milliseconds, of which only differences mean something: it ends codes and tokens
   * @param begins_at epoch milliseconds that its calendar shows when it is made; an ID token must end after today
   */
  constructor(readonly facts: Facts, clock: { now(): number }, begins_at: number = Date.now()) {
    const began = clock.now();
    this.redirect_uri = redirectUri(facts.name);
    this.#world = {
      facts,
      codes: new Codes(clock),
      grants: new Grants(facts.life, clock),
      calendar: () => begins_at + clock.now() - began,
    };
  }

  /**
   * Plays the browser of a user who allows what is asked, and returns where it is sent back to.
   *
   * @throws {Error} naming what is wrong with the request
   */
  authorize(authorization_url: string): URL {
    const { codes, grants, facts } = this.#world;
    const entry = this.#enter("authorize");
    try {
      const { redirect_uri } = this;
      const request = { redirect_uri, again: grants.known };
      const allowed = judgeAuthorization(facts.authorization, new URL(authorization_url), request);
      const state = allowed.asked.parameters.get("state");
      const back = new URL(redirect_uri);
      back.searchParams.set("code", codes.give(allowed));
      if (state !== null) back.searchParams.set("state", state);
      for (const [name, value] of Object.entries(facts.authorization.redirect)) {
        back.searchParams.set(name, value);
      }
      entry.status = 302;
      return back;
    } catch (error) {
      entry.refused = error instanceof Error ? error.message : "it cannot be read";
      throw error;
    }
  }

  /** Every access token is dead before its time, as the `at`th of the provider's signals says it. */
  endAccessTokens(at = 0): void {
    signal(this.facts.api.dead, at);
    this.#world.grants.endAccessTokens(at);
  }

  /** The user has ended the authorization: every token is dead, as the `at`th of the provider's signals says it. */
  endGrant(at = 0): void {
    signal(this.facts.token.over, at);
    this.#world.grants.endGrants(at);
  }

  /** The next request to the API is one too many, as the `at`th of the provider's signals says it. */
  limitNext(at = 0): void {
    signal(this.facts.api.limits, at);
    this.#limits.push(at);
  }

  /** The next request to this endpoint fails; several queue up. */
  failNext(endpoint: Endpoint, failure: Failure): void {
    this.#failures.push({ endpoint, failure });
  }

  /** Tokens that would be taken now; a spent refresh token is none of them, whatever its grace. */
  alive(): { readonly access_tokens: number; readonly refresh_tokens: number } {
    return this.#world.grants.alive();
  }

  #enter(endpoint: Endpoint): Entry {
    const entry: Entry = { endpoint, status: 0 };
    this.journal.push(entry);
    return entry;
  }

  async #fetch(request: Request): Promise<Response> {
    request.signal.throwIfAborted();
    const endpoint = this.#endpointOf(request);
    const entry = this.#enter(endpoint);
    if (endpoint === "elsewhere") {
      entry.refused = new URL(request.url).origin;
      throw new TypeError(`nothing is sent to ${entry.refused}`);
    }
    const failure = this.#takeFailure(endpoint);
    if (failure === "unreachable") throw new TypeError("client error (Connect): connection refused");
    const answer = typeof failure === "number"
      ? { status: failure, body: null }
      : await this.#answer(endpoint, request, entry);
    if (failure === "lost") throw new TypeError("connection closed before message completed");
    entry.status = answer.status;
    return this.#respond(endpoint, request, answer);
  }

  #takeFailure(endpoint: Endpoint): Failure | undefined {
    const at = this.#failures.findIndex((own) => own.endpoint === endpoint);
    return at < 0 ? undefined : this.#failures.splice(at, 1)[0]?.failure;
  }

  #endpointOf(request: Request): Endpoint {
    const { token, api } = this.facts;
    const { origin, pathname } = new URL(request.url);
    const address = origin + pathname;
    if ([...token.endpoints.map(({ url }) => url), ...token.strangers].includes(address)) return "token";
    if (this.#revocationOf(request)) return "revoke";
    if (accountRequest(api, request)) return "account";
    if (address.startsWith(`${api.base}/`)) return "api";
    return originsOf(this.facts).has(origin) ? "other" : "elsewhere";
  }

  #revocationOf({ method, url }: Request): RevocationFacts | undefined {
    const { origin, pathname } = new URL(url);
    return this.facts.revocations.find((own) => own.method === method && own.url === origin + pathname);
  }

  async #answer(endpoint: Endpoint, request: Request, entry: Entry): Promise<Answer> {
    try {
      return await this.#judge(endpoint, request, entry);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { over, refused } = this.facts.token;
      entry.refused = error.message;
      return error.kind === "over" ? signal(over, error.signal) : refused[error.kind];
    }
  }

  async #judge(endpoint: Endpoint, request: Request, entry: Entry): Promise<Answer> {
    const world = this.#world;
    const revocation = this.#revocationOf(request);
    const account = accountRequest(this.facts.api, request);
    if (endpoint === "token") return await answerToken(world, request, entry);
    if (endpoint === "revoke" && revocation) return await answerRevocation(world, revocation, request);
    const limit = endpoint === "other" ? undefined : this.#limits.shift();
    if (limit !== undefined) {
      const { headers, ...answer } = signal(this.facts.api.limits, limit);
      entry.refused = "the rate limit is reached";
      return { ...answer, headers: headers(world.calendar()) };
    }
    if (endpoint === "account" && account) return await answerAccount(world, account, request, entry);
    if (endpoint === "api") return answerResource(world, request, entry);
    entry.refused = "nothing is there";
    return { status: 404, body: { error: "not found" } };
  }

  #respond(endpoint: Endpoint, request: Request, { status, body, headers }: Answer): Response {
    const date = new Date(this.#world.calendar()).toUTCString();
    const init = { status, headers: { ...headers, date } };
    if (body === null) return new Response(null, init);
    const json = request.headers.get("accept")?.includes("application/json") ?? false;
    if (endpoint !== "token" || json || !this.facts.token.form_unless_json_accepted) {
      return Response.json(body, init);
    }
    const fields: unknown = JSON.parse(JSON.stringify(body));
    return new Response(new URLSearchParams(fields as Record<string, string>), init);
  }
}

/** Hosts of the provider. */
function originsOf({ authorization, token, revocations, api }: Facts): Set<string> {
  const urls = [
    authorization.endpoint,
    ...token.endpoints.map(({ url }) => url),
    ...token.strangers,
    ...revocations.map(({ url }) => url),
    ...api.accounts.map(({ url }) => url),
    api.base,
  ];
  return new Set(urls.map((url) => new URL(url).origin));
}
