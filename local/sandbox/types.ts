/** What the Pipedrive sandbox offers: one interface, in process and over HTTP. */
import type { Switches } from "./switches.ts";

export type { Switches };

/** Who a Pipedrive user is: their id (in the first company that has it) or `company_id:user_id`. */
export type UserChoice = number | `${number}:${number}`;

/** One user in one company: what an installation, and so a connection, speaks for. */
export interface Account {
  company_id: number;
  company_name: string;
  /** The host's first label: `https://{company_domain}.pipedrive.com`. */
  company_domain: string;
  user_id: number;
  name: string;
  email: string;
}

/** What the client registered; the secret never leaves through the control interface. */
export interface Registration {
  client_id: string;
  client_secret: string;
  /** The one callback URL, compared character by character; null: nothing is registered yet, every authorization is refused. */
  redirect_uri: string | null;
}

export interface SandboxOptions extends Partial<Registration> {
  /**
   * Where the sandbox says it is. Left out, it plays Pipedrive's own hosts: `https://oauth.pipedrive.com` and one
   * `https://{company_domain}.pipedrive.com` per company, each refusing the other's tokens. Given, everything is at
   * this one origin and `api_domain` is this origin.
   */
  origin?: string;
  /** Epoch milliseconds. */
  now?: () => number;
  /** Sends the uninstall and the app sharing notice; `fetch` by default. */
  notify?: typeof fetch;
  /** Waits out the latencies; a real timer by default, which stops when the caller hangs up. */
  sleep?: (ms: number) => Promise<void>;
}

/** Which requests a fault meets. */
export type FaultTarget =
  | "token"
  | "token:refresh"
  | "token:exchange"
  | "api"
  | "users/me"
  | "search"
  | "revoke";

/** What the caller gets instead of the answer. `timeout` never answers; it ends when the caller hangs up. */
export type FaultKind =
  | "401"
  | "402"
  | "403"
  | "403_scope"
  | "404"
  | "429"
  | "500"
  | "503"
  | "timeout"
  | "reset"
  | "html_200"
  | "html_403"
  | "empty"
  | "truncated"
  | "redirect"
  | "invalid_client"
  | "invalid_grant"
  | "no_access_token"
  | "huge";

export interface FaultRequest {
  on: FaultTarget;
  how: FaultKind;
  /** 1. */
  times?: number;
  /** true: the endpoint does its work (spends the refresh token, stores the new one), then the answer is lost or broken. */
  after_rotation?: boolean;
  /** `Retry-After`, as a number of seconds or verbatim. */
  retry_after?: number | string;
}

export type JournalKind =
  | "authorize"
  | "token:refresh"
  | "token:exchange"
  | "token:other"
  | "revoke"
  | "users/me"
  | "search"
  | "api:other"
  | "notice"
  | "other";

/** One request the sandbox received, or a notice it sent. Holds no token, code, state or secret. */
export interface JournalEntry {
  /** Counts from 1, in order of arrival. */
  seq: number;
  /** The sandbox's clock on arrival, epoch milliseconds. */
  at: number;
  method: string;
  /** Without the query. */
  path: string;
  /** null: not answered (yet, or never). */
  status: number | null;
  kind: JournalKind;
  /** How the caller identified itself. */
  credentials: "none" | "basic" | "body" | "bearer" | "other";
  grant?: string;
  company_id?: number;
  user_id?: number;
  /** Which refresh token of its installation was presented: the first is 1, each rotation adds one. */
  version?: number;
  /** "ok", or what was refused and why: "spent", "unknown", "expired", "idle", "revoked", "unauthorized", "scope", "rate_limited", … */
  outcome: string;
  /** The fault that replaced the answer. */
  fault?: FaultKind;
  /** The parameters of a search as they arrived. */
  query?: Record<string, string>;
}

export interface Counts {
  /** Requests received, by kind, and notices sent. */
  requests: Record<JournalKind, number>;
  /** Refreshes that really took place, whether or not the answer arrived. */
  refreshed: number;
  exchanged: number;
  /** Spent refresh tokens that were presented again. */
  reused: number;
  /** The most token requests open at one time. */
  peak_token_requests: number;
}

