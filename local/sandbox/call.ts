import type { World } from "./world.ts";
import type { JournalEntry } from "./types.ts";

/** One request on its way through the sandbox. */
export interface Call {
  readonly world: World;
  readonly request: Request;
  readonly url: URL;
  /** The body, if it is a form; null if there is none or it is something else. */
  readonly form: URLSearchParams | null;
  readonly entry: JournalEntry;
}

/** Notes why a request was refused and passes the answer on. */
export function refuse(call: Call, outcome: string, response: Response): Response {
  call.entry.outcome = outcome;
  return response;
}
