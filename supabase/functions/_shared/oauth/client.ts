import type { Provider } from "./provider.ts";
import type { Answers, Values } from "./values.ts";

/** Our registration at a provider (RFC 6749 §2). */
export interface Client {
  readonly provider: Provider;
  readonly client_id: string;
  /** Empty where the client is public (RFC 6749 §2.1); of `private_key_jwt` a private JWK. */
  readonly client_secret: string;
  /** Sent, stored and configured are one and the same string (RFC 9700 §2.1). */
  readonly redirect_uri: string;
  /** The provider's own and the application's. */
  readonly scopes: readonly string[];
  /** Of the deployment; at a connection its own come first. */
  readonly values: Values;
  /** Hosts that the operator allows beside the definition's. */
  readonly hosts: readonly string[];
  /** A sandbox's, which takes the place of the origin of every endpoint. */
  readonly oauth_origin?: string;
  /** A sandbox's, allowed beside the provider's own; the first takes the place of a base that is fixed. */
  readonly api_origins: readonly string[];
}

/** What one token response gives us to keep (RFC 6749 §5.1). */
export interface TokenSet {
  readonly access_token: string;
  /** Seconds; null: it lives until the API refuses it. */
  readonly expires_in: number | null;
  /** Absent on a refresh: the old one stays (RFC 6749 §6). */
  readonly refresh_token?: string;
  /** Seconds; null where nothing is said and nothing is known. */
  readonly refresh_token_expires_in: number | null;
  /** Absent: as before (RFC 6749 §5.1, §6). */
  readonly scope?: readonly string[];
  /** What `token:` and `id_token:` sources read. */
  readonly answers: Answers;
}

/** What a call to the API needs: the token, and the values that say where it is sent. */
export interface AccessToken {
  readonly access_token: string;
  readonly values: Values;
}

/** What a refresh or a revocation needs: all that was given. */
export interface Grant extends AccessToken {
  /** Absent where the provider gives none. */
  readonly refresh_token?: string;
}

/** How a message goes out. The signal ends it; nothing here ever retries. */
export interface Transport {
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}
