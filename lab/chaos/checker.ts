import { explain } from "./explain.ts";
import { only, Processes, Rotations } from "./fates.ts";
import type { Entry } from "./field/journal.ts";
import type { Answer } from "./field/site.ts";
import type { DatabaseEvent, End, History } from "./history.ts";

/** What must never happen, whatever fails. */
export const VIOLATIONS = [
  "double spend",
  "two leases",
  "went back",
  "lost grant",
  "false reauthorization",
  "wrong label",
  "resurrection",
  "version gap",
  "half written",
  "no answer",
  "late answer",
  "untyped answer",
] as const;

export interface Violation {
  readonly kind: typeof VIOLATIONS[number];
  readonly connection: string;
  readonly detail: string;
}

/** The longest that a caller may be kept, milliseconds: a whole call of 25 s, and what a busy machine adds. */
const LATEST_MS = 30_000;
/** How often a grant is refused without an error's name before that is believed. */
const LEAST_REFUSALS = 3;
const KNOWN_CODES: ReadonlySet<string | null> = new Set([
  "PROVIDER_UNAVAILABLE",
  "REFRESH_IN_PROGRESS",
  "STORAGE_UNAVAILABLE",
  "PROVIDER_RESPONSE_INVALID",
  "CONFIGURATION_INVALID",
  "WORKER_ERROR",
]);

/** Every violation in a history, found from outside: by what the provider, the database and the callers saw. */
export function judge(history: History): Violation[] {
  const processes = new Processes(history.entries);
  const found = history.ends.flatMap((end) => {
    const { connection } = end;
    // With what is everybody's: which process was killed, what was broken.
    const mine = history.entries.filter((entry) =>
      !("connection" in entry) || entry.connection === connection
    );
    const events = history.events.filter((event) => event.connection === connection);
    const rotations = new Rotations(mine, processes);
    return [
      ...doubleSpends(mine),
      ...overlappingLeases(mine),
      ...goingBack(mine),
      ...lostGrants(end, mine, rotations),
      ...reauthorizations(events, mine, rotations),
      ...resurrections(events, end),
      ...versionGaps(events, end),
      ...halfWritten(end),
    ].map((violation) => ({ ...violation, connection }));
  });
  return [...found, ...history.answers.flatMap((answer) => judgeAnswer(answer, processes))];
}

type Found = Omit<Violation, "connection">;
/** Whoever presents a refresh token has claimed the right to, each time anew. */
function doubleSpends(entries: readonly Entry[]): Found[] {
  const claims = count(only(entries, "claimed"));
  return [...count(only(entries, "presented"))]
    .filter(([version, times]) => times > (claims.get(version) ?? 0))
    .map(([version, times]) => ({
      kind: "double spend",
      detail: `version ${version} was presented ${times} times after ${claims.get(version) ?? 0} claims${
        explain(entries, version)
      }`,
    }));
}

function count(entries: readonly { version: number }[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const { version } of entries) counts.set(version, (counts.get(version) ?? 0) + 1);
  return counts;
}

/** A second lease was given while the first was surely running and nobody had let go of it. */
function overlappingLeases(entries: readonly Entry[]): Found[] {
  const claims = only(entries, "claimed");
  return claims.flatMap((second, index): Found[] => {
    const first = claims[index - 1];
    if (first === undefined || second.at >= first.sent_at + first.lease_ms) return [];
    const over = entries.some((entry) =>
      (entry.seq > first.seq || entry.at > first.sent_at) && entry.seq < second.seq &&
      endsLease(entry, first)
    );
    const detail = `of version ${second.version}${explain(entries, second.version)}`;
    return over ? [] : [{ kind: "two leases", detail }];
  });
}

/** A write of tokens ends every lease on the version that it replaces: an earlier holder's late success does, too. */
function endsLease(entry: Entry, { lease, version }: { lease: string; version: number }): boolean {
  if (entry.what === "committed") return entry.outcome === "committed" && entry.base === version;
  if (entry.what === "commit_arrived" || entry.what === "fail_arrived") return entry.lease === lease;
  return entry.what === "connected" || entry.what === "disconnect_arrived" || entry.what === "lease_ended";
}

/** A version that was replaced is claimed again: a committed write was lost. */
function goingBack(entries: readonly Entry[]): Found[] {
  const commits = only(entries, "committed").filter(({ outcome }) => outcome === "committed");
  return only(entries, "claimed")
    .filter((claim) => commits.some(({ base, at }) => claim.version <= base && claim.sent_at > at))
    .map(({ version }) => ({
      kind: "went back",
      detail: `version ${version} was claimed after its successor${explain(entries, version)}`,
    }));
}

