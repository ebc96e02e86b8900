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
    const claims = { sub: user_id, role: "authenticated", aud: "authenticated" };
    const jwt = await this.#tokens.sign({ ...claims, exp: Math.floor(Date.now() / 1000) + 3600 });
    const headers = {
      apikey: this.keys.publishable_key,
      authorization: `Bearer ${jwt}`,
      "content-type": "application/json",
    };
    const url = `${this.origin}/functions/v1/oauth-callback/pipedrive/disconnect`;
    return this.#ask(id, url, { method: "POST", headers, body: JSON.stringify({ connection_id: id }) });
  }

  /** Searches again and again, as an application told to come back does, until it is served or `until` passes. */
  async insist(connection: Connected, until: number, pause_ms = 500): Promise<Answer> {
    for (;;) {
      const answer = await this.search(connection);
      const over = answer.status === 200 || !RETRYABLE.has(answer.code);
      if (over || performance.now() + pause_ms > until) return answer;
      await new Promise((resolve) => setTimeout(resolve, pause_ms));
    }
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

function codeOf(text: string): string {
  try {
    return String(JSON.parse(text).code ?? "");
  } catch (error) {
    if (error instanceof SyntaxError) return "";
    throw error;
  }
}
