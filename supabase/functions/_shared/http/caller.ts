import type { SupabaseContext, withSupabase } from "@supabase/server";
import { PublicError } from "../errors.ts";

/** Of these `secret:*` is every secret key of the project, whatever its name. */
export type AuthModes = NonNullable<Parameters<typeof withSupabase>[0]["auth"]>;

export type Caller =
  | { readonly kind: "user"; readonly user_id: string }
  | { readonly kind: "secret"; readonly key_name: string }
  | { readonly kind: "none" };

/** Which of the tokens that are signed with the project's keys are let in. */
export interface Trusted {
  /** Undefined where the project's own issuer is not known. */
  readonly issuers?: readonly string[];
  /** Third parties (https://supabase.com/docs/guides/auth/oauth-server) whose tokens count as their users' own. */
  readonly oauth_client_ids: readonly string[];
}

/** The schedule's key. pg_net's queue shows it to other roles of the database, so it may sweep and nothing else. */
const SCHEDULE = "cron";
/** The function that sweeps. */
export const SWEEPS = "refresh-token";

export const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** @throws {PublicError} `INVALID_CREDENTIALS` for a token that is genuine and not a user's own */
export function callerOf(context: SupabaseContext, trusted: Trusted): Caller {
  const { authMode, authKeyName, jwtClaims } = context;
  if (authMode === "none") return { kind: "none" };
  if (authMode === "secret" && authKeyName !== undefined) return { kind: "secret", key_name: authKeyName };
  if (authMode !== "user" || !jwtClaims) throw invalid("these credentials name no caller");
  const wrong = wrongClaim(jwtClaims, trusted);
  if (wrong) throw invalid(`the token is not one of a user who is signed in here: see its "${wrong}"`);
  return { kind: "user", user_id: jwtClaims.sub.toLowerCase() };
}

/** For the log. */
export function nameOf(caller: Caller): string | undefined {
  if (caller.kind === "user") return caller.user_id;
  if (caller.kind === "secret") return caller.key_name;
}

/**
 * 401 and not 403, because another key would do.
 *
 * @throws {PublicError} `INVALID_CREDENTIALS` if the schedule's key asks for anything but the sweep
 */
export function refuseSchedule(caller: Caller): void {
  if (caller.kind !== "secret" || caller.key_name !== SCHEDULE) return;
  throw invalid(`the secret key "${SCHEDULE}" may sweep and nothing else: send another one`);
}

/**
 * The first claim that an access token of this project's Auth has otherwise
 * (https://supabase.com/docs/guides/auth/jwt-fields). The same keys sign ID tokens and those of third parties.
 */
function wrongClaim(
  { aud, role, exp, iss, client_id, sub }: NonNullable<SupabaseContext["jwtClaims"]>,
  { issuers, oauth_client_ids }: Trusted,
): string | undefined {
  if (![aud].flat().includes("authenticated")) return "aud";
  if (role !== "authenticated") return "role";
  if (exp === undefined) return "exp";
  if (issuers && !issuers.includes(iss ?? "")) return "iss";
  if (client_id !== undefined && !oauth_client_ids.some((id) => id === client_id)) return "client_id";
  if (!UUID.test(sub)) return "sub";
}

function invalid(message: string): PublicError {
  return new PublicError("INVALID_CREDENTIALS", message);
}
