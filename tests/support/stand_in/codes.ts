import type { Allowed } from "./authorization.ts";
import type { Grant } from "./grants.ts";
import { randomToken } from "./random.ts";
import { Refusal } from "./refusal.ts";

/** Milliseconds that an authorization code lives. */
const LIFETIME_MS = 300_000;

interface Code extends Allowed {
  readonly dies_at: number;
  used: boolean;
  /** What it was exchanged for. */
  grant: Grant | null;
}

/** Every authorization code that a provider has given out. */
export class Codes {
  readonly #codes = new Map<string, Code>();

  constructor(private readonly clock: { now(): number }) {}

  give(allowed: Allowed): string {
    const code = randomToken("code");
    const dies_at = this.clock.now() + LIFETIME_MS;
    this.#codes.set(code, { ...allowed, dies_at, used: false, grant: null });
    return code;
  }

  /**
   * The code, which is spent with this; presented again, it ends what it was exchanged for (RFC 6749 §4.1.2).
   *
   * @throws {Refusal}
   */
  spend(value: string): Code {
    const code = this.#codes.get(value);
    if (code === undefined) throw new Refusal("invalid_code", "the code is unknown");
    if (code.used) {
      if (code.grant) code.grant.over = 0;
      throw new Refusal("invalid_code", "the code is used");
    }
    code.used = true;
    if (this.clock.now() >= code.dies_at) throw new Refusal("invalid_code", "the code has expired");
    return code;
  }
}
