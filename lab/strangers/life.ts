import { AppUser, type Connection, Refused } from "../../local/stack/app_user.ts";
import { callOf, type Stage } from "./stage.ts";
import type { Stranger } from "./stranger.ts";

/** How many call at once. */
export const CALLERS = 50;

/** What one call came to. */
export interface Answer {
  readonly status: number;
  /** Our code; null where the API's answer came through. */
  readonly code: string | null;
  /** Seconds; null where none are named. */
  readonly retry_after: number | null;
  /** The process that served it; null where it did not. */
  readonly process: number | null;
}

interface Begun {
  readonly authorization_url: string;
  readonly binding: string;
}

/** One user's connection to one stranger, as an application and its user live it. */
export class Life {
  /** Calls, and those that the API's answer came to. */
  readonly calls = { made: 0, served: 0 };
  /** The connection's, once there is one. */
  id = "";

  private constructor(
    readonly stage: Stage,
    readonly stranger: Stranger,
    readonly user: AppUser,
  ) {}

  static async begin(stage: Stage, stranger: Stranger): Promise<Life> {
    return new Life(stage, stranger, await new AppUser(stage.stack).signUp("jane"));
  }

  get provider(): string {
    return this.stranger.definition().name;
  }

  /** Begins, allows at the stranger's, comes back with a ticket, completes. */
  async connect(): Promise<Connection> {
    const path = `oauth-callback/${this.provider}`;
    const begun = await this.user.invoke<Begun>(`${path}/authorize`);
    const back = await this.stranger.authorize(begun.authorization_url);
    const answer = await fetch(back, { redirect: "manual" });
    await answer.body?.cancel();
    const landing = new URL(answer.headers.get("location") ?? "about:blank");
    const ticket = new URLSearchParams(landing.hash.slice(1)).get("oauth_ticket");
    if (ticket === null) throw new Error(`landed without a ticket: ${answer.status} ${landing.hash}`);
    const completed = { ticket, binding: begun.binding };
    const { connection } = await this.user.invoke<{ connection: Connection }>(`${path}/complete`, completed);
    this.id = connection.id;
    return connection;
  }

  async disconnect(): Promise<Connection> {
    const path = `oauth-callback/${this.provider}/disconnect`;
    const named = { connection_id: this.id };
    return (await this.user.invoke<{ connection: Connection }>(path, named)).connection;
  }

  async call(path = "/files"): Promise<Answer> {
    this.calls.made += 1;
    const call = { provider: this.provider, connection_id: this.id, path };
    try {
      const { process } = await this.user.invoke<{ process: number }>(callOf(this.provider), call);
      this.calls.served += 1;
      return { status: 200, code: null, retry_after: null, process };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { status, message, headers } = error;
      const seconds = headers.get("retry-after");
      return { status, code: message, retry_after: seconds === null ? null : Number(seconds), process: null };
    }
  }

  herd(): Promise<Answer[]> {
    return Promise.all(Array.from({ length: CALLERS }, () => this.call()));
  }

  /** What the owner reads of it. */
  async status(): Promise<string | undefined> {
    const { data } = await this.user.supabase.from("oauth_connections").select().eq("id", this.id).single();
    return data?.status;
  }

  /** Time passes: the tokens are not young any more, and the pause after a failure is over. */
  async pass(): Promise<void> {
    await this.stage.sql`update oauth.connections
      set refreshed_at = refreshed_at - interval '10 seconds', next_attempt_at = null
      where id = ${this.id}`;
  }

  /** In our books so many seconds of the access token are left, and its refresh is due. */
  async leave(seconds: number): Promise<void> {
    await this.stage.sql`update oauth.connections
      set access_expires_at = now() + make_interval(secs => ${seconds}),
        refresh_after = now() - interval '5 minutes',
        next_attempt_at = null
      where id = ${this.id}`;
  }

  /** Waits for the end of a refresh that nobody waited for, and that failed. */
  async failed(): Promise<void> {
    await until(async () => {
      const [row] = await this.stage.sql`
        select lease_id is null and next_attempt_at is not null as failed
        from oauth.connections where id = ${this.id}`;
      return row?.failed === true;
    });
  }

  /** Waits for the access token's end, in real time. */
  async ended(): Promise<void> {
    await until(async () => {
      const [row] = await this.stage.sql`
        select access_expires_at < now() as ended from oauth.connections where id = ${this.id}`;
      return row?.ended === true;
    });
  }
}

/** How many answers there are of each kind: our code, or the status. */
export function tally(answers: readonly Answer[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { status, code } of answers) {
    const kind = code ?? String(status);
    found[kind] = (found[kind] ?? 0) + 1;
  }
  return found;
}

const LOOK_EVERY_MS = 50;
/** Longer than anything takes that is waited for. */
const MOST_LOOKS = 400;

/** Asks again until it holds. Throws where it never does. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let looks = 0; looks < MOST_LOOKS; looks += 1) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  throw new Error("what was waited for did not come");
}
