/**
 * The caller's algorithm, as `refresh/refresh.ts` and `refresh/spend.ts` have it, one step for each moment at which
 * something else may come between, and at each the ways in which it may go wrong.
 *
 * Two moments that nobody else can tell apart are one step: an answer on its way counts as received, because losing
 * it and dying with it remain possible until it is committed.
 */
import type { Failure, Row } from "./protocol.ts";
import { present, type Token } from "./provider.ts";
import { isHeld, type Phase, READY, type State, type Worker, type World } from "./state.ts";
import { type Act, chance, type Emit, letter, nameOf, OTHER, withRow, withWorker } from "./step.ts";

/** One worker about to take one step. */
interface Turn {
  readonly world: World;
  readonly state: State;
  readonly who: number;
  readonly worker: Worker;
  readonly emit: Emit;
}

/** Every step that this worker can take now. */
export function workerSteps(turn: Turn): void {
  switch (turn.worker.phase) {
    case "ready":
      return claim(turn);
    case "claimed":
      send(turn);
      isTurnedAway(turn, "finds it too late to send");
      break;
    case "asking":
      hearAnswer(turn);
      isTurnedAway(turn, "is turned away by the provider");
      isNotHeard(turn, "the request of");
      givesUp(turn);
      break;
    case "answered":
      commit(turn);
      isNotHeard(turn, "the answer to");
      break;
    case "refused":
      fail(turn, "permanent");
      isNotHeard(turn, "the refusal of");
      break;
    case "unheard":
      fail(turn, "ambiguous");
      if (turn.world.protocol.asks_again) send(turn);
      break;
    case "turned away":
      fail(turn, "transient");
      fail(turn, "unexplained");
      break;
    case "gone":
      return;
  }
  crashes(turn);
}

/**
 * A claim comes with the version that the row has: one that comes with an older is answered `fresh` and changes
 * nothing, and so is one that must wait. Steps that change nothing are left out.
 */
function claim(turn: Turn): void {
  const { world: { protocol }, state: { row }, who, worker } = turn;
  if (worker.claims === 0 || row.refresh_token === null) return;
  const lease_id = `${who}.${worker.claims}`;
  const claimed = protocol.claimRefresh(row, { ...protocol.timings, lease_id, seen_version: row.version });
  if (claimed.outcome !== "claimed") return;
  const granted = {
    ...turn.state,
    row: claimed.row,
    unused_claims: turn.state.unused_claims + 1,
  };
  const claims = worker.claims - 1;
  const { version: base_version, refresh_token: token } = row;
  const words = row.lease_id === null ? "claims version" : "takes over the claim of version";
  const act: Act = { name: "claim", outcome: claimed.outcome };
  does(
    turn,
    () => `${words} ${row.version}`,
    act,
    withWorker(granted, who, { phase: "claimed", claims, lease_id, base_version, token }),
  );
  may(
    turn,
    () => `${words} ${row.version}, and the reply is lost`,
    act,
    chance(withWorker(granted, who, { ...READY, claims }), "loss"),
  );
}

function send(turn: Turn): void {
  const { state, worker } = turn;
  const counts = worker.base_version === state.row.version;
  const asking = become(turn, "asking");
  does(
    turn,
    () => `sends ${nameOf(worker.token)}`,
    { name: "send" },
    counts ? { ...asking, unused_claims: state.unused_claims - 1 } : asking,
  );
}

function hearAnswer({ world: { provider }, state, who, worker, emit }: Turn): void {
  if (worker.token === null) throw new Error("a request without a token");
  const { authorizations, token } = present(provider, state.authorizations, worker.token);
  const answered: Worker = token ? { ...worker, phase: "answered", token } : { ...worker, phase: "refused" };
  emit({
    who: null,
    words: () =>
      token
        ? `the provider answers ${letter(who)} with ${nameOf(token)}`
        : `the provider refuses ${letter(who)}`,
    act: OTHER,
    inevitable: true,
    after: withWorker({ ...state, authorizations }, who, answered),
  });
}

