/** What a refresh token is, seen from outside: whose, and under which version it is or would be stored. */
export interface KnownToken {
  readonly connection: string;
  readonly version: number;
  /** The origin of the provider that issued it. */
  readonly provider: string;
}

/** Every refresh token that a provider has issued. Held in memory only; the journal knows versions, not tokens. */
export class Grants {
  readonly #tokens = new Map<string, KnownToken>();
  readonly #newest = new Map<string, { token: string; version: number }>();

  learn(token: string, known: KnownToken): void {
    this.#tokens.set(token, known);
    const { connection, version } = known;
    if (version >= this.newest(connection)) this.#newest.set(connection, { token, version });
  }

  find(token: string): KnownToken | undefined {
    return this.#tokens.get(token);
  }

  /** The version of the newest token that was issued for this connection. */
  newest(connection: string): number {
    return this.#newest.get(connection)?.version ?? 0;
  }

  /** The newest token itself. */
  current(connection: string): { readonly token: string; readonly version: number } | undefined {
    return this.#newest.get(connection);
  }
}
