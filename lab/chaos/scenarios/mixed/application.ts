import type { Connected } from "../../field/connections.ts";
import type { Answer, Site } from "../../field/site.ts";
import { type Bench, CALL_MS, LEASE_MS, pause, SETTLE_MS } from "../kit.ts";

/** Calls a second. */
const RATE = 20;
/**
 * How long it goes on where it is told to come back: what was lost unseen can be told for certain only after the lease
 * and the settle time, and may be told to a call that has just begun to wait then. A second attempt may be lost on the same connection, too.
 */
export const INSIST_MS = 2 * LEASE_MS + SETTLE_MS + CALL_MS;

/** A request as the application's user sees it: begun once, over when there is an answer worth showing. */
export interface Request {
  readonly began: number;
  readonly answer: Answer;
}

export interface Application {
  readonly connections: readonly Connected[];
  /** Calls until then, and follows each request to its end. */
  use(until: number): Promise<Request[]>;
  /** The user disconnects, and connects again. */
  changeMind(connection: Connected): Promise<void>;
}

/** An application with its users: they search, leave, come back, and connect again when they are asked to. */
export function application(bench: Bench, site: Site, connections: readonly Connected[]): Application {
  const { field, draw } = bench;
  const requests: Request[] = [];
  const connecting = new Set<string>();

  /** One at a time: a user has one browser. */
  const connect = async (connection: Connected, first: () => Promise<unknown>) => {
    if (connecting.has(connection.id)) return;
    connecting.add(connection.id);
    const provider = connection.provider === field.strict.origin ? field.strict : field.lenient;
    try {
      await first();
      await persistently(async () =>
        await field.connections.connect(connection, await provider.control.grant())
      );
    } finally {
      connecting.delete(connection.id);
    }
  };

  const request = async (connection: Connected) => {
    const began = performance.now();
    const answer = await site.insist(connection, began + INSIST_MS, 300);
    requests.push({ began, answer });
    if (answer.code === "REAUTHORIZATION_REQUIRED") await connect(connection, () => Promise.resolve());
  };

  const call = async () => {
    const connection = draw.one(connections);
    const kind = draw();
    if (kind < 0.05) await site.search(connection, AbortSignal.timeout(Math.ceil(draw.between(1, 500))));
    else if (kind < 0.15) await site.refresh(connection, kind < 0.07);
    else await request(connection);
  };

  return {
    connections,
    use: async (until) => {
      const calls: Promise<void>[] = [];
      const troubles: unknown[] = [];
      while (performance.now() < until) {
        calls.push(call().catch((error) => void troubles.push(error)));
        await pause(draw.between(0, 2_000 / RATE));
      }
      await Promise.all(calls);
      if (troubles.length > 0) throw troubles[0];
      return requests;
    },
    changeMind: (connection) => connect(connection, () => site.disconnect(connection)),
  };
}

/** Connecting goes straight to the database here, which may just be down. */
async function persistently(act: () => Promise<void>): Promise<void> {
  for (let left = 200;; left--) {
    try {
      return await act();
    } catch (error) {
      if (left === 0) throw error;
      await pause(300);
    }
  }
}
