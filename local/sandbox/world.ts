import type { Account, FaultRequest, JournalEntry, Registration, SandboxOptions } from "./types.ts";
import { DEFAULT_SWITCHES, type Switches } from "./switches.ts";

/** One authorization of one user in one company: what "installed" means. */
export interface Grant {
  account: Account;
  client_id: string;
  scopes: string[];
  installed_at: number;
  /** Counts refresh tokens; the first is 1. */
  version: number;
  /** The refresh token that is good now; null once the grant or its refresh token ended. */
  refresh_token: string | null;
  idle_until: number;
}

export interface CodeRecord {
  account: Account;
  client_id: string;
  redirect_uri: string;
  scopes: string[];
  expires_at: number;
  used: boolean;
}

export interface AccessRecord {
  grant: Grant;
  scopes: string[];
  expires_at: number;
  /** Ended before its time, and how. */
  ended: "expired" | "revoked" | null;
}

export interface RefreshRecord {
  grant: Grant;
  version: number;
  spent_at: number | null;
}

export interface DailyUse {
  day: number;
  used: number;
}

/** Everything the sandbox knows, in memory. */
export interface World {
  /** True when the sandbox plays Pipedrive's own hosts. */
  readonly own_hosts: boolean;
  origin: string;
  readonly options: SandboxOptions;
  registration: Registration;
  switches: Switches;
  clock_offset_ms: number;
  codes: Map<string, CodeRecord>;
  access_tokens: Map<string, AccessRecord>;
  refresh_tokens: Map<string, RefreshRecord>;
  /** By account key. */
  grants: Map<string, Grant>;
  /** In the order they were asked for; `times` counts down. */
  faults: (FaultRequest & { times: number })[];
  journal: JournalEntry[];
  tallies: { refreshed: number; exchanged: number; reused: number; open: number; peak: number };
  /** Times of the latest requests, per window and access token. */
  windows: Map<string, number[]>;
  /** Per company. */
  daily: Map<number, DailyUse>;
  /** Notices on their way. */
  notices: Set<Promise<unknown>>;
  /** Ends what hangs. */
  closing: AbortController;
}

const PIPEDRIVE_ORIGIN = "https://oauth.pipedrive.com";

export function createWorld(options: SandboxOptions): World {
  const origin = options.origin ?? PIPEDRIVE_ORIGIN;
  return {
    own_hosts: origin === PIPEDRIVE_ORIGIN,
    origin,
    options,
    registration: {
      client_id: options.client_id ?? "sandbox-client",
      client_secret: options.client_secret ?? "sandbox-secret",
      redirect_uri: options.redirect_uri ?? null,
    },
    ...blank(),
  };
}

/** The part of a world that a reset renews. */
function blank() {
  return {
    switches: structuredClone(DEFAULT_SWITCHES) as Switches,
    clock_offset_ms: 0,
    codes: new Map<string, CodeRecord>(),
    access_tokens: new Map<string, AccessRecord>(),
    refresh_tokens: new Map<string, RefreshRecord>(),
    grants: new Map<string, Grant>(),
    faults: [] as World["faults"],
    journal: [] as JournalEntry[],
    tallies: { refreshed: 0, exchanged: 0, reused: 0, open: 0, peak: 0 },
    windows: new Map<string, number[]>(),
    daily: new Map<number, DailyUse>(),
    notices: new Set<Promise<unknown>>(),
    closing: new AbortController(),
  };
}

/** As new, except for the registration. What hangs is let go. */
export function resetWorld(world: World): void {
  world.closing.abort(new TypeError("the sandbox was reset"));
  Object.assign(world, blank());
}

export function nowOf(world: World): number {
  return (world.options.now ?? Date.now)() + world.clock_offset_ms;
}

/** Where this company's API is: its own host, or the sandbox's one origin. */
export function apiOriginOf(world: World, account: Account): string {
  return world.own_hosts ? `https://${account.company_domain}.pipedrive.com` : world.origin;
}
