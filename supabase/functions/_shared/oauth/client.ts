/**
 * A provider as data: an authorization server and the API behind it.
 *
 * Fields take the names of authorization server metadata (RFC 8414 §2) where one exists.
 *
 * @example
 * ```ts
 * export const acme: Provider = {
 *   name: "acme",
 *   authorization_endpoint: "https://id.acme.example/authorize",
 *   token_endpoint: "https://id.acme.example/token",
 *   token_endpoint_auth_method: "client_secret_basic",
 *   code_challenge_methods_supported: ["S256"],
 *   scopes: ["contacts:read", "offline_access"],
 *   scope_separator: " ",
 *   default_expires_in: 3600,
 *   reuse_grace_ms: 0,
 *   revokes_on_reuse: true,
 *   keep_alive_ms: 30 * 24 * 60 * 60 * 1000,
 *   api: { default_origin: "https://api.acme.example", origins: /^https:\/\/api\.acme\.example$/ },
 *   account: { path: "/me", key: ["id"], name: "name", email: "email" },
 * };
 * ```
 */
export interface Provider {
  /** The path segment, the stored name, and in capitals the prefix of its settings. */
  readonly name: string;
  /** RFC 9207: compared with `iss` of an authorization response, where the provider sends one. */
  readonly issuer?: string;
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly authorization_endpoint: string;
  readonly token_endpoint: string;
  /** RFC 7009. Absent: the provider offers no revocation. */
  readonly revocation_endpoint?: string;
  readonly token_endpoint_auth_method: "client_secret_basic" | "client_secret_post" | "none";
  /**
   * True where HTTP Basic carries id and secret as they are. RFC 6749 §2.3.1 has both form-urlencoded first, which
   * changes every `-`, `_` and `.`; servers that decode nothing then see another secret.
   */
  readonly basic_credentials_as_they_are?: boolean;
  /** Empty: the provider documents no PKCE and none is sent (RFC 7636). */
  readonly code_challenge_methods_supported: readonly "S256"[];
  /** True where the provider documents no `response_type`, so none is sent. */
  readonly response_type_omitted?: boolean;
  /** The least that works. Empty: the parameter is left out, the scopes belong to the client. */
  readonly scopes: readonly string[];
  readonly scope_separator: " " | ",";
  readonly authorization_parameters?: Readonly<Record<string, string>>;
  readonly token_parameters?: Readonly<Record<string, string>>;
  readonly refresh_parameters?: Readonly<Record<string, string>>;
  /** Error codes of the token endpoint that mean what `invalid_grant` means (RFC 6749 §5.2). */
  readonly invalid_grant_synonyms?: readonly string[];
  /** Seconds, where a token response does not say. */
  readonly default_expires_in: number;
  /** Milliseconds in which a rotated refresh token still works. */
  readonly reuse_grace_ms: number;
  /** Presenting a spent refresh token ends the whole authorization (RFC 9700 §4.14.2). */
  readonly revokes_on_reuse: boolean;
  /** Milliseconds without a refresh after which the sweep makes one, so that the refresh token does not die of disuse. */
  readonly keep_alive_ms: number;
  readonly api: {
    /** The member of a token response that names the API's origin; absent: always `default_origin`. */
    readonly origin_member?: string;
    /** Where a first token response does not name it. */
    readonly default_origin?: string;
    /** The only origins a bearer token is ever sent to, beside those that the settings add for a sandbox. Anchored. */
    readonly origins: RegExp;
  };
  /** Where to learn whom the tokens speak for. Members are dotted paths into the answer. */
  readonly account: {
    readonly path: string;
    /** Joined with `:` they make the account key. */
    readonly key: readonly string[];
    readonly name: string;
    readonly email: string;
  };
}

/** Our registration at a provider (RFC 6749 §2). */
export interface Client {
  readonly provider: Provider;
  readonly client_id: string;
  readonly client_secret: string;
  /** Sent, stored and configured are one and the same string (RFC 9700 §2.1). */
  readonly redirect_uri: string;
  /** API origins allowed beside the provider's own: a sandbox's. */
  readonly api_origins: readonly string[];
}

/** What one token response gives us to keep (RFC 6749 §5.1). */
export interface TokenSet {
  readonly access_token: string;
  /** Seconds. */
  readonly expires_in: number;
  /** Absent on a refresh: the old one stays (RFC 6749 §6). */
  readonly refresh_token?: string;
  /** Absent: as before (RFC 6749 §5.1, §6). */
  readonly scope?: readonly string[];
  /** As `readOrigin` has it; whether a token may be sent there is judged at every use. Absent: the stored one stays. */
  readonly api_origin?: string;
}

/** What a call to the API needs: the token, and the only place where it is sent. */
export interface AccessToken {
  readonly access_token: string;
  readonly api_origin: string;
}

/** How a message goes out. The signal ends it; nothing here ever retries. */
export interface Transport {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}
