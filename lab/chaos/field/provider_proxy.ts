import {
  type Asked,
  type BreakableServer,
  type Message,
  passOn,
  type Reply,
  serveBreakable,
} from "./breakable_server.ts";
import type { Grants, KnownToken } from "./grants.ts";
import type { Delivery, Journal, Judgement, Seat } from "./journal.ts";
import type { Rules, Verdict } from "./moments.ts";

export interface ProviderProxyOptions {
  /** Where a token goes that nobody has issued. */
  origin: string;
  grants: Grants;
  journal: Journal;
  rules: Rules;
  /** Whose it is. */
  seat: Seat;
}

/**
 * Stands between one function process and the providers' token endpoints: each token goes to the provider that
 * issued it.
 */
export function serveProviderProxy(options: ProviderProxyOptions): Promise<BreakableServer> {
  return serveBreakable(async (asked) => {
    const form = new URLSearchParams(asked.body);
    const known = options.grants.find(form.get("refresh_token") ?? form.get("token") ?? "");
    if (form.get("grant_type") === "authorization_code") return await exchange(options, asked);
    if (known === undefined) return { message: await passOn(options.origin, asked), verdict: "pass" };
    if (form.get("grant_type") === "refresh_token") return await refresh(options, known, asked);
    return await revoke(options, known, asked);
  });
}

async function exchange({ origin, rules, seat }: ProviderProxyOptions, asked: Asked): Promise<Reply> {
  const moment = { at: "exchange" as const, connection: "", seat };
  const before = await rules.judge({ ...moment, side: "arrived" });
  if (before !== "pass") return { message: NOTHING, verdict: before };
  const message = await passOn(origin, asked);
  return { message, verdict: await rules.judge({ ...moment, side: "answered" }) };
}

async function refresh(options: ProviderProxyOptions, known: KnownToken, asked: Asked): Promise<Reply> {
  const { journal, rules, seat } = options;
  const { connection, version, provider } = known;
  const request = journal.record({ what: "presented", connection, version, seat }).seq;
  const moment = { at: "token" as const, connection, version, seat, listening: asked.listening };
  let verdict = await rules.judge({ ...moment, side: "arrived" });
  let message = NOTHING;
  let how: Judgement = "unprocessed";
  if (verdict === "pass") {
    message = await passOn(provider, asked);
    how = judge(options, known, message);
    journal.record({ what: "judged", connection, version, request, how, seat });
    verdict = await rules.judge({ ...moment, side: "answered", outcome: how });
  } else {
    if (isRefusal(verdict)) how = "refused_without_code";
    journal.record({ what: "judged", connection, version, request, how, seat });
  }
  // Before the first byte leaves: what follows cannot be seen to come earlier.
  const whole = verdict === "pass" ? "whole" : "broken";
  const delivered: Delivery = asked.listening() ? whole : "caller_left";
  journal.record({ what: "delivered", connection, version, request, how: delivered, seat });
  return { message, verdict };
}

async function revoke(options: ProviderProxyOptions, known: KnownToken, asked: Asked): Promise<Reply> {
  const { connection, version, provider } = known;
  const { seat } = options;
  const moment = { at: "revoke" as const, side: "arrived" as const, connection, seat };
  const verdict = await options.rules.judge(moment);
  if (verdict !== "pass") return { message: NOTHING, verdict };
  const message = await passOn(provider, asked);
  if (message.status === 200) options.journal.record({ what: "revoked", connection, version, seat });
  return { message, verdict };
}

/** A refusal in the provider's name that is not in the form of RFC 6749: an answer of its application, in JSON. */
function isRefusal(verdict: Verdict): boolean {
  return typeof verdict === "object" && "json" in verdict &&
    (verdict.status === 400 || verdict.status === 401);
}

const NOTHING: Message = { status: 200, type: "application/json", text: '{"access_token":"cut-' };

/** What became of the token, by the provider's own answer; learns its successor. */
function judge({ grants }: ProviderProxyOptions, known: KnownToken, answer: Message): Judgement {
  if (!answer.type.includes("json")) return "unprocessed";
  const { refresh_token, error } = JSON.parse(answer.text);
  if (answer.status === 200 && typeof refresh_token === "string") {
    grants.learn(refresh_token, { ...known, version: known.version + 1 });
    return "rotated";
  }
  return error === "invalid_grant" ? "refused" : "unprocessed";
}
