/** Text with `{name}` placeholders: a value of the connection, or what the request has of its own. */
export type Template = string;

/** Where a fact is read, and the dotted path to it: `token:team.id`, `id_token:tid`, `redirect:realmId`, `account:0.id`, `value:subdomain`. */
export type Source = `${"token" | "id_token" | "redirect" | "account" | "value"}:${string}`;

/** By name: beside the standard parameters, or in the place of one; null leaves it out. */
export type Parameters = Readonly<Record<string, Template | null>>;

/** What an answer is told by: its status, and where that is not enough a header, or what stands at a path of its JSON. */
export type Signal = number | HeaderSignal | BodySignal;
export interface HeaderSignal {
  readonly status: number;
  readonly header: string;
  /** Absent: that it is there is enough. */
  readonly is?: readonly string[];
}
export interface BodySignal {
  readonly status: number;
  readonly path: string;
  readonly is: readonly (string | number | boolean)[];
}

/** What a connection, or the deployment, is made of beside its tokens. */
export interface Value {
  /** `label`: one DNS label; `host`; `origin`; `segment`: one of a path; `text`: encoded wherever it goes. */
  readonly kind: "label" | "host" | "origin" | "segment" | "text";
  /** `user`: given to `authorize`; `deployment`: the variable `<NAME>_<VALUE>`. */
  readonly from: "user" | "deployment" | Source;
  /** Of a host or an origin: the provider's domains, one label below which it must be. */
  readonly under?: readonly string[];
  readonly one_of?: readonly string[];
  /** Without one the value must be there. */
  readonly default?: string;
  /** What a page asks its user for. */
  readonly label?: string;
}

/** How one request to the API goes out. */
export interface Request {
  /** Below the base, if it begins with a slash. */
  readonly url: Template;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, Template>>;
  readonly body?: Readonly<Record<string, Template>>;
  /** Of the body; default `json`. */
  readonly format?: "json" | "form";
}

/** A revocation that is not RFC 7009's. */
export interface Revocation {
  readonly url: Template;
  readonly method: "POST" | "DELETE" | "GET";
  /** `client`: as at the token endpoint; `basic`: with id and secret as HTTP Basic; `bearer`: with the access token. */
  readonly auth: "client" | "basic" | "bearer";
  readonly format: "form" | "json" | "none";
  /** Parameters; absent where the address says it all. */
  readonly parameters: Readonly<Record<string, Template>>;
}

/** How an API says until when to wait. */
export type Reset = "delta" | "epoch_seconds" | "epoch_milliseconds" | "date";

/**
 * A provider as data: an authorization server and the API behind it. It says what differs from the defaults, which are
 * the RFCs' own where they have one.
 *
 * Fields take the names of authorization server metadata (RFC 8414 §2) and of client metadata (RFC 7591 §2) where one
 * exists.
 *
 * @example
 * ```ts
 * export const acme = define({
 *   name: "acme",
 *   documentation: "https://acme.example/docs/oauth",
 *   authorization_endpoint: "https://id.acme.example/authorize",
 *   token_endpoint: "https://id.acme.example/token",
 *   scopes: ["offline_access"],
 *   account: { request: "/me", key: ["account:id"], email: "account:email" },
 *   api: { base: "https://api.acme.example" },
 * });
 * ```
 */