/** The connection is dead, or holds a dead token, though the living one had come into living hands. */
function lostGrants(end: End, entries: readonly Entry[], rotations: Rotations): Found[] {
  if (end.status === "disconnected" || only(entries, "revoked").length > 0) return [];
  if (refusedWithoutCode(entries, end.newest)) return [];
  const dead = end.status === "reauthorization_required" || (end.stored ?? end.newest) < end.newest;
  if (!dead) return [];
  const unavoidable = end.newest > 0 && rotations.any(end.newest - 1) && !rotations.keepable(end.newest - 1);
  if (unavoidable) return [];
  const detail = `${end.status}, stored ${end.stored} of ${end.newest}${explain(entries, end.newest - 1)}`;
  return [{ kind: "lost grant", detail }];
}

/** The provider's last word about this version, in a form that names no error. */
function refusedWithoutCode(entries: readonly Entry[], version: number): boolean {
  const last = only(entries, "judged").filter((one) => one.version === version).at(-1);
  return last?.how === "refused_without_code";
}

/** Users are asked to connect again only if the provider refused for good; and the cause told is the true one. */
function reauthorizations(
  events: readonly DatabaseEvent[],
  entries: readonly Entry[],
  rotations: Rotations,
): Found[] {
  const refused = new Set(
    only(entries, "judged").filter(({ how }) => how.startsWith("refused")).map(({ version }) => version),
  );
  const deaths = events.filter(({ kind }) => kind === "reauthorization_required");
  return deaths.flatMap(({ version, code }): Found[] => {
    if (!refused.has(version) || rotations.keepable(version)) {
      return [{ kind: "false reauthorization", detail: `of version ${version}${explain(entries, version)}` }];
    }
    if (refusedWithoutCode(entries, version)) {
      const times = only(entries, "judged").filter((one) => one.version === version).length;
      if (code === "refused_without_code" && times >= LEAST_REFUSALS) return [];
      return [{
        kind: "wrong label",
        detail: `version ${version} is labelled ${code} after ${times} refusals`,
      }];
    }
    const mislaid = rotations.any(version);
    const unseen = mislaid || someAttemptUnseen(entries, version);
    const right = mislaid ? code === "rotation_lost" : unseen || code === "grant_refused";
    return right ? [] : [{ kind: "wrong label", detail: `version ${version} is labelled ${code}` }];
  });
}

/** An attempt whose answer did not arrive, or whose process may not have lived to read it. */
function someAttemptUnseen(entries: readonly Entry[], version: number): boolean {
  const claims = only(entries, "claimed").filter((one) => one.version === version);
  const whole = only(entries, "delivered").filter((one) => one.version === version && one.how === "whole");
  return claims.some(({ takeover }) => takeover) || whole.length < claims.length;
}

const ORIGINS: ReadonlySet<string> = new Set([
  "connected",
  "refreshed",
  "recovered",
  "disconnected",
  "uninstalled",
]);
const ENDINGS: ReadonlySet<string> = new Set(["disconnected", "uninstalled"]);

/** After a disconnect only the user's connecting again brings tokens back. */
function resurrections(events: readonly DatabaseEvent[], end: End): Found[] {
  const origins = events.filter(({ kind }) => ORIGINS.has(kind));
  const risen = origins.filter(({ kind }, index) =>
    ENDINGS.has(origins[index - 1]?.kind ?? "") && kind !== "connected"
  );
  const found: Found[] = risen.map(({ kind, version }) => ({
    kind: "resurrection",
    detail: `${kind} as version ${version} after a disconnect`,
  }));
  if (end.status === "disconnected" && end.stored !== null) {
    found.push({ kind: "resurrection", detail: "tokens are stored beside a disconnected connection" });
  }
  return found;
}

function versionGaps(events: readonly DatabaseEvent[], end: End): Found[] {
  const versions = events.filter(({ kind }) => ORIGINS.has(kind)).map(({ version }) => version);
  const first = versions[0] ?? end.version;
  const gapless = versions.every((version, index) => version === first + index);
  if (gapless && (versions.at(-1) ?? end.version) === end.version) return [];
  return [{ kind: "version gap", detail: `${versions.join(" ")}, at last ${end.version}` }];
}

function halfWritten(end: End): Found[] {
  if (Number.isNaN(end.stored)) {
    return [{ kind: "half written", detail: "what is stored is no token of this" }];
  }
  if (end.stored === null && end.status !== "disconnected") {
    return [{ kind: "half written", detail: `${end.status} without tokens` }];
  }
  return [];
}

function judgeAnswer(answer: Answer, processes: Processes): Violation[] {
  const { connection, status, code, by, hung_up, started_at, ended_at } = answer;
  if (hung_up) return [];
  if (status === null) return [{ kind: "no answer", connection, detail: "the connection broke" }];
  const found: Violation[] = [];
  const took = ended_at - started_at;
  if (took > LATEST_MS && !processes.wasPaused(by)) {
    found.push({ kind: "late answer", connection, detail: `after ${Math.round(took)} ms` });
  }
  const typed = status < 500 || KNOWN_CODES.has(code);
  const letDown = code === "WORKER_ERROR" && !processes.wasKilled(by);
  if (!typed || letDown) found.push({ kind: "untyped answer", connection, detail: `${status} ${code}` });
  return found;
}
