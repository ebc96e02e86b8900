import type { Edge } from "../_shared/http/serve.ts";
import type { Context } from "../_shared/context.ts";
import type { Wiring } from "../_shared/wiring.ts";

/** One request to one provider's part of this function. */
export interface Call {
  readonly edge: Edge;
  readonly wiring: Wiring;
  readonly provider_name: string;
  /** @throws {PublicError} `UNKNOWN_PROVIDER`, `CONFIGURATION_INVALID` */
  readonly context: () => Context;
}

export type Handler = (call: Call) => Promise<Response>;
