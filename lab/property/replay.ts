import type { Call, Effect, History, TokenRequest } from "./history.ts";
import type { Tokens } from "./invariants.ts";

interface Holder {
  readonly lease_id: unknown;
  readonly since: number;
  readonly settle_ms: number;
  until: number;
}

interface Attempts {
  /** Unreleased or null, as the calls tell it, whatever the row says. */
  holder: Holder | null;
  /** When the last answer that nobody saw may still arrive. */
  settles_at: number | null;
  /** An attempt on this version ended without its answer being seen. */
  unsettled: boolean;
}

/** Goes through what took effect, one by one, beside a few lines of the protocol that know nothing of the SQL. */
export function replay({ effects }: History, tokens: Tokens): string[] {
  const attempts: Attempts = { holder: null, settles_at: null, unsettled: false };
  const broken: string[] = [];
  effects.forEach((effect, index) => {
    if (effect.kind === "lease ended early" && attempts.holder) attempts.holder.until = effect.at - 1;
    if (effect.kind !== "call") return;
    const earlier = effects.slice(0, index);
    broken.push(
      ...stepOf(effect),
      ...claimed(attempts, effect),
      ...committed(effect),
      ...failed(attempts, effect, earlier, tokens),
    );
    if (wrote(effect)) Object.assign(attempts, { holder: null, settles_at: null, unsettled: false });
  });
  return broken;
}

function wrote({ before, after }: Call): boolean {
  return (after?.version ?? 0) !== (before?.version ?? 0);
}

/**
 * One version per write: only a write of tokens raises the version, by one. Connecting and disconnecting win: only
 * the user ends being disconnected.
 */
function stepOf({ name, before, after, rows }: Call): string[] {
  const raised = (after?.version ?? 0) - (before?.version ?? 0);
  const committed = rows.some(({ outcome }) => outcome === "committed");
  const may = name === "oauth_connect" || name === "oauth_disconnect" || committed;
  const broken: string[] = [];
  if (raised < 0 || raised > 1 || (raised === 1 && !may) || (raised === 0 && committed)) {
    broken.push(`one version per write: ${name} took version ${before?.version} to ${after?.version}`);
  }
  if (before?.status === "disconnected" && after?.status !== "disconnected" && name !== "oauth_connect") {
    broken.push(`connecting and disconnecting win: ${name} brought a disconnected connection back`);
  }
  return broken;
}

/** One lease: nobody is given a lease while another's lasts. */
function claimed(attempts: Attempts, { rows, args, at }: Call): string[] {
  const broken: string[] = [];
  for (const { outcome, lease_id } of rows) {
    if (outcome !== "claimed") continue;
    if (attempts.holder) {
      if (attempts.holder.until > at) {
        broken.push(`one lease: a lease is given while another lasts ${attempts.holder.until - at} ms`);
      }
      attempts.unsettled = true;
      attempts.settles_at = at + Number(args.p_settle_ms);
    }
    attempts.holder = {
      lease_id,
      since: at,
      settle_ms: Number(args.p_settle_ms),
      until: at + Number(args.p_lease_ms),
    };
  }
  return broken;
}

/**
 * A success is stored if it was obtained from the current version, and only then. Which promise is broken otherwise
 * depends on what came first.
 */
function committed({ name, before, args, rows }: Call): string[] {
  if (name !== "oauth_commit_refresh") return [];
  const outcome = rows[0]?.outcome;
  const expected = !before || before.status === "disconnected"
    ? "disconnected"
    : before.version === args.p_base_version
    ? "committed"
    : before.committed_lease_id === args.p_lease_id
    ? "already_committed"
    : "superseded";
  if (outcome === expected) return [];
  const promise = expected === "committed"
    ? before?.status === "active" ? "no success dropped" : "success beats failure"
    : expected === "disconnected"
    ? "connecting and disconnecting win"
    : "one version per write";
  return [`${promise}: a success of version ${args.p_base_version} on ${before?.version} is ${outcome}`];
}

/** What a failure may do: no false reauthorization, operator faults change nothing, and the label is true. */
function failed(attempts: Attempts, call: Call, earlier: readonly Effect[], tokens: Tokens): string[] {
  if (call.name !== "oauth_fail_refresh") return [];
  const { args, rows, before, after, at, isolate } = call;
  const outcome = rows[0]?.outcome;
  const { holder, settles_at, unsettled } = attempts;
  const changed = before?.status !== after?.status;
  if (holder?.lease_id !== args.p_lease_id) {
    return outcome === "superseded" && !changed
      ? []
      : [`no false reauthorization: a failure of another than the holder is ${outcome}`];
  }
  attempts.holder = null;
  const broken: string[] = [];
  if (args.p_class === "ambiguous") attempts.unsettled = true;
  if (args.p_class === "transient" || args.p_class === "unexplained") {
    const marked = (before?.unsettled_until ?? null) !== (after?.unsettled_until ?? null);
    if (changed || marked) {
      broken.push(`operator faults change nothing: "${args.p_code}" made the connection ${after?.status}`);
    }
  }
  if (!changed) return broken;
  const refused = earlier.findLast((effect): effect is TokenRequest =>
    effect.kind === "token request" && effect.isolate === isolate && effect.issued === null
  );
  if (refused?.presented !== currentToken(earlier, tokens)) {
    broken.push(
      `no false reauthorization: given up over ${refused?.presented}, which was not the current refresh token`,
    );
  }
  if (settles_at !== null && settles_at > at) {
    broken.push(
      `no false reauthorization: given up ${settles_at - at} ms before an earlier attempt had settled`,
    );
  }
  const rotated = earlier.some((effect) =>
    effect.kind === "token request" && effect.presented === refused?.presented &&
    effect.issued !== null && effect.issued.refresh_token !== effect.presented
  );
  if (after?.failure_code === "grant_refused" && rotated) {
    broken.push(`label: ${refused?.presented} was rotated, and is said to have been refused`);
  }
  if (after?.failure_code === "rotation_lost" && !unsettled) {
    broken.push(`label: every attempt was answered, and the rotation is said to be lost`);
  }
  return broken;
}

/** What the last write of tokens stored. */
function currentToken(earlier: readonly Effect[], tokens: Tokens): string | undefined {
  const write = earlier.findLast((effect): effect is Call =>
    effect.kind === "call" && wrote(effect) && tokens.has(effect.args.p_refresh_token_sealed)
  );
  return write ? tokens.get(write.args.p_refresh_token_sealed) : "refresh-1-0";
}
