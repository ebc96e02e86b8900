import { timeTeller } from "../../tests/support/database_time.ts";
import {
  type CallRpc,
  type RpcAnswer,
  type RpcClient,
  rpcClient,
  type SqlRpc,
} from "../../tests/support/sql_rpc.ts";
import type { Call, Row } from "./history.ts";
import type { StorageFault } from "./plan.ts";

/** What is between an isolate and the database. */
export interface Wire {
  /** Waits for its turn; never resolves for an isolate that has died. */
  step(label: string): Promise<void>;
  nextFault(call: string): StorageFault["fails"] | null;
  readonly run: CallRpc;
}

const UNAVAILABLE: RpcAnswer = { data: null, error: { code: "", message: "connection lost" }, status: 0 };

/**
 * The database as one isolate reaches it. A call takes two steps, and what it does is done at once in the first. Only a
 * waiter's poll takes one, because there are many and another follows.
 */
export function openWire(wire: Wire): RpcClient {
  return rpcClient(async (name, args) => {
    await wire.step(`${name} goes out`);
    const fails = wire.nextFault(name);
    const answer = fails === "before" ? UNAVAILABLE : await wire.run(name, args);
    const polls = name === "oauth_peek" && Number(args.p_seen_version) >= 0;
    if (!polls) await wire.step(`${name} ${fails === null ? "is answered" : `fails ${fails} it ran`}`);
    return fails === null ? answer : UNAVAILABLE;
  });
}

/** The one connection to the database, with a record of what each call did to the connection that is watched. */
export class Witness {
  #row: Row | null = null;
  /** The database is told the time whenever it has changed. */
  readonly tell: () => Promise<void>;

  constructor(
    private readonly rpc: SqlRpc,
    private readonly id: string,
    now: () => number,
  ) {
    this.tell = timeTeller(rpc.sql, now);
  }

  /** The row as the last call left it. */
  get row(): Row | null {
    return this.#row;
  }

  async run(name: string, args: Record<string, unknown>) {
    await this.tell();
    const before = this.#row;
    const answer = await this.rpc.call(name, args);
    const after = READS.has(name) ? before : await this.look();
    const rows: Call["rows"] = Array.isArray(answer.data) ? answer.data : [];
    return { answer, seen: { name, args, rows, before, after } };
  }

  /** What somebody else did to the row. */
  async look(): Promise<Row | null> {
    const [row] = await this.rpc.sql<Row[]>`
      select status, version, lease_id, attempts, unsettled_until, committed_lease_id, failure_code
        from oauth.connections where id = ${this.id}`;
    this.#row = row ?? null;
    return this.#row;
  }
}

const READS: ReadonlySet<string> = new Set(["oauth_peek", "oauth_connection"]);
