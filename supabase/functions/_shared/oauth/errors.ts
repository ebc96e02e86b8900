/** The provider answered with an OAuth error (RFC 6749 §5.2). `error` is the protocol's word, never the provider's prose. */
export class OAuthError extends Error {
  override readonly name = "OAuthError";
  constructor(readonly error: string, readonly status: number) {
    super(`the provider answered ${JSON.stringify(error)}`);
  }
}

/** The provider answered, and the answer is neither what was asked for nor an OAuth error. */
export class UnexpectedResponse extends Error {
  override readonly name = "UnexpectedResponse";
  constructor(readonly reason: string, readonly status: number, readonly is_json: boolean = false) {
    super(`the provider's answer is unusable: ${reason}`);
  }
}

/**
 * No usable answer came. `sent` says whether the provider may have acted on the request: `false` only where it is
 * certain that it did not.
 */
export class ProviderUnreachable extends Error {
  override readonly name = "ProviderUnreachable";
  constructor(
    readonly reason: string,
    readonly sent: boolean,
    readonly status?: number,
    /** Milliseconds the provider asked us to wait. */
    readonly retry_after_ms?: number,
  ) {
    super(`the provider cannot be reached: ${reason}`);
  }
}

/** A value that the endpoint's address needs is missing or not allowed: nothing was sent. */
export class EndpointUnusable extends Error {
  override readonly name = "EndpointUnusable";
  constructor() {
    super("the endpoint's address cannot be made of this connection's values");
  }
}
