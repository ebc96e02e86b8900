import type { RefusalKind } from "./types.ts";

/** Ends a token or revocation request; its message says what is wrong, in words for the journal. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  /** @param signal which of the provider's signals of a grant that is over, where the kind is that */
  constructor(readonly kind: RefusalKind | "over", what: string, readonly signal = 0) {
    super(what);
  }
}
