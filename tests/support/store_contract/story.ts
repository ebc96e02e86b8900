import type {
  Claim,
  ClaimRequest,
  Commit,
  Connect,
  Failure,
  NewAuthorizationRequest,
  Peek,
  Store,
  TakenTicket,
} from "../../../supabase/functions/_shared/keep/store.ts";
import { assertEquals, assertExists } from "../assert.ts";

/** Times that a test moves, by column, in milliseconds ago; what is negative lies ahead. */
export type MsAgo = Partial<
  Record<
    | "access_expires_at"
    | "refresh_after"
    | "lease_until"
    | "unsettled_until"
    | "next_attempt_at"
    | "refreshed_at"
    | "forced_until"
    | "connected_at"
    /** Of an authorization request. */
    | "expires_at",
    number
  >
>;

export interface StoreUnderTest {
  readonly store: Store;
  /** The id of a user who exists. */
  user(): Promise<string>;
  /** Moves times of the connection, or with `expires_at` of the authorization request, of this id. */
  backdate(id: string, ms_ago: MsAgo): void | Promise<void>;
  close(): void | Promise<void>;
}

export interface StorePromise {
  readonly promise: string;
  keep(story: Story): Promise<void>;
}

export interface Owned {
  readonly id: string;
  readonly user_id: string;
}

export const TIMINGS = { request_ms: 20_000, lease_ms: 25_000, settle_ms: 30_000 };
export const HOUR_MS = 3_600_000;

/** One promise's stage: a store, a provider of its own, and short words for what happens on it. */
export class Story {
  readonly provider = `p${crypto.randomUUID()}`;
  readonly store: Store;

  constructor(private readonly under_test: StoreUnderTest) {
    this.store = under_test.store;
  }

  user(): Promise<string> {
    return this.under_test.user();
  }

  async backdate(id: string, ms_ago: MsAgo): Promise<void> {
    await this.under_test.backdate(id, ms_ago);
  }

  connectRequest(overrides: Partial<Connect> & Pick<Connect, "user_id">): Connect {
    return {
      id: crypto.randomUUID(),
      provider: this.provider,
      account_key: `1:${crypto.randomUUID()}`,
      account_name: "Acme",
      account_email: "jane@acme.example",
      scope: ["base", "contacts:read"],
      ...sealed("first"),
      expires_in_ms: HOUR_MS,
      elapsed_ms: 0,
      request_id: null,
      ...overrides,
    };
  }

  /** A fresh, active connection at version 1. */
  async connected(overrides: Partial<Connect> = {}): Promise<Owned & { account_key: string }> {
    const request = this.connectRequest({ ...overrides, user_id: overrides.user_id ?? await this.user() });
    await this.store.connect(request);
    return request;
  }

  /** A connection whose access token is in its soft window. */
  async due(overrides: Partial<Connect> = {}): Promise<Owned> {
    const connection = await this.connected(overrides);
    await this.backdate(connection.id, { refresh_after: 1_000 });
    return connection;
  }

  claim({ id }: Owned, overrides: Partial<ClaimRequest> = {}): Promise<Claim> {
    return this.store.claimRefresh({ id, seen_version: 1, force: false, ...TIMINGS, ...overrides });
  }

  /** A claim that must succeed. */
  async lease(owned: Owned, overrides: Partial<ClaimRequest> = {}): Promise<Claim & { lease_id: string }> {
    const claim = await this.claim(owned, overrides);
    assertEquals(claim.outcome, "claimed");
    const { lease_id } = claim;
    assertExists(lease_id);
    return { ...claim, lease_id };
  }

  /** The lease runs out without a word from its holder. */
  leaseEnds({ id }: Owned): Promise<void> {
    return this.backdate(id, { lease_until: 1_000 });
  }

  commit({ id }: Owned, { lease_id, version }: Leased, overrides: Partial<Commit> = {}) {
    return this.store.commitRefresh({
      id,
      lease_id,
      base_version: version,
      ...sealed("second"),
      scope: null,
      expires_in_ms: HOUR_MS,
      elapsed_ms: 0,
      ...overrides,
    });
  }

  fail({ id }: Owned, { lease_id }: Leased, failure: Partial<Failure> = {}) {
    return this.store.failRefresh({
      id,
      lease_id,
      class: "transient",
      wait_ms: 0,
      code: "status_503",
      ...failure,
    });
  }

  disconnect({ id, user_id }: Owned) {
    return this.store.disconnect(id, user_id, this.provider);
  }

  async peek({ id, user_id }: Owned, seen_version = -1): Promise<Peek> {
    const peek = await this.store.peek(id, user_id, seen_version);
    assertExists(peek);
    return peek;
  }

  authorizationRequest(
    overrides: Partial<NewAuthorizationRequest> & Pick<NewAuthorizationRequest, "user_id">,
  ): NewAuthorizationRequest {
    return {
      id: secret(),
      provider: this.provider,
      binding_hash: secret(),
      redirect_uri: "https://project.example/oauth-callback",
      return_to: "https://app.example/settings",
      code_verifier_sealed: seal("verifier"),
      lifetime_ms: 600_000,
      limit: 5,
      ...overrides,
    };
  }

  /** A request that a user began. */
  async begun(overrides: Partial<NewAuthorizationRequest> = {}): Promise<NewAuthorizationRequest> {
    const user_id = overrides.user_id ?? await this.user();
    const request = this.authorizationRequest({ ...overrides, user_id });
    assertEquals((await this.store.beginAuthorization(request)).outcome, "begun");
    return request;
  }

  /** A request whose code waits behind a ticket. */
  async parked(): Promise<{ id: string; ticket: TakenTicket }> {
    const { id, provider, binding_hash, user_id } = await this.begun();
    const ticket_hash = secret();
    assertExists(
      await this.store.receiveAuthorizationResponse({ id, provider, ticket_hash, code_sealed: seal("code") }),
    );
    return { id, ticket: { provider, ticket_hash, binding_hash, user_id } };
  }
}

export interface Leased {
  readonly lease_id: string;
  readonly version: number;
}

/** Something in the form of a seal that says what it seals. */
export function seal(word: string, key_id = "k1"): string {
  return `v1.${key_id}.iv.${word}`;
}

export function sealed(word: string, key_id = "k1") {
  return {
    access_token_sealed: seal(`${word}-access`, key_id),
    refresh_token_sealed: seal(`${word}-refresh`, key_id),
    key_id,
  };
}

export function secret(): string {
  return crypto.randomUUID();
}

/** How often each outcome came. */
export function tally(outcomes: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}
