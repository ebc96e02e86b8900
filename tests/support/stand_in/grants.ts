import { randomToken } from "./random.ts";
import { Refusal } from "./refusal.ts";
import type { Asked, Issued, LifeFacts } from "./types.ts";

const TEN_MINUTES_MS = 600_000;

/** What one consent brought. */
export interface Grant {
  readonly asked: Asked;
  /** It has refresh tokens. */
  readonly offline: boolean;
  /** When its last refresh token dies, used or not. */
  readonly ends_at: number;
  /** By which of the provider's signals it is over; null: it is not. */
  over: number | null;
}

interface AccessToken {
  readonly grant: Grant;
  readonly dies_at: number;
  /** Which of the provider's signals it meets; null: it has not been ended. */
  ended: number | null;
}

interface RefreshToken {
  readonly value: string;
  readonly grant: Grant;
  readonly issued_at: number;
  dies_at: number;
  spent_at: number | null;
  successor: RefreshToken | null;
}

/** Tokens, and seconds until their ends. */
export type Given = Pick<
  Issued,
  "access_token" | "refresh_token" | "expires_in" | "refresh_token_expires_in"
>;

/** Every grant of a provider, and every token. Times are milliseconds of the clock. */
export class Grants {
  readonly #access = new Map<string, AccessToken>();
  readonly #refresh = new Map<string, RefreshToken>();
  readonly #grants: Grant[] = [];
  readonly #issued_at: number[] = [];

  constructor(private readonly life: LifeFacts, private readonly clock: { now(): number }) {}

  /** Whether the user has allowed something before. */
  get known(): boolean {
    return this.#grants.length > 0;
  }

  /** @throws {Refusal} where there were too many access tokens lately */
  admit(): void {
    const now = this.clock.now();
    const recent = this.#issued_at.filter((at) => now - at < TEN_MINUTES_MS);
    if (recent.length >= this.life.most_in_ten_minutes) {
      throw new Refusal("too_many", "too many access tokens");
    }
  }

  /** What a code is exchanged for; of one user too many, the oldest is over. */
  open(asked: Asked, offline: boolean): Grant {
    const ends_at = this.clock.now() + this.life.refresh_end * 1000;
    const grant: Grant = { asked, offline, ends_at, over: null };
    this.#grants.push(grant);
    const living = this.#grants.filter(({ over }) => over === null);
    const [oldest] = living;
    if (oldest && living.length > this.life.most_grants) oldest.over = 0;
    return grant;
  }

  /**
   * A refresh token that may be spent now.
   *
   * @throws {Refusal} one that was spent ends its grant (RFC 9700 §4.14.2)
   */
  spendable(value: string): RefreshToken {
    const token = this.#refresh.get(value);
    const now = this.clock.now();
    if (token === undefined) throw new Refusal("over", "the refresh token is unknown");
    const { grant, spent_at, successor } = token;
    if (grant.over !== null) throw new Refusal("over", "the grant is over", grant.over);
    if (now >= token.dies_at) throw new Refusal("over", "the refresh token has ended");
    if (spent_at === null) return token;
    const lost = successor === null || successor.spent_at === null;
    if (lost && now - spent_at < this.life.reuse_grace * 1000) return token;
    grant.over = 0;
    throw new Refusal("over", "the refresh token is spent");
  }

  /**
   * Issues tokens, and spends the refresh token that was presented.
   *
   * @param request says for how long, where the provider lets it
   */
  issue(grant: Grant, request: URLSearchParams, presented: RefreshToken | null): Given {
    const { life } = this;
    const now = this.clock.now();
    const lives = life.lifetimes(request, this.#issued_at.push(now));
    if (life.refresh_ends_access) this.endAccessTokens(0, grant);
    const access_token = randomToken("access");
    this.#access.set(access_token, { grant, dies_at: now + lives.access * 1000, ended: null });
    const { refresh_token_needs: needed } = life;
    const given = grant.offline && (needed === undefined || request.has(needed));
    if (presented) this.#spend(presented);
    const refresh = given ? this.#next(grant, lives.refresh, presented) : null;
    return {
      access_token,
      expires_in: seconds(lives.access),
      refresh_token: refresh?.value,
      refresh_token_expires_in: refresh ? seconds((refresh.dies_at - now) / 1000) : undefined,
    };
  }

  /** One that stays the same for a while is not spent by its use. */
  #spend(token: RefreshToken): void {
    const { rotation, renews_after } = this.life;
    const now = this.clock.now();
    if (rotation === "single_use" && now - token.issued_at >= renews_after * 1000) token.spent_at ??= now;
  }

  /** The refresh token that the answer brings: the same, or another one. */
  #next(grant: Grant, lifetime: number, presented: RefreshToken | null): RefreshToken {
    const { rotation, renews_after } = this.life;
    const now = this.clock.now();
    const dies_at = Math.min(now + lifetime * 1000, grant.ends_at);
    const current = presented?.successor ?? presented;
    if (current && (rotation === "reusable" || now - current.issued_at < renews_after * 1000)) {
      current.dies_at = dies_at;
      return current;
    }
    const value = randomToken("refresh");
    const next: RefreshToken = { value, grant, issued_at: now, dies_at, spent_at: null, successor: null };
    this.#refresh.set(value, next);
    if (presented && rotation === "single_use") {
      // One that never arrived is of no more use.
      if (presented.successor) presented.successor.dies_at = now;
      presented.successor = next;
    }
    return next;
  }

  /** The grant of an access token that lives, or the signal that it meets. */
  bearer(value: string): { readonly grant: Grant } | { readonly signal: number } {
    const token = this.#access.get(value);
    return token && this.#lives(token) ? { grant: token.grant } : { signal: token?.ended ?? 0 };
  }

  /** What kind of token that lives this is; null: none. */
  kindOf(value: string): "access" | "refresh" | null {
    if ("grant" in this.bearer(value)) return "access";
    const token = this.#refresh.get(value);
    return token && this.#isCurrent(token) ? "refresh" : null;
  }

  /** Ends a token, or with it the whole grant. */
  revoke(value: string, what: "token" | "grant"): void {
    const access = this.#access.get(value);
    const refresh = this.#refresh.get(value);
    const grant = access?.grant ?? refresh?.grant;
    if (grant && what === "grant") grant.over = 0;
    if (access) access.ended = 0;
    if (refresh) refresh.dies_at = this.clock.now();
  }

  /** @param of this grant; absent: of all */
  endAccessTokens(signal: number, of?: Grant): void {
    for (const token of this.#access.values()) {
      if (this.#lives(token) && (of === undefined || token.grant === of)) token.ended = signal;
    }
  }

  endGrants(signal: number): void {
    for (const grant of this.#grants) grant.over ??= signal;
  }

  alive(): { readonly access_tokens: number; readonly refresh_tokens: number } {
    return {
      access_tokens: [...this.#access.values()].filter((token) => this.#lives(token)).length,
      refresh_tokens: [...this.#refresh.values()].filter((token) => this.#isCurrent(token)).length,
    };
  }

  #lives({ grant, dies_at, ended }: AccessToken): boolean {
    return grant.over === null && ended === null && this.clock.now() < dies_at;
  }

  #isCurrent({ grant, dies_at, spent_at }: RefreshToken): boolean {
    return grant.over === null && spent_at === null && this.clock.now() < dies_at;
  }
}

/** Undefined where there is no end. */
function seconds(lifetime: number): number | undefined {
  return lifetime === Infinity ? undefined : Math.floor(lifetime);
}
