import type { Account, AccountIds } from "./accounts.ts";
import type { Fault } from "./faults.ts";
import type { JournalEntry } from "./journal.ts";
import { DEFAULT_SWITCHES, type Switches } from "./switches.ts";

/** What the client registered; the secret never leaves through the control interface. */
export interface Registration {
  client_id: string;
  client_secret: string;
  /** The one callback URL, compared character by character; null: nothing is registered yet, every authorization is refused. */
  redirect_uri: string | null;
  /** Where an installation from the marketplace begins; null, as most apps have it: at the consent. */
  installation_url: string | null;
}

export interface SandboxOptions extends Partial<Registration> {
  /** Epoch milliseconds. */
  now?: () => number;
  /** Sends the uninstall and the app sharing notice; `fetch` by default. */
  notify?: typeof fetch;
  /** Waits out the latencies; a real timer by default. */
  sleep?: (ms: number) => Promise<void>;
  /** What an earlier run gave to `keep`: this one goes on from there. */
  kept?: string | null;
  /** Told what a later run must know, before the answer leaves that lets a caller know it. */
  keep?: (text: string) => void;
}

/** One authorization of one user in one company: what "installed" means. */
export interface Grant {
  readonly id: string;
  readonly account: Account;
  readonly client_id: string;
  readonly scopes: readonly string[];
  /** Counts refresh tokens; the first is 1. */
  version: number;
  /** The refresh token that is good now. */
  refresh_token: string;
  /** When it dies of idleness, epoch milliseconds. */
  idle_until: number;
}

export interface Code {
  readonly account: Account;
  readonly client_id: string;
  readonly redirect_uri: string | null;
  readonly scopes: readonly string[];
  readonly expires_at: number;
  used: boolean;
}

export interface AccessToken {
  readonly grant_id: string;
  readonly scopes: readonly string[];
  readonly expires_at: number;
  /** Ended before its time, and how. */
  ended: "expired" | "revoked" | null;
}

export interface RefreshToken {
  readonly grant_id: string;
  readonly version: number;
  spent_at: number | null;
}

const PIPEDRIVE_ORIGIN = "https://oauth.pipedrive.com";

/** Everything the sandbox knows. */
export class World {
  readonly registration: Registration;
  readonly switches: Switches = structuredClone(DEFAULT_SWITCHES);
  readonly journal: JournalEntry[] = [];
  /** Those that have not met their requests, in the order they were asked for. */
  faults: Fault[] = [];
  /** By the token, the code, or the grant's id. A grant that has ended is not there; its tokens still are. */
  grants = new Map<string, Grant>();
  codes = new Map<string, Code>();
  access_tokens = new Map<string, AccessToken>();
  refresh_tokens = new Map<string, RefreshToken>();
  clock_offset_ms = 0;
  /** Times of the latest requests, per window and access token. */
  readonly windows = new Map<string, number[]>();
  /** What the companies have spent today. */
  readonly daily = new Map<string, number>();
  /** Ends what hangs. */
  readonly closing = new AbortController();
  /** Whether the run before was at another origin, which its token responses named as their API's. */
  moved = false;
  #kept = "";

  /** @param origin where everything is; left out, Pipedrive's own hosts are played, each refusing the others' tokens */
  constructor(readonly options: SandboxOptions, readonly origin = PIPEDRIVE_ORIGIN) {
    const { client_id = "sandbox-client", client_secret = "sandbox-secret" } = options;
    const { redirect_uri = null, installation_url = null } = options;
    this.registration = { client_id, client_secret, redirect_uri, installation_url };
    if (options.kept) this.#goOn(options.kept);
  }

  now(): number {
    return (this.options.now ?? Date.now)() + this.clock_offset_ms;
  }

  /** Where this company's API is: its own host, or the sandbox's one origin. */
  apiOriginOf({ company_domain }: Account): string {
    return this.origin === PIPEDRIVE_ORIGIN ? `https://${company_domain}.pipedrive.com` : this.origin;
  }

  grantOf({ company_id, user_id }: AccountIds): Grant | undefined {
    return [...this.grants.values()].findLast(({ account }) =>
      account.company_id === company_id && account.user_id === user_id
    );
  }

  /** Lets nothing be forgotten that has changed. Tokens of a grant that has ended go: unknown, they are as dead. */
  keep(): void {
    if (this.options.keep === undefined) return;
    const living = ([, { grant_id }]: [string, { grant_id: string }]) => this.grants.has(grant_id);
    const text = JSON.stringify({
      origin: this.origin,
      clock_offset_ms: this.clock_offset_ms,
      codes: [...this.codes],
      grants: [...this.grants],
      access_tokens: [...this.access_tokens].filter(living),
      refresh_tokens: [...this.refresh_tokens].filter(living),
    });
    if (text !== this.#kept) this.options.keep(text);
    this.#kept = text;
  }

  #goOn(text: string): void {
    const kept = JSON.parse(text);
    this.moved = kept.origin !== this.origin;
    this.clock_offset_ms = kept.clock_offset_ms;
    this.codes = new Map(kept.codes);
    this.grants = new Map(kept.grants);
    this.access_tokens = new Map(kept.access_tokens);
    this.refresh_tokens = new Map(kept.refresh_tokens);
  }
}
