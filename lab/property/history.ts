/** What happened, in the order in which it took effect. */
export interface History {
  readonly effects: Effect[];
  readonly callers: Caller[];
}

export type Effect = Call | TokenRequest | Happening;

interface At {
  /** Milliseconds since the beginning, on the one clock there is. */
  readonly at: number;
}

/** A function of the database that ran. */
export interface Call extends At {
  readonly kind: "call";
  readonly isolate: number;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly before: Row | null;
  readonly after: Row | null;
}

/** A request that the token endpoint acted upon. */
export interface TokenRequest extends At {
  readonly kind: "token request";
  readonly isolate: number;
  readonly presented: string;
  /** Null: refused. */
  readonly issued: { readonly access_token: string; readonly refresh_token: string } | null;
  /** The whole answer reached an isolate that lived and still waited for it. */
  delivered: boolean;
}

/** What nobody of us did. */
export interface Happening extends At {
  readonly kind: "crash" | "lease ended early" | "jump" | "stop" | "withdrawn";
}

export interface Row {
  readonly status: "active" | "reauthorization_required" | "disconnected";
  readonly version: number;
  readonly lease_id: string | null;
  readonly attempts: number;
  readonly unsettled_until: string | null;
  readonly committed_lease_id: string | null;
  readonly failure_code: string | null;
}

/** One who asked the token module for something. */
export interface Caller {
  readonly isolate: number;
  readonly wanted: string;
  readonly began: number;
  /** Time it may have lost because it, or everybody, stood still. */
  stood_still: number;
  ended: number | null;
  /** What it was told: null, or an error. */
  trouble: unknown;
}

export function calls(history: History, name: string): Call[] {
  return history.effects.filter((effect): effect is Call => effect.kind === "call" && effect.name === name);
}

export function tokenRequests(history: History): TokenRequest[] {
  return history.effects.filter((effect) => effect.kind === "token request");
}

export function happened(history: History, ...kinds: Happening["kind"][]): boolean {
  return history.effects.some(({ kind }) => (kinds as string[]).includes(kind));
}
