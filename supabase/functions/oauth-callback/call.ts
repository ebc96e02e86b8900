import type { Edge } from "../_shared/http/serve.ts";
import type { Parts } from "../_shared/tokens/parts.ts";
import type { Wiring } from "../_shared/wiring.ts";

/** One request to one provider's part of this function. */
export interface Call {
  readonly edge: Edge;
  readonly wiring: Wiring;
  readonly parts: Parts;
}

export type Handler = (call: Call) => Promise<Response>;
