import { type FakeFetch, json, respondWith, type SentRequest } from "./fake_fetch.ts";

/** What a token endpoint does with a refresh before it answers, if anything. */
export type Interference = (answer: () => Response, request: SentRequest) => Response | Promise<Response>;

/**
 * The strictest provider there is: a refresh token works once, no grace, and what is spent or unknown is refused. It
 * answers in Pipedrive's shapes.
 */
export class StrictProvider {
  readonly fetch: FakeFetch;
  /** Refreshes that it acted upon, in order. */
  readonly rotations: string[] = [];
  /** Requests with a refresh token that was not the current one. */
  refused = 0;
  #current: string;
  #interferences: Interference[] = [];

  constructor(refresh_token: string, private readonly extra: Record<string, unknown> = {}) {
    this.#current = refresh_token;
    this.fetch = respondWith((request) => {
      const interfere = this.#interferences.shift();
      return interfere ? interfere(() => this.#answer(request), request) : this.#answer(request);
    });
  }

  /** The refresh token that works now. */
  get current(): string {
    return this.#current;
  }

  /** The next request meets this first; several queue up. */
  next(...interferences: Interference[]): void {
    this.#interferences.push(...interferences);
  }

  #answer({ body }: SentRequest): Response {
    const form = new URLSearchParams(body);
    if (form.get("grant_type") !== "refresh_token" || form.get("refresh_token") !== this.#current) {
      this.refused += 1;
      return refusal("invalid_grant");
    }
    this.rotations.push(this.#current);
    this.#current = `refresh-${this.rotations.length}`;
    return json({
      access_token: `access-${this.rotations.length}`,
      token_type: "Bearer",
      expires_in: 3599,
      refresh_token: this.#current,
      scope: "base,contacts:read",
      api_domain: "https://acme.pipedrive.com",
      ...this.extra,
    });
  }
}

/** A token error as Pipedrive words it. */
export function refusal(error: string, status = 400): Response {
  return json({ success: false, message: `Refused: ${error}`, error }, status);
}
