import { openGrant } from "../../supabase/functions/_shared/keep/token_set.ts";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { PATIENCE_MS } from "../../supabase/functions/_shared/refresh/timings.ts";
import type { Keyring } from "../../supabase/functions/_shared/keep/seal.ts";
import { calls, happened, tokenRequests } from "./history.ts";
import { replay } from "./replay.ts";
import type { Ran } from "./run.ts";

/** The codes a caller may be told while a token cannot be had. */
const TYPED: ReadonlySet<string> = new Set([
  "CONFIGURATION_INVALID",
  "CONNECTION_NOT_FOUND",
  "PROVIDER_UNAVAILABLE",
  "REAUTHORIZATION_REQUIRED",
  "REFRESH_IN_PROGRESS",
  "STORAGE_UNAVAILABLE",
]);

/** What a run broke, each beginning with the promise's name; empty: nothing. */
export async function brokenPromises(ran: Ran, keyring: Keyring): Promise<string[]> {
  const tokens = await openTokens(ran, keyring);
  return [
    ...replay(ran.history, tokens),
    ...versions(ran),
    ...kept(ran, tokens),
    ...counted(ran, tokens),
    ...answered(ran),
    ...userWins(ran, tokens),
    ...truth(ran, tokens),
    ...calm(ran),
  ];
}

/** The refresh token behind each seal that was handed to the database. */
export type Tokens = ReadonlyMap<unknown, string>;

async function openTokens({ history }: Ran, keyring: Keyring): Promise<Tokens> {
  const tokens = new Map<unknown, string>();
  for (const { args } of [...calls(history, "oauth_commit_refresh"), ...calls(history, "oauth_connect")]) {
    const sealed = String(args.p_refresh_token_sealed);
    const id = String(args.p_id);
    tokens.set(sealed, (await openGrant(keyring, { id, provider: "pipedrive" }, sealed)).refresh_token ?? "");
  }
  return tokens;
}

/** One version per write: every version has one origin, and none is left out. */
function versions({ events, row }: Ran): string[] {
  const origins = events.filter(({ kind }) =>
    kind !== "refresh_failed" && kind !== "reauthorization_required"
  );
  const counted = origins.map(({ version }) => version);
  const expected = Array.from({ length: row.version }, (_, n) => n + 1);
  return counted.join() === expected.join()
    ? []
    : [`one version per write: versions ${counted} up to ${row.version}`];
}

/** No success dropped: what reached an isolate that lived was handed to the database, whatever else failed. */
function kept({ history, dead, authority }: Ran, tokens: Tokens): string[] {
  if (authority.kind === "stable") return [];
  const handedIn = new Set(
    calls(history, "oauth_commit_refresh").map(({ args }) => tokens.get(args.p_refresh_token_sealed)),
  );
  return tokenRequests(history).flatMap(({ issued, delivered, isolate }) =>
    issued === null || !delivered || dead.has(isolate) || handedIn.has(issued.refresh_token)
      ? []
      : [`no success dropped: ${issued.refresh_token} was received by isolate ${isolate} and not handed in`]
  );
}

/** Requests are bounded by claims: no token request without a claim of its own. */
function counted({ history, authority }: Ran, tokens: Tokens): string[] {
  const claims = new Map<string, number>();
  const current = new Map<number, string>([[1, "refresh-1-0"]]);
  for (const effect of history.effects) {
    if (effect.kind !== "call" || !effect.after) continue;
    const stored = tokens.get(effect.args.p_refresh_token_sealed);
    if (stored && effect.after.version !== effect.before?.version) current.set(effect.after.version, stored);
    for (const { outcome, version } of effect.rows) {
      const token = outcome === "claimed" ? current.get(Number(version)) : undefined;
      if (token) claims.set(token, (claims.get(token) ?? 0) + 1);
    }
  }
  const asked = Map.groupBy(tokenRequests(history), ({ presented }) => presented);
  const known = authority.kind === "stable" ? [] : [...asked];
  return known.flatMap(([token, requests]) =>
    requests.length <= (claims.get(token) ?? 0) ? [] : [
      `requests are bounded by claims: ${token} was presented ${requests.length} times in ${
        claims.get(token) ?? 0
      } claims`,
    ]
  );
}