export interface Definition {
  /** The path segment, the stored name, and in capitals the prefix of its settings. */
  readonly name: string;
  /** The provider's page. */
  readonly documentation: string;
  /** RFC 9207: compared with `iss` of an authorization response; of an ID token too, where it is a source. */
  readonly issuer?: Template;
  readonly authorization_response_iss_parameter_supported?: boolean;
  readonly authorization_endpoint: Template;
  readonly token_endpoint: Template;
  /** Default: `token_endpoint`. */
  readonly refresh_endpoint?: Template;
  /** As text an endpoint of RFC 7009. Absent: the provider offers no revocation. */
  readonly revocation_endpoint?:
    | Template
    | (Pick<Revocation, "url"> & Partial<Omit<Revocation, "url">>);
  /** Default: `["S256"]`. Empty where a challenge is refused, or nothing is known of it (RFC 7636). */
  readonly code_challenge_methods_supported?: readonly "S256"[];
  /** Default: `client_secret_basic`. The secret of `private_key_jwt` is a private JWK. */
  readonly token_endpoint_auth_method?:
    | "client_secret_basic"
    | "client_secret_post"
    | "private_key_jwt"
    | "none";
  /** Default: `urlencoded` (RFC 6749 §2.3.1), which changes every `-`, `_` and `.`; servers that decode nothing take them `raw`. */
  readonly basic_credentials?: "urlencoded" | "raw" | "secret_as_user";
  /** What connecting itself needs; the application's own come from `<NAME>_SCOPES`. */
  readonly scopes?: readonly string[];
  /** Default: a blank. */
  readonly scope_separator?: string;
  readonly authorization_parameters?: Parameters;
  readonly token_parameters?: Parameters;
  readonly refresh_parameters?: Parameters;
  /** Other names in the authorization response. */
  readonly redirect_parameters?: { readonly code?: string; readonly state?: string };
  /** Default: `form`. */
  readonly token_request_format?: "form" | "json" | "query";
  readonly token_request_headers?: Readonly<Record<string, Template>>;
  /** Paths in a token response (RFC 6749 §5.1); of a list the first that is there, and of an empty one none. */
  readonly token_response?: { readonly [Field in TokenField]?: string | readonly string[] };
  /** Default: `seconds`. */
  readonly expires_in_is?:
    | "seconds"
    | "milliseconds"
    | "minutes"
    | "epoch_seconds"
    | "epoch_milliseconds"
    | "date";
  /** Seconds, where a token response does not say; default 3600. `never`: until the API refuses it. */
  readonly default_expires_in?: number | "never";
  /** Seconds before its end from which on a token may be refreshed; default: a share of its life, at most five minutes. */
  readonly refresh_ahead?: number;
  /** Default: `single_use`. `none`: there is no refresh token; what the API and then the account request refuse is over. */
  readonly rotation?: "single_use" | "reusable" | "none";
  /** Whether a setting of the client decides if one comes: a connection without lives as with `none`. Default false. */
  readonly refresh_token_optional?: boolean;
  /** Seconds in which a spent refresh token still works; default 0. */
  readonly reuse_grace?: number;
  /** Whether presenting a spent refresh token ends the whole authorization (RFC 9700 §4.14.2); default true. */
  readonly revokes_on_reuse?: boolean;
  /** Seconds without a refresh after which the refresh token dies; at half of it the sweep makes one. */
  readonly refresh_token_idle_lifetime?: number;
  /** Error codes of the token endpoint that mean what `invalid_grant` means (RFC 6749 §5.2). */
  readonly invalid_grant_synonyms?: readonly string[];
  readonly values?: Readonly<Record<string, Value>>;
  /** Whom the tokens speak for. */
  readonly account: {
    /** As text a GET. Absent where the sources suffice. */
    readonly request?: Template | Request;
    /** Joined with `:` they make the account key. */
    readonly key: readonly Source[];
    readonly name?: Source;
    readonly email?: Source;
  };
  readonly api: {
    /** Origin, and where it has one the path that all have in common. */
    readonly base: Template;
    /** Further ones by name. */
    readonly bases?: Readonly<Record<string, Template>>;
    /** Default: `authorization: Bearer {access_token}` (RFC 6750 §2.1). */
    readonly headers?: Readonly<Record<string, Template>>;
    readonly query?: Readonly<Record<string, Template>>;
    /** Default: 401. */
    readonly token_refused?: readonly Signal[];
    /** A success that is none, by what stands at a path. */
    readonly failed?: readonly Signal[];
    readonly rate_limit?: {
      /** Default: 429. */
      readonly signals?: readonly Signal[];
      /** Headers beside `Retry-After` that say until when to wait. */
      readonly reset?: Readonly<Record<string, Reset>>;
      /** Seconds of the longest wait that a reset can mean; default an hour. */
      readonly longest_reset?: number;
      /** A header that says 0 once no request is left for long, and after how many seconds to look again. */
      readonly spent?: { readonly header: string; readonly retry_after: number };
      /** Further headers that a caller is told. */
      readonly headers?: readonly string[];
    };
    /** Paths whose GET changes something, as lines of policy write them. */
    readonly changing_gets?: readonly string[];
    /** Headers that a caller may choose. */
    readonly caller_headers?: readonly string[];
  };
  /** A DELETE with Basic on the redirect URI says that an account has ended its authorization: paths in its body. */
  readonly uninstall_notice?: { readonly key: readonly string[]; readonly occurred_at: string };
  /** The last resort: one function over the JSON of a token response. */
  readonly transform?: {
    readonly because: string;
    token_response(body: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>>;
  };
}

export type TokenField =
  | "access_token"
  | "refresh_token"
  | "expires_in"
  | "scope"
  | "refresh_token_expires_in"
  | "token_type"
  | "error";

/** A definition that was checked, every default in its place. Made by `define`. */
export type Provider =
  & Readonly<
    Required<
      Omit<
        Definition,
        | "issuer"
        | "revocation_endpoint"
        | "token_response"
        | "refresh_ahead"
        | "refresh_token_idle_lifetime"
        | "redirect_parameters"
        | "account"
        | "api"
        | "uninstall_notice"
        | "transform"
      >
    >
  >
  & Pick<
    Definition,
    "issuer" | "refresh_ahead" | "refresh_token_idle_lifetime" | "uninstall_notice" | "transform"
  >
  & {
    readonly revocation?: Revocation;
    readonly token_response: { readonly [Field in TokenField]: readonly string[] };
    readonly redirect_parameters: { readonly code: string; readonly state: string };
    readonly account: Omit<Definition["account"], "request"> & { readonly request?: Request };
    readonly api:
      & Required<Omit<Definition["api"], "rate_limit">>
      & {
        readonly rate_limit:
          & Required<Omit<NonNullable<Definition["api"]["rate_limit"]>, "spent">>
          & Pick<NonNullable<Definition["api"]["rate_limit"]>, "spent">;
      };
  };
