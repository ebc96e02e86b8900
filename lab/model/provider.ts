/** The provider as far as refresh tokens go: what it makes of one that is presented, in four kinds. */

/** A refresh token: which authorization it belongs to, and the how-many-eth of it. */
export interface Token {
  readonly authorization: number;
  readonly serial: number;
}

export const KINDS = ["strict", "grace", "revokes on reuse", "does not rotate"] as const;
export type Kind = typeof KINDS[number];

/** One authorization that a user gave; connecting again gives another. */
export interface Authorization {
  /** Of the refresh token that is current. */
  readonly serial: number;
  /** Whether the one before it is still answered, with the current one. */
  readonly grace: boolean;
  /** `withdrawn` by the user, `revoked` because a spent token was presented. */
  readonly status: "alive" | "withdrawn" | "revoked";
}

export type Authorizations = readonly Authorization[];

export interface Answer {
  readonly authorizations: Authorizations;
  /** Null: `invalid_grant`. */
  readonly token: Token | null;
}

export const NEW_AUTHORIZATION: Authorization = { serial: 1, grace: false, status: "alive" };

/** What the token endpoint does with a refresh token. */
export function present(kind: Kind, authorizations: Authorizations, token: Token): Answer {
  const found = authorizationOf(authorizations, token);
  if (found.status !== "alive") return { authorizations, token: null };
  if (kind === "does not rotate") return { authorizations, token };
  if (token.serial === found.serial) {
    const rotated = { ...found, serial: found.serial + 1, grace: kind === "grace" };
    return {
      authorizations: authorizations.with(token.authorization, rotated),
      token: { ...token, serial: rotated.serial },
    };
  }
  if (found.grace && token.serial === found.serial - 1) {
    return { authorizations, token: { ...token, serial: found.serial } };
  }
  if (kind !== "revokes on reuse") return { authorizations, token: null };
  return {
    authorizations: authorizations.with(token.authorization, { ...found, status: "revoked" }),
    token: null,
  };
}

/** Whether a refresh with this token would succeed now. */
export function accepts(kind: Kind, authorizations: Authorizations, token: Token): boolean {
  return present(kind, authorizations, token).token !== null;
}

export function authorizationOf(authorizations: Authorizations, token: Token): Authorization {
  const found = authorizations[token.authorization];
  if (!found) throw new Error("a token of no authorization");
  return found;
}

export function sameToken(one: Token | null, other: Token | null): boolean {
  return one?.authorization === other?.authorization && one?.serial === other?.serial;
}
