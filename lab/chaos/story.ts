import { judge, type Violation } from "./checker.ts";
import type { Entry, Happening, Judgement, Seat } from "./field/journal.ts";
import type { Answer } from "./field/site.ts";
import type { DatabaseEvent, End, History } from "./history.ts";

export const C = "a0000000-0000-8000-8000-000000000001";
export const ONE: Seat = { fleet: "f", name: "search-persons", place: 0, generation: 1 };
export const TWO: Seat = { ...ONE, place: 1 };
export const REQUEST_MS = 20_000;
export const LEASE_MS = 30_000;

/** A made-up history of one connection, told entry by entry; time passes only where it is said to. */
export class Story {
  readonly #entries: Entry[] = [];
  readonly #events: DatabaseEvent[] = [];
  readonly #answers: Answer[] = [];
  #end: End = { connection: C, status: "active", version: 1, stored: 1, newest: 1 };
  #now = 0;

  static connected(): Story {
    return new Story().see({ what: "connected", connection: C, version: 1 }).event("connected", 1);
  }

  see(happening: Happening): this {
    this.#entries.push({ ...happening, seq: this.#entries.length + 1, at: this.#now });
    return this;
  }

  event(kind: string, version: number, code: string | null = null): this {
    this.#events.push({ id: this.#events.length + 1, connection: C, kind, version, code });
    return this;
  }

  pass(ms: number): this {
    this.#now += ms;
    return this;
  }

  claim(version: number, lease: string, seat = ONE, takeover = false): this {
    const lent = { sent_at: this.#now, request_ms: REQUEST_MS, lease_ms: LEASE_MS, lease, takeover };
    return this.see({ what: "claimed", connection: C, version, ...lent, seat });
  }

  /** Presents a version; what the provider says, and how that leaves. */
  spend(
    version: number,
    how: Judgement,
    delivery: "whole" | "broken" = "whole",
    seat = ONE,
    took = 0,
  ): this {
    const request = this.#entries.length + 1;
    return this.see({ what: "presented", connection: C, version, seat })
      .see({ what: "judged", connection: C, version, request, how, seat })
      .pass(took)
      .see({ what: "delivered", connection: C, version, request, how: delivery, seat });
  }

  commit(base: number, lease: string, seat = ONE): this {
    return this.see({ what: "commit_arrived", connection: C, base, lease, seat })
      .see({ what: "committed", connection: C, base, lease, outcome: "committed", seat })
      .event("refreshed", base + 1);
  }

  fail(lease: string, seat = ONE): this {
    const why = { class: "transient", code: "unavailable" };
    return this.see({ what: "fail_arrived", connection: C, lease, ...why, seat })
      .see({ what: "failed", connection: C, lease, outcome: "retry", seat });
  }

  answered(answer: Partial<Answer>): this {
    const whole = { connection: C, started_at: 0, ended_at: 100, status: 200, code: null, by: null };
    this.#answers.push({ ...whole, hung_up: false, ...answer });
    return this;
  }

  ends(end: Partial<End>): Violation["kind"][] {
    return this.violations(end).map(({ kind }) => kind);
  }

  violations(end: Partial<End>): Violation[] {
    this.#end = { ...this.#end, ...end };
    const history: History = {
      entries: this.#entries,
      events: this.#events,
      answers: this.#answers,
      ends: [this.#end],
    };
    return judge(history);
  }
}
