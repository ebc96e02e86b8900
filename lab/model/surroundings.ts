/** What happens around the workers: time passes, a slow provider gets to an old request, the user decides. */
import { workerSteps } from "./caller.ts";
import { NEW_AUTHORIZATION, present } from "./provider.ts";
import { isAtWork, isHeld, type State, type World } from "./state.ts";
import { chance, type Emit, happens, mayHappen, nameOf, withRow } from "./step.ts";

/** Every step that anything can take now. */
export function steps(world: World, state: State, emit: Emit): void {
  state.workers.forEach((worker, who) => workerSteps({ world, state, who, worker, emit }));
  leaseRunsOut(world, state, emit);
  settleTimePasses(state, emit);
  backOffPasses(world, state, emit);
  abandonedRequest(world, state, emit);
  accessTokenExpires(state, emit);
  user(world, state, emit);
}

/**
 * A lease that outlives the request ends under a holder at work only if the holder's process was paused; one that does
 * not, at any time.
 */
function leaseRunsOut({ protocol }: World, state: State, emit: Emit): void {
  const { row } = state;
  if (row.lease_until !== "ahead" || state.abandoned.length > 0) return;
  const after = { ...state, row: { ...row, lease_until: "past" as const } };
  const holder = state.workers.find((worker) => worker.lease_id === row.lease_id);
  if (!holder || !isAtWork(holder)) return happens(emit, "the lease runs out", after);
  const words = "the lease runs out while its holder is at work";
  if (!protocol.timings.lease_outlives_request) return happens(emit, words, after);
  mayHappen(emit, words, chance(after, "pause"));
}

/** The settle time is longer than any pause: it passes once no earlier attempt is at work any more. */
function settleTimePasses(state: State, emit: Emit): void {
  const { row } = state;
  if (row.unsettled_until !== "ahead" || hasEarlierAttempt(state)) return;
  const next_attempt_at = row.next_attempt_at === "unsettled_until" ? null : row.next_attempt_at;
  happens(emit, "the settle time passes", {
    ...state,
    row: { ...row, unsettled_until: "past", next_attempt_at },
  });
}

/** Whether someone other than the present holder is at work on this version. */
export function hasEarlierAttempt({ row, workers }: State): boolean {
  return workers.some((worker) =>
    isAtWork(worker) && worker.base_version === row.version && worker.lease_id !== row.lease_id
  );
}

function backOffPasses({ protocol }: World, state: State, emit: Emit): void {
  const { row } = state;
  if (row.next_attempt_at !== "ahead" || (protocol.waits_out && state.abandoned.length > 0)) return;
  happens(emit, "the back-off passes", { ...state, row: { ...row, next_attempt_at: null } });
}

/** A slow provider gets to a request whose caller has given up: whatever it answers, nobody hears. */
function abandonedRequest({ provider }: World, state: State, emit: Emit): void {
  const [token, ...abandoned] = state.abandoned;
  if (!token) return;
  const answered = present(provider, state.authorizations, token);
  const after = { ...state, abandoned, authorizations: answered.authorizations };
  const ours = token.authorization === state.authorization;
  const revoked = answered.authorizations !== state.authorizations && answered.token === null;
  const lost = revoked || (answered.token !== null && !isHeld(state, answered.token));
  happens(
    emit,
    `the provider gets to the abandoned request with ${nameOf(token)}`,
    ours && lost ? { ...after, loss_explained: true } : after,
  );
}

/** Grace windows last longer than lease and settle time together, but not as long as an access token. */
function accessTokenExpires(state: State, emit: Emit): void {
  if (state.row.refresh_after !== "ahead") return;
  const after = chance(state, "expiry");
  if (!after) return;
  mayHappen(emit, "the access token is due again", {
    ...after,
    row: { ...state.row, refresh_after: "past" },
    authorizations: state.authorizations.map((found) => found.grace ? { ...found, grace: false } : found),
  });
}

function user({ protocol }: World, state: State, emit: Emit): void {
  const after = chance(state, "user");
  if (!after) return;
  const { row, authorization, authorizations } = state;
  if (row.status !== "disconnected") {
    const erased = { ...withRow(after, protocol.disconnect(row)), authorization: null };
    mayHappen(emit, "the user disconnects", erased, { name: "disconnect" });
  }
  const token = { authorization: authorizations.length, serial: NEW_AUTHORIZATION.serial };
  const connected = {
    ...withRow(after, protocol.connect(row, token)),
    authorization: token.authorization,
    authorizations: [...authorizations, NEW_AUTHORIZATION],
  };
  mayHappen(emit, `the user connects again and gives ${nameOf(token)}`, connected, { name: "connect" });
  const present = authorization === null ? undefined : authorizations[authorization];
  if (authorization === null || present?.status !== "alive") return;
  const withdrawn = { ...present, status: "withdrawn" as const };
  mayHappen(emit, "the user withdraws the authorization at the provider", {
    ...after,
    authorizations: authorizations.with(authorization, withdrawn),
  });
}
