/** What a provider answers with; a body of null is none. */
export interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer to a request too many. */
export interface Limit {
  readonly status: number;
  readonly body: unknown;
  /** @param now epoch milliseconds, as its `Date` tells them */
  readonly headers: (now: number) => Readonly<Record<string, string>>;
  /** Seconds that the headers ask for; null: nothing in them says until when. */
  readonly wait: number | null;
}

/** What the user was asked to allow. */
export interface Asked {
  readonly parameters: URLSearchParams;
  /** Of whichever parameter holds scopes here. */
  readonly scope: readonly string[];
  /** The same user has allowed it before. */
  readonly again: boolean;
}

export interface AuthorizationFacts {
  /** Origin and path, of the values given. */
  readonly endpoint: string;
  /** Where the same dialog is too. */
  readonly also: readonly string[];
  /** Parameters that it does not do without, and the one value that each may have; null: any. */
  readonly required: Readonly<Record<string, string | null>>;
  readonly redirect_uri: "required" | "optional";
  /** `verified`: taken, and once it has come the exchange is held to it. */
  readonly code_challenge: "refused" | "verified" | "required";
  /** Parameters that hold scopes, of which a request has one. */
  readonly scope_parameters: readonly string[];
  /** Either may stand between scopes, not both; none: a request with scopes is refused. */
  readonly scope_separators: readonly (" " | ",")[];
  readonly scope_required: boolean;
  /** Whether what was asked brings a refresh token. */
  readonly offline: (asked: Asked) => boolean;
  /** What the redirect brings beside `code` and `state`. */
  readonly redirect: Readonly<Record<string, string>>;
}

export type ClientAuthentication = "body" | "basic_raw" | "basic_urlencoded";

/** What was issued; whether it is told, and where in the answer, is the provider's. */
export interface Issued {
  readonly grant_type: "authorization_code" | "refresh_token";
  readonly asked: Asked;
  readonly scope: readonly string[];
  readonly access_token: string;
  readonly refresh_token?: string;
  /** Whole seconds; absent: no end is known. */
  readonly expires_in?: number;
  readonly refresh_token_expires_in?: number;
  /** Epoch milliseconds. */
  readonly issued_at: number;
}

/** What may be wrong with a token request that is not about the refresh token. */
export type RefusalKind =
  | "invalid_request"
  | "invalid_client"
  | "invalid_code"
  | "invalid_scope"
  | "unsupported_grant_type"
  | "too_many";

export interface TokenFacts {
  /** Addresses of both grants, some until a time in epoch milliseconds. */
  readonly endpoints: readonly { readonly url: string; readonly until?: number }[];
  /** Of the same provider, where nothing is known of this user. */
  readonly strangers: readonly string[];
  /** Any one of them. */
  readonly client_authentication: readonly ClientAuthentication[];
  readonly format: "form" | "json";
  readonly answer: (issued: Issued) => object;
  /** Only who accepts JSON is answered in JSON. */
  readonly form_unless_json_accepted: boolean;
  readonly refused: Readonly<Record<RefusalKind, Answer>>;
  /** Signals that the grant is over, the usual one first. */
  readonly over: readonly Answer[];
}

/** Seconds; Infinity where no end is known. */
export interface Lifetimes {
  readonly access: number;
  /** Of disuse, or of one token where each refresh brings another. */
  readonly refresh: number;
}

export interface LifeFacts {
  /** @param nth counts what was issued so far */
  readonly lifetimes: (request: URLSearchParams, nth: number) => Lifetimes;
  /** `renewed`: another each time, and the earlier one lives on. */
  readonly rotation: "single_use" | "reusable" | "renewed";
  /** Seconds from the consent after which every refresh token is over. */
  readonly refresh_end: number;
  /** Seconds in which a rotating refresh token stays the same. */
  readonly renews_after: number;
  /** Seconds in which a spent refresh token still works, until its successor has been used. */
  readonly reuse_grace: number;
  readonly refresh_ends_access: boolean;
  /** A parameter of token requests without which no refresh token comes. */
  readonly refresh_token_needs?: string;
  /** Of one user; one more, and the oldest is over. */
  readonly most_grants: number;
  /** Access tokens in ten minutes. */
  readonly most_in_ten_minutes: number;
}

/** What presenting a token of this kind ends; absent: such a token is unknown there. */
export interface Ends {
  readonly access?: "token" | "grant";
  readonly refresh?: "token" | "grant";
}

export interface RevocationFacts {
  readonly url: string;
  readonly method: "POST" | "DELETE";
  /** `bearer`: the access token itself; else who the client is. */
  readonly auth: "bearer" | readonly ClientAuthentication[];
  readonly formats: readonly ("form" | "json" | "query")[];
  /** The parameter with the token. */
  readonly parameter: string;
  readonly ends: Ends;
  readonly success: Answer;
  /** The answer about a token that is not alive. */
  readonly unknown: Answer;
}

/** What says whom an access token speaks for. */
export interface AccountFacts {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Without these it is refused. */
  readonly scope?: readonly string[];
  /** The token is a parameter beside the client's credentials (RFC 7662 §2.1). */
  readonly introspects?: true;
  readonly answer: (scope: readonly string[]) => unknown;
}

export interface RequiredHeader {
  readonly name: string;
  readonly matches: RegExp;
  readonly otherwise: Answer;
}

export interface ApiFacts {
  /** Everything below it is the API's. */
  readonly base: string;
  /** One resource below the base; whatever else there ends with its last segment is served too. */
  readonly thing: string;
  /** What stands before the token. */
  readonly scheme: string;
  /** Of resources; what says whom a token speaks for does without. */
  readonly headers: readonly RequiredHeader[];
  /** What every success holds. */
  readonly envelope: Readonly<Record<string, unknown>>;
  readonly accounts: readonly AccountFacts[];
  readonly insufficient_scope: Answer;
  /** Signals that the access token is dead, the usual one first. */
  readonly dead: readonly Answer[];
  /** Signals of the rate limit, the usual one first. */
  readonly limits: readonly Limit[];
}

/** One provider, as the fact sheet has it. */
export interface Facts {
  readonly name: string;
  /** What a user or the deployment must give, by the fact sheet's names. */
  readonly values: Readonly<Record<string, string>>;
  readonly authorization: AuthorizationFacts;
  readonly token: TokenFacts;
  readonly life: LifeFacts;
  readonly revocations: readonly RevocationFacts[];
  readonly api: ApiFacts;
}
