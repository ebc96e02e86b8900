import type {
  NewAuthorizationRequest,
  ReceivedResponse,
  TakenAuthorization,
  TakenTicket,
} from "../../../supabase/functions/_shared/keep/store.ts";
import { assertSealed, assertUuid, type AuthorizationRow, type FakeDatabase, raise } from "./database.ts";

const LONGEST_LIFE_MS = 600_000;

export function beginAuthorization(
  database: FakeDatabase,
  { lifetime_ms, limit, ...request }: NewAuthorizationRequest,
): { outcome: "begun" | "too_many"; expires_at: string | null } {
  assertUuid(request.user_id);
  assertSealed(request.code_verifier_sealed);
  if (!(lifetime_ms >= 1 && lifetime_ms <= LONGEST_LIFE_MS)) raise("22023", "ten minutes at most");
  const open = [...database.authorizations.values()].filter((row) =>
    row.user_id === request.user_id && isOpen(database, row)
  );
  if (open.length >= limit) return { outcome: "too_many", expires_at: null };
  if (database.authorizations.has(request.id)) raise("23505", "a state is used once");
  const expires_at = database.now() + lifetime_ms;
  database.authorizations.set(request.id, {
    ...request,
    status: "started",
    ticket_hash: null,
    code_sealed: null,
    expires_at,
  });
  return { outcome: "begun", expires_at: new Date(expires_at).toISOString() };
}

export function receiveAuthorizationResponse(
  database: FakeDatabase,
  { id, provider, ticket_hash, code_sealed }: ReceivedResponse,
): { return_to: string } | null {
  assertSealed(code_sealed);
  const row = database.authorizations.get(id);
  if (!row || row.provider !== provider || row.status !== "started" || expired(database, row)) return null;
  if ((ticket_hash === null) !== (code_sealed === null)) raise("23514", "a ticket brings a code");
  if (
    ticket_hash !== null &&
    [...database.authorizations.values()].some((other) => other.ticket_hash === ticket_hash)
  ) {
    raise("23505", "a ticket is one request's");
  }
  row.status = ticket_hash === null ? "denied" : "parked";
  row.ticket_hash = ticket_hash;
  row.code_sealed = code_sealed;
  if (ticket_hash === null) row.code_verifier_sealed = null;
  return { return_to: row.return_to };
}

export function takeAuthorization(database: FakeDatabase, ticket: TakenTicket): TakenAuthorization | null {
  assertUuid(ticket.user_id);
  const row = [...database.authorizations.values()].find((row) =>
    row.status === "parked" && !expired(database, row) && row.provider === ticket.provider &&
    row.ticket_hash === ticket.ticket_hash && row.binding_hash === ticket.binding_hash &&
    row.user_id === ticket.user_id
  );
  if (!row?.code_sealed) return null;
  row.status = "taken";
  const { id, redirect_uri, code_sealed, code_verifier_sealed } = row;
  return { id, redirect_uri, code_sealed, code_verifier_sealed };
}

export function returnAuthorization(database: FakeDatabase, request_id: string): void {
  const row = database.authorizations.get(request_id);
  if (row?.status === "taken") row.status = "parked";
}

/**
 * The request that a connection comes of, still taken by this user at this provider.
 *
 * @returns whether it was finished before: the same call again
 */
export function isFinished(
  database: FakeDatabase,
  request_id: string | null,
  { user_id, provider }: { user_id: string; provider: string },
): boolean {
  const row = request_id === null ? undefined : database.authorizations.get(request_id);
  if (row === undefined) return false;
  const own = row.user_id === user_id && row.provider === provider;
  if (!own || (row.status !== "taken" && row.status !== "finished")) raise("22023", "not taken by this user");
  return row.status === "finished";
}

/** Used up, its secrets erased. */
export function finishAuthorization(database: FakeDatabase, request_id: string | null): void {
  const row = request_id === null ? undefined : database.authorizations.get(request_id);
  if (!row) return;
  row.status = "finished";
  row.ticket_hash = row.code_sealed = row.code_verifier_sealed = null;
}

export function purgeAuthorizationRequests(database: FakeDatabase, limit: number): number {
  const gone = [...database.authorizations.values()].filter((row) => expired(database, row)).slice(0, limit);
  for (const row of gone) database.authorizations.delete(row.id);
  return gone.length;
}

function isOpen(database: FakeDatabase, row: AuthorizationRow): boolean {
  return (row.status === "started" || row.status === "parked") && !expired(database, row);
}

function expired(database: FakeDatabase, row: AuthorizationRow): boolean {
  return row.expires_at <= database.now();
}
