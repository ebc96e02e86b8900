/** The protocol's promises, each judged by one step or by a state in which nothing is under way any more. */
import type { Invariant as Promised } from "../support/invariants.ts";
import { accepts, authorizationOf, sameToken } from "./provider.ts";
import { type State, type Worker, type World } from "./state.ts";
import type { Step } from "./step.ts";
import { hasEarlierAttempt } from "./surroundings.ts";

export const INVARIANTS = {
  "one lease": "at most one unexpired lease",
  "no success dropped": "a success received is never dropped",
  "one version per write":
    "the version rises by one with each write of tokens, and each version is replaced once",
  "no false reauthorization":
    "reauthorization only for the current token, by the present holder, with no earlier attempt unsettled",
  "success beats failure": "a failure of the same version never undoes a success, in either order",
  "requests are bounded by claims": "no more token requests than claims",
  "connecting and disconnecting win": "disconnecting and connecting again win over a refresh under way",
  "the request ends before the lease": "no token is spent twice while the lease outlives the request",
  "operator faults change nothing":
    "a request that was turned away changes neither status nor version nor what is unsettled",
  "token lost": "in the end the row holds what the provider accepts, unless a crash or a lost answer took it",
  "false death": "in the end reauthorization is required only if nothing is left that the provider accepts",
  label: "what we may have lost ourselves is called rotation_lost, never grant_refused",
} as const satisfies Partial<Record<Promised, string>> & Record<string, string>;
export type Invariant = keyof typeof INVARIANTS;

/** The promises that this step breaks. */
export function brokenByStep(world: World, before: State, step: Step): Invariant[] {
  const { act, after } = step;
  const worker = step.who === null ? undefined : before.workers[step.who];
  switch (act.name) {
    case "claim":
      return before.row.lease_until === "ahead" ? ["one lease"] : [];
    case "send":
      return named({
        "requests are bounded by claims": after.unused_claims < 0,
        "the request ends before the lease": world.chances.pause === 0 && isDoubleSpend(before, step),
      });
    case "commit":
      return worker ? brokenByCommit(before, worker, after, act.outcome) : [];
    case "fail":
      return worker ? brokenByFailure(before, worker, after, act.class) : [];
    case "connect":
    case "disconnect":
      return named({
        "one version per write": after.row.version !== before.row.version + 1,
        "connecting and disconnecting win":
          (act.name === "connect") !== (after.row.refresh_token?.authorization === after.authorization),
      });
    case "other":
      return [];
  }
}

function brokenByCommit(
  { row, authorization }: State,
  worker: Worker,
  after: State,
  outcome: string,
): Invariant[] {
  const wrote = after.row !== row;
  const due = row.version === worker.base_version && row.status !== "disconnected";
  return named({
    "no success dropped": due && outcome !== "committed",
    "one version per write": wrote &&
      (after.row.version !== worker.base_version + 1 || row.version !== worker.base_version),
    "success beats failure": due && after.row.status !== "active",
    "connecting and disconnecting win": wrote && after.row.refresh_token?.authorization !== authorization,
  });
}

function brokenByFailure(before: State, worker: Worker, after: State, kind: string): Invariant[] {
  const { row } = before;
  const wrote = after.row !== row;
  const died = wrote && after.row.status === "reauthorization_required";
  const current = worker.base_version === row.version && sameToken(worker.token, row.refresh_token);
  const withdrawn = worker.token !== null &&
    authorizationOf(before.authorizations, worker.token).status === "withdrawn";
  return named({
    "no false reauthorization": died &&
      (!current || worker.lease_id !== row.lease_id || hasEarlierAttempt(before)),
    "success beats failure": wrote && worker.base_version !== row.version,
    "operator faults change nothing": (kind === "transient" || kind === "unexplained") &&
      (after.row.status !== row.status || after.row.version !== row.version ||
        after.row.unsettled_until !== row.unsettled_until),
    label: died && after.row.failure_code !== "rotation_lost" && !withdrawn,
  });
}

/** The promises that are broken for good, once nothing is under way and no time is left to pass. */
export function brokenInTheEnd(world: World, state: State): Invariant[] {
  const { row, authorizations, authorization, loss_explained } = state;
  if (authorization === null) return [];
  const works = holdsWhatIsAccepted(world, state);
  const excused = loss_explained || authorizations[authorization]?.status === "withdrawn";
  return named({
    "token lost": !works && !excused,
    "false death": row.status === "reauthorization_required" && (works || !excused),
  });
}

/** Whether a crash or a lost answer has taken the connection, while the user wanted it. */
export function isTaken(world: World, state: State): boolean {
  const { authorizations, authorization, loss_explained } = state;
  const wanted = authorization !== null && authorizations[authorization]?.status !== "withdrawn";
  return wanted && loss_explained && !holdsWhatIsAccepted(world, state);
}

function holdsWhatIsAccepted({ provider }: World, { row, authorizations }: State): boolean {
  return row.refresh_token !== null && accepts(provider, authorizations, row.refresh_token);
}

/**
 * Whether this step sends a refresh token that another living attempt has sent too, or whose version has been
 * replaced by what another attempt brought. A further request after a crash or a lost answer is none.
 */
export function isDoubleSpend({ row, workers }: State, { act, who }: Step): boolean {
  const worker = who === null ? undefined : workers[who];
  if (act.name !== "send" || !worker?.token) return false;
  if (worker.base_version === row.version) {
    return workers.some(({ phase, base_version }, other) =>
      other !== who && (phase === "asking" || phase === "answered") && base_version === worker.base_version
    );
  }
  return row.refresh_token?.authorization === worker.token.authorization;
}

function named(broken: Partial<Record<Invariant, boolean>>): Invariant[] {
  return (Object.keys(broken) as Invariant[]).filter((name) => broken[name]);
}