/** What a user has installed. Without a token. */
export interface Installation {
  company_id: number;
  user_id: number;
  scopes: string[];
  /** The refresh token that is good now: the first is 1; 0 when none is. */
  version: number;
  /** Access tokens that the API would accept now. */
  living_access_tokens: number;
  installed_at: number;
  /** When the refresh token dies of idleness, epoch milliseconds. */
  idle_until: number;
}

export interface UninstallRequest {
  company_id: number;
  user_id: number;
  /** Sent as it is; left out: the sandbox's time in ISO 8601; null: no such key. */
  timestamp?: string | number | null;
  /** "number". The type of the ids in the body. */
  ids?: "number" | "string";
  /** "right". The notice's Basic credentials. */
  credentials?: "right" | "wrong" | "none";
}

/** What became of a notice; Pipedrive itself never reads it. */
export interface NoticeResult {
  /** null: no answer came. */
  status: number | null;
}

export interface TokenResponse {
  access_token: string;
  token_type: string;
  expires_in?: number | string;
  refresh_token?: string;
  scope: string;
  api_domain?: string;
}

/** Moves the sandbox. The same in process and, as POST `/_control/{method}` with one JSON argument, over HTTP. */
export interface SandboxControl {
  /** Every company and user one can install for. */
  accounts(): Promise<Account[]>;
  /** Changes the registered client. Tokens stay valid, the old secret does not. */
  register(registration: Partial<Registration>): Promise<void>;
  /** Turns switches, leaves the others, tells how all of them stand. */
  configure(switches: Partial<Switches>): Promise<Switches>;
  /** Walks through the consent page as a user would; the answer is where the browser is sent. */
  authorize(request: { authorization_url: string; user?: UserChoice; deny?: boolean }): Promise<string>;
  /** An installation begun in Pipedrive: the callback URL with a code and no state. */
  install(request?: { user?: UserChoice }): Promise<string>;
  /** Installs without a browser and gives the tokens: for tests that begin after the authorization. */
  grant(request?: { user?: UserChoice }): Promise<TokenResponse>;
  installations(): Promise<Installation[]>;
  /** Moves the sandbox's clock; the answer is its time, epoch milliseconds. */
  advance_clock(ms: number): Promise<number>;
  /** Access tokens begin to answer 401 before their time, refresh tokens stay good; tells how many. */
  expire_access_tokens(request?: { user?: UserChoice }): Promise<number>;
  /** Ends the installation (or only its access or refresh tokens) at Pipedrive's side, without a notice. */
  revoke(request: { user: UserChoice; what?: "installation" | "access" | "refresh" }): Promise<void>;
  fail_next(fault: FaultRequest): Promise<void>;
  /** Drops the faults that have not met a request. */
  clear_faults(): Promise<void>;
  /** Uninstalls and sends the DELETE notice, also for an account that never installed. */
  uninstall(request: UninstallRequest): Promise<NoticeResult>;
  send_app_sharing_notice(
    request: { company_id: number; user_id: number; isShared?: boolean },
  ): Promise<NoticeResult>;
  journal(): Promise<JournalEntry[]>;
  counts(): Promise<Counts>;
  /** Waits until every notice that a revoke set off has been answered. */
  settled(): Promise<void>;
  /** As new: no installation, default switches, no fault, empty journal, clock back. The registration stays. */
  reset(): Promise<void>;
}

export interface Sandbox {
  /** Where it says it is: the authorization server's origin. */
  origin: string;
  control: SandboxControl;
  /** Answers one request; rejects as `fetch` does when the connection fails or the caller hangs up. */
  fetch(request: Request): Promise<Response>;
}

export interface ServedSandbox {
  origin: string;
  control: SandboxControl;
  /** Answers what it can, drops what hangs, closes the port. */
  stop(): Promise<void>;
}