/** Every waiter ends: everybody got an answer, in time, and nobody an error without a name. */
function answered({ history, dead }: Ran): string[] {
  return history.callers.filter(({ isolate }) => !dead.has(isolate)).flatMap((caller) => {
    const { wanted, began, ended, stood_still, trouble } = caller;
    if (ended === null) return [`every waiter ends: ${wanted} was never answered`];
    const waiter = wanted.startsWith("ask") || wanted === "force";
    if (waiter && ended - began - stood_still > PATIENCE_MS) {
      return [`every waiter ends: ${wanted} waited ${ended - began} ms`];
    }
    const typed = trouble === null ||
      (trouble instanceof PublicError && (!waiter || TYPED.has(trouble.code)));
    return typed ? [] : [`every waiter ends: ${wanted} was told ${trouble}`];
  });
}

/** Connecting and disconnecting win: whatever the user did last holds. */
function userWins({ history, row, refresh_token, authority }: Ran, tokens: Tokens): string[] {
  const last = history.effects.findLast((effect) =>
    effect.kind === "call" && effect.after?.version !== effect.before?.version &&
    (effect.name === "oauth_connect" || effect.name === "oauth_disconnect")
  );
  if (last?.kind !== "call") return [];
  if (last.name === "oauth_disconnect") {
    const erased = row.status === "disconnected" && refresh_token === null;
    return erased
      ? []
      : [`connecting and disconnecting win: disconnected, and now ${row.status} with ${refresh_token}`];
  }
  const wanted = tokens.get(last.args.p_refresh_token_sealed) ?? "";
  const same = refresh_token !== null &&
    authority.grantOf(refresh_token) === authority.grantOf(wanted);
  return same
    ? []
    : [`connecting and disconnecting win: connected again with ${wanted}, and now there is ${refresh_token}`];
}

/** At last the row says what is so at the provider: it works, or it could not be kept and is said to be lost. */
function truth({ history, row, refresh_token, authority, dead }: Ran, tokens: Tokens): string[] {
  if (row.status === "disconnected" || refresh_token === null) return [];
  const grant = authority.grantOf(refresh_token);
  if (row.status === "active") {
    return authority.accepts(refresh_token)
      ? []
      : [`no false reauthorization: active with ${refresh_token}, which is dead`];
  }
  const requests = tokenRequests(history);
  const successors = requests.filter(({ issued, presented }) =>
    issued !== null && presented === refresh_token
  );
  const stored = new Set(tokens.values());
  const lost = successors.some(({ issued, delivered, isolate }) =>
    !delivered || (dead.has(isolate) && !stored.has(issued?.refresh_token ?? ""))
  );
  const reused = authority.kind === "revoking" && requests.some(({ issued }) => issued === null);
  const ended = happened(history, "withdrawn") || (reused && (lost || overlapped({ history })));
  if (grant?.alive && !lost) {
    return [`no false reauthorization: given up, while ${grant.current} lives and was not lost`];
  }
  if (!grant?.alive && !ended) {
    return [`no false reauthorization: the grant of ${refresh_token} ended without a reason`];
  }
  return authority.kind === "stable" && grant?.alive
    ? [`no false reauthorization: given up, though nothing rotates`]
    : [];
}

function overlapped({ history }: Pick<Ran, "history">): boolean {
  return happened(history, "crash", "lease ended early", "jump", "stop") ||
    tokenRequests(history).some(({ issued, delivered }) => issued !== null && !delivered);
}

/** Where nothing went wrong, nothing is refused, one token set costs one request, and disconnected means revoked. */
function calm(ran: Ran): string[] {
  const { history, plan, row, authority } = ran;
  if (overlapped(ran) || happened(history, "withdrawn")) return [];
  const broken: string[] = [];
  const requests = tokenRequests(history);
  const disconnects = calls(history, "oauth_disconnect").length > 0;
  if (!disconnects) {
    const refused = requests.find(({ issued }) => issued === null);
    if (refused) broken.push(`no false reauthorization: ${refused.presented} was refused on a calm day`);
    if (row.status === "reauthorization_required") {
      broken.push("no false reauthorization: given up on a calm day");
    }
  }
  const presented = requests.filter(({ issued }) => issued !== null).map((request) => request.presented);
  if (authority.kind !== "stable" && new Set(presented).size < presented.length) {
    broken.push(`requests are bounded by claims: one of ${presented} was spent twice on a calm day`);
  }
  if (row.status === "disconnected" && plan.storage.length === 0 && authority.newest.alive) {
    broken.push(
      `connecting and disconnecting win: disconnected on a calm day, and ${authority.newest.current} still works`,
    );
  }
  return broken;
}
