import type { Keys } from "../../../local/stack/keys.ts";
import { UserTokens } from "../../../local/stack/user_tokens.ts";
import type { Connected } from "./connections.ts";
import { type Fleet, SERVED_BY } from "./fleet.ts";

/** What one caller got. */
export interface Answer {
  readonly connection: string;
  readonly started_at: number;
  readonly ended_at: number;
  /** Null: no answer came. */
  readonly status: number | null;
  /** Of an error. "": an error without one. */
  readonly code: string | null;
  /** Which process answered, or broke down over it. */
  readonly by: string | null;
  /** The caller itself gave up. */
  readonly hung_up: boolean;
}

/** What a page holds that has come back from the provider. */
export interface Parked {
  readonly id: string;
  readonly user_id: string;
  readonly ticket: string;
  readonly binding: string;
}

const CALLBACK = "/functions/v1/oauth-callback/pipedrive";
/** Codes after which a caller is told to come back. */
const RETRYABLE: ReadonlySet<string | null> = new Set([
  "REFRESH_IN_PROGRESS",
  "PROVIDER_UNAVAILABLE",
  "STORAGE_UNAVAILABLE",
  "PROVIDER_RATE_LIMITED",
  "WORKER_ERROR",
]);

/** A fleet as its callers see it: one address, from outside. Every answer is kept for the checker. */
export class Site {
  readonly answers: Answer[] = [];
  readonly #tokens: UserTokens;

  constructor(
    readonly name: string,
    readonly origin: string,
    readonly fleet: Fleet,
    private readonly keys: Keys,
  ) {
    this.#tokens = new UserTokens(keys);
  }

  search({ id }: Connected, signal?: AbortSignal): Promise<Answer> {
    const headers = { apikey: this.keys.secret_key };
    const url = `${this.origin}/functions/v1/search-persons?term=jane&limit=1&connection_id=${id}`;
    return this.#ask(id, url, { headers }, signal);
  }

  refresh({ id }: Connected, force = false): Promise<Answer> {
    const headers = { apikey: this.keys.secret_key, "content-type": "application/json" };
    const body = JSON.stringify({ connection_id: id, force });
    return this.#ask(id, `${this.origin}/functions/v1/refresh-token`, { method: "POST", headers, body });
  }

  /** What cron does. */
  async sweep(): Promise<Record<string, number>> {
    const headers = { apikey: this.keys.secret_key, "content-type": "application/json" };
    const url = `${this.origin}/functions/v1/refresh-token`;
    return await (await fetch(url, { method: "POST", headers, body: "{}" })).json();
  }

  async disconnect({ id, user_id }: Connected): Promise<Answer> {
    const init = await this.#posted(user_id, { connection_id: id });
    return this.#ask(id, `${this.origin}${CALLBACK}/disconnect`, init);
  }

  /** What the provider tells when the user has removed our application there. */
  uninstall(
    { id, account_key }: Connected,
    { client_id, client_secret }: { readonly client_id: string; readonly client_secret: string },
  ): Promise<Answer> {
    const headers = {
      authorization: `Basic ${btoa(`${client_id}:${client_secret}`)}`,
      "content-type": "application/json",
    };
    const [company_id, user_id] = account_key.split(":").map(Number);
    const body = JSON.stringify({ client_id, company_id, user_id, timestamp: new Date().toISOString() });
    return this.#ask(id, `${this.origin}${CALLBACK}`, { method: "DELETE", headers, body });
  }

  /** A browser asks for the authorization, is sent away, and comes back with a ticket. */
  async park({ id, user_id }: Connected, allow: (url: string) => Promise<string>): Promise<Parked> {
    const begin = await fetch(`${this.origin}${CALLBACK}/authorize`, await this.#posted(user_id, {}));
    const { authorization_url, binding } = await begin.json();
    const { search } = new URL(await allow(authorization_url));
    const back = await fetch(`${this.origin}${CALLBACK}${search}`, { redirect: "manual" });
    await back.body?.cancel();
    const { hash } = new URL(back.headers.get("location") ?? "");
    const ticket = new URLSearchParams(hash.slice(1)).get("oauth_ticket");
    if (ticket === null) throw new Error(`no ticket came back: ${hash}`);
    return { id, user_id, ticket, binding };
  }

  async complete({ id, user_id, ticket, binding }: Parked): Promise<Answer> {
    return this.#ask(
      id,
      `${this.origin}${CALLBACK}/complete`,
      await this.#posted(user_id, { ticket, binding }),
    );
  }

  async #posted(user_id: string, body: object): Promise<RequestInit> {
    const claims = { sub: user_id, role: "authenticated", aud: "authenticated" };
    const jwt = await this.#tokens.sign({ ...claims, exp: Math.floor(Date.now() / 1000) + 3600 });
    const headers = {
      apikey: this.keys.publishable_key,
      authorization: `Bearer ${jwt}`,
      "content-type": "application/json",
    };
    return { method: "POST", headers, body: JSON.stringify(body) };
  }

  /** Searches again and again, as an application told to come back does, until it is served or `until` passes. */
  insist(connection: Connected, until: number, pause_ms = 500): Promise<Answer> {
    return persist(() => this.search(connection), until, { pause_ms });
  }

  async #ask(connection: string, url: string, init: RequestInit, signal?: AbortSignal): Promise<Answer> {
    const started_at = performance.now();
    let seen: Pick<Answer, "status" | "code" | "by"> = { status: null, code: null, by: null };
    try {
      const response = await fetch(url, { ...init, ...(signal && { signal }) });
      const text = await response.text();
      seen = {
        status: response.status,
        code: response.ok ? null : codeOf(text),
        by: response.headers.get(SERVED_BY),
      };
    } catch (error) {
      if (!signal?.aborted && !(error instanceof TypeError)) throw error;
    }
    const hung_up = seen.status === null && signal?.aborted === true;
    const answer = { connection, started_at, ended_at: performance.now(), ...seen, hung_up };
    this.answers.push(answer);
    return answer;
  }
}

/** Asks again and again while it is told to come back, or by that code to try once more. */
export async function persist(
  ask: () => Promise<Answer>,
  until: number,
  { pause_ms = 500, also = "" } = {},
): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    const over = answer.status === 200 || !(RETRYABLE.has(answer.code) || answer.code === also);
    if (over || performance.now() + pause_ms > until) return answer;
    await new Promise((resolve) => setTimeout(resolve, pause_ms));
  }
}

function codeOf(text: string): string {
  try {
    return String(JSON.parse(text).code ?? "");
  } catch (error) {
    if (error instanceof SyntaxError) return "";
    throw error;
  }
}
