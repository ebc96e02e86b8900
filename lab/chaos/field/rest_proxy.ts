import {
  type Asked,
  type BreakableServer,
  type Message,
  passOn,
  type Reply,
  serveBreakable,
} from "./breakable_server.ts";
import type { Journal, Seat } from "./journal.ts";
import type { Moment, Rules } from "./moments.ts";

export interface RestProxyOptions {
  /** Where REST is. */
  origin: string;
  journal: Journal;
  rules: Rules;
  /** Whose it is. A process has its own: what it sent before it was killed is never taken for its successor's. */
  seat: Seat;
}

type Args = Record<string, unknown>;
type Row = Record<string, unknown>;

const RPC = /\/rest\/v1\/rpc\/oauth_(\w+)$/;
const WATCHED: Readonly<Record<string, Moment["at"]>> = {
  claim_refresh: "claim",
  commit_refresh: "commit",
  fail_refresh: "fail",
  disconnect: "disconnect",
  connect: "connect",
};

/** Stands between one function process and REST: records what the protocol does, and breaks what it is told to. */
export function serveRestProxy(options: RestProxyOptions): Promise<BreakableServer> {
  return serveBreakable(async (asked) => {
    const name = RPC.exec(asked.path)?.[1] ?? "";
    const at = WATCHED[name];
    if (at !== undefined) return await watched(options, at, asked);
    const sent_at = performance.now();
    const message = await passOn(options.origin, asked);
    if (name === "claim_due") recordDueClaims(options, JSON.parse(asked.body), message, sent_at);
    return { message, verdict: "pass" };
  });
}

async function watched(
  { journal, rules, seat, origin }: RestProxyOptions,
  at: Moment["at"],
  asked: Asked,
): Promise<Reply> {
  const args: Args = JSON.parse(asked.body);
  const moment = { at, connection: String(args.p_id), seat };
  const sent_at = performance.now();
  recordArrival(journal, moment, args);
  const before = await rules.judge({ ...moment, side: "arrived" });
  if (before !== "pass") return { message: NOTHING, verdict: before };
  const message = await passOn(origin, asked);
  const [row] = rowsOf(message);
  if (row !== undefined) recordOutcome(journal, moment, args, row, sent_at);
  const outcome = String(row?.outcome ?? message.status);
  return { message, verdict: await rules.judge({ ...moment, side: "answered", outcome }) };
}

const NOTHING: Message = { status: 200, type: "application/json", text: "" };

function rowsOf({ status, text }: Message): Row[] {
  return status === 200 ? JSON.parse(text) : [];
}

type Seen = Pick<Moment, "at" | "connection" | "seat">;

function recordArrival(journal: Journal, { at, connection, seat }: Seen, args: Args): void {
  const lease = String(args.p_lease_id);
  if (at === "commit") {
    journal.record({ what: "commit_arrived", connection, base: Number(args.p_base_version), lease, seat });
  }
  if (at === "fail") {
    const words = { class: String(args.p_class), code: String(args.p_code) };
    journal.record({ what: "fail_arrived", connection, lease, ...words, seat });
  }
  if (at === "disconnect") journal.record({ what: "disconnect_arrived", connection, seat });
}

function recordOutcome(
  journal: Journal,
  { at, connection, seat }: Seen,
  args: Args,
  row: Row,
  sent_at: number,
): void {
  const outcome = String(row.outcome);
  if (at === "claim" && outcome === "claimed") {
    recordClaim(journal, { connection, seat, sent_at, row, args });
  }
  const lease = String(args.p_lease_id);
  if (at === "commit") {
    journal.record({
      what: "committed",
      connection,
      base: Number(args.p_base_version),
      lease,
      outcome,
      seat,
    });
  }
  if (at === "fail") journal.record({ what: "failed", connection, lease, outcome, seat });
}

function recordClaim(
  journal: Journal,
  claim: { connection: string; seat: Seat; sent_at: number; row: Row; args: Args },
): void {
  const { connection, seat, sent_at, row, args } = claim;
  journal.record({
    what: "claimed",
    connection,
    version: Number(row.version),
    lease: String(row.lease_id),
    sent_at,
    request_ms: Number(args.p_request_ms),
    lease_ms: Number(args.p_lease_ms),
    seat,
  });
}

/** The sweeper's claims, several in one answer. */
function recordDueClaims(
  { journal, seat }: RestProxyOptions,
  args: Args,
  message: Message,
  sent_at: number,
): void {
  for (const row of rowsOf(message).filter(({ outcome }) => outcome === "claimed")) {
    recordClaim(journal, { connection: String(row.id), seat, sent_at, row, args });
  }
}
