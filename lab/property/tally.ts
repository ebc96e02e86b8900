import type { Call } from "./history.ts";
import type { Ran } from "./run.ts";

/** What the runs were made for, and how often they met it: a promise that was never tried was not kept. */
export class Tally {
  runs = 0;
  readonly met: Record<string, number> = {
    "refreshes": 0,
    "takeovers": 0,
    "commits after the lease had gone on": 0,
    "commits repeated": 0,
    "successes superseded": 0,
    "commits after a disconnect": 0,
    "refusals while an earlier attempt was unsettled": 0,
    "answers lost": 0,
    "crashes": 0,
    "operator's faults": 0,
    "grants refused": 0,
    "rotations lost": 0,
    "recovered": 0,
  };

  add({ history, events }: Ran): void {
    this.runs += 1;
    for (const effect of history.effects) {
      if (effect.kind === "crash") this.#count("crashes");
      if (effect.kind === "token request" && effect.issued) {
        this.#count("refreshes");
        if (!effect.delivered) this.#count("answers lost");
      }
      if (effect.kind === "call") this.#call(effect);
    }
    for (const { kind } of events) if (kind === "recovered") this.#count("recovered");
  }

  toString(): string {
    return `${this.runs} runs: ${Object.entries(this.met).map(([what, n]) => `${n} ${what}`).join(", ")}`;
  }

  #call({ rows, args, before, after }: Call): void {
    for (const { outcome } of rows) {
      if (outcome === "claimed" && before?.lease_id) this.#count("takeovers");
      if (outcome === "committed" && before?.lease_id !== args.p_lease_id) {
        this.#count("commits after the lease had gone on");
      }
      if (outcome === "already_committed") this.#count("commits repeated");
      if (outcome === "superseded" && args.p_base_version !== undefined) this.#count("successes superseded");
      if (outcome === "disconnected" && args.p_base_version !== undefined) {
        this.#count("commits after a disconnect");
      }
      if (outcome === "retry" && args.p_class === "permanent") {
        this.#count("refusals while an earlier attempt was unsettled");
      }
      if (outcome === "retry" && String(args.p_code).startsWith("config_")) this.#count("operator's faults");
      if (outcome !== "reauthorization_required" || args.p_class === undefined) continue;
      this.#count(after?.failure_code === "grant_refused" ? "grants refused" : "rotations lost");
    }
  }

  #count(what: string): void {
    this.met[what] = (this.met[what] ?? 0) + 1;
  }
}
