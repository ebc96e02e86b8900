/** What becomes of a refresh token once it was used. */
export type Kind = "strict" | "grace" | "revoking" | "stable";

/** Milliseconds in which the provider with a grace window still takes the token before the current one. */
export const GRACE_MS = 60_000;

/** What the user allowed once: a line of refresh tokens of which one is current. */
interface Grant {
  readonly id: number;
  alive: boolean;
  current: string;
  previous: { readonly token: string; readonly until: number } | null;
  issued: number;
}

export interface Issued {
  readonly access_token: string;
  readonly refresh_token: string;
}

/** The provider's own view, which no fault on the way to us can blur. */
export class Authority {
  readonly #grants: Grant[] = [];

  constructor(readonly kind: Kind, private readonly now: () => number) {}

  /** A user allows us: a new grant beside those there are. */
  grant(): Issued {
    const id = this.#grants.length + 1;
    const grant = { id, alive: true, current: `refresh-${id}-0`, previous: null, issued: 0 };
    this.#grants.push(grant);
    return { refresh_token: grant.current, access_token: `access-${id}-0` };
  }

  /** Null: refused. */
  refresh(token: string): Issued | null {
    const grant = this.#find(token);
    if (!grant?.alive) return null;
    if (token === grant.current) return this.#issue(grant);
    const { previous } = grant;
    if (this.kind === "grace" && previous?.token === token && previous.until >= this.now()) {
      return { refresh_token: grant.current, access_token: this.#access(grant) };
    }
    if (this.kind === "revoking") grant.alive = false;
    return null;
  }

  /** RFC 7009: ends the grant of a token that works; one that is spent or unknown changes nothing. */
  revoke(token: string): void {
    const grant = this.#find(token);
    if (grant?.current === token) grant.alive = false;
  }

  /** The user ends at the provider whatever was allowed so far. */
  withdraw(): void {
    for (const grant of this.#grants) grant.alive = false;
  }

  /** Whether a refresh with this token would succeed, now and later. */
  accepts(token: string): boolean {
    const grant = this.grantOf(token);
    return grant !== undefined && grant.alive && grant.current === token;
  }

  /** The grant that the user made last. */
  get newest(): Readonly<Grant> {
    const grant = this.#grants.at(-1);
    if (!grant) throw new Error("nothing was granted");
    return grant;
  }

  grantOf(token: string): Readonly<Grant> | undefined {
    return this.#find(token);
  }

  #find(token: string): Grant | undefined {
    return this.#grants.find(({ id }) => token.startsWith(`refresh-${id}-`));
  }

  #issue(grant: Grant): Issued {
    const access_token = this.#access(grant);
    if (this.kind !== "stable") {
      grant.previous = { token: grant.current, until: this.now() + GRACE_MS };
      grant.current = `refresh-${grant.id}-${grant.issued}`;
    }
    return { access_token, refresh_token: grant.current };
  }

  #access(grant: Grant): string {
    grant.issued += 1;
    return `access-${grant.id}-${grant.issued}`;
  }
}