function commit(turn: Turn): void {
  const { lease_id, base_version, token } = turn.worker;
  if (lease_id === null || token === null) throw new Error("an answer without a lease");
  const { row, outcome } = turn.world.protocol.commitRefresh(turn.state.row, {
    lease_id,
    base_version,
    refresh_token: token,
  });
  const words = () => `commits ${nameOf(token)}: ${outcome}`;
  ends(turn, words, { name: "commit", outcome }, row);
  if (turn.world.protocol.gives_up) isGivenUp(turn, token);
}

function isGivenUp({ state, who, worker, emit }: Turn, token: Token): void {
  const words = () => `is answered with a page where it commits ${nameOf(token)}, and gives up`;
  const after = chance(withWorker(state, who, { ...READY, claims: worker.claims }), "loss");
  if (after) emit({ who, words, act: { name: "commit", outcome: "given up" }, inevitable: false, after });
}

function fail(turn: Turn, kind: Failure["class"]): void {
  const { lease_id } = turn.worker;
  if (lease_id === null) throw new Error("a failure without a lease");
  const { row, outcome } = turn.world.protocol.failRefresh(turn.state.row, { lease_id, class: kind });
  const cause = outcome === "reauthorization_required" ? ` (${row.failure_code})` : "";
  const words = () => `records the failure as ${kind}: ${outcome}${cause}`;
  ends(turn, words, { name: "fail", outcome, class: kind }, row);
}

/** The attempt is over once the database's reply is heard; a call whose reply is lost is repeated. */
function ends(turn: Turn, words: () => string, act: Act, row: Row): void {
  const { state, who, worker } = turn;
  const written = withRow(state, row);
  does(turn, words, act, withWorker(written, who, { ...READY, claims: worker.claims }));
  if (row !== state.row) {
    may(turn, () => `${words()}, and the reply is lost`, act, chance(written, "loss"));
  }
}

function isTurnedAway(turn: Turn, words: string): void {
  may(turn, () => words, OTHER, chance(become(turn, "turned away"), "loss"));
}

function isNotHeard(turn: Turn, what: string): void {
  const after = chance(become(turn, "unheard"), "loss");
  const words = () => `${what} ${letter(turn.who)} is lost`;
  if (after) turn.emit({ who: null, words, act: OTHER, inevitable: false, after: explained(turn, after) });
}

/** The deadline ends the request for the caller; a slow provider may get to it all the same. */
function givesUp(turn: Turn): void {
  const { world, state, worker } = turn;
  if (!world.overtaking || worker.token === null) return;
  const abandoned = [...state.abandoned, worker.token];
  may(
    turn,
    () => "gives up while the provider still works",
    OTHER,
    chance({ ...become(turn, "unheard"), abandoned }, "loss"),
  );
}

function crashes(turn: Turn): void {
  const gone = withWorker(turn.state, turn.who, { ...READY, claims: 0, phase: "gone" });
  const after = chance(gone, "crash");
  may(turn, () => "crashes", OTHER, after && explained(turn, after));
}

/** Notes whether the only copy of the current refresh token went with this worker's answer. */
function explained({ worker: { phase, token } }: Turn, after: State): State {
  const took = phase === "answered" && token !== null && token.authorization === after.authorization &&
    !isHeld(after, token);
  return took ? { ...after, loss_explained: true } : after;
}

function does({ who, emit }: Turn, words: () => string, act: Act, after: State): void {
  emit({ who, words, act, inevitable: true, after });
}

function may({ who, emit }: Turn, words: () => string, act: Act, after: State | null): void {
  if (after) emit({ who, words, act, inevitable: false, after });
}

function become({ state, who, worker }: Turn, phase: Phase): State {
  return withWorker(state, who, { ...worker, phase });
}
