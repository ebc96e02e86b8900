import { resolveEnv, verifyAuth } from "@supabase/server/core";
import { PublicError } from "../errors.ts";
import { Latest } from "../latest.ts";

/** The first is tried first. Of these `secret:*` is every secret key of the project, whatever its name. */
export type AuthModes = readonly ("user" | "none" | "secret:*")[];

type Verified = Awaited<ReturnType<typeof verifyAuth>>;
type AuthResult = NonNullable<Verified["data"]>;
/** Why nobody is let in: the library's own code, message and status. */
export type AuthError = NonNullable<Verified["error"]>;

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

/** How long a verified token need not be verified again, in milliseconds: never beyond its end. */
const VERIFIED_MS = 60_000;

/**
 * Finds out who calls. The platform's keys are read once, since an isolate's environment never changes, and a user's
 * token is verified once a minute.
 *
 * @throws {PublicError} `INVALID_CREDENTIALS` for a token that is genuine and not a user's own
 */
export function callers(
  auth: AuthModes,
  trusted: Trusted,
): (request: Request) => Promise<Caller | AuthError> {
  const verified = new Latest<{ readonly result: AuthResult; readonly until: number }>(1_000);
  let env: ReturnType<typeof resolveEnv>["data"] = null;
  return async (request) => {
    const authorization = request.headers.get("authorization") ?? "";
    const known = verified.get(authorization);
    if (known && performance.now() < known.until && !hasEnded(known.result)) {
      return callerOf(known.result, trusted);
    }
    env ??= resolveEnv().data;
    const { data, error } = await verifyAuth(request, { auth: [...auth], env: env ?? undefined });
    if (error) return error;
    if (data.authMode === "user") {
      verified.set(authorization, { result: data, until: performance.now() + VERIFIED_MS });
    }
    return callerOf(data, trusted);
  };
}

/** As the library judges it, to the second. */
function hasEnded({ jwtClaims }: AuthResult): boolean {
  return (jwtClaims?.exp ?? 0) <= Math.floor(Date.now() / 1000);
}

function callerOf({ authMode, keyName, jwtClaims }: AuthResult, trusted: Trusted): Caller {
  if (authMode === "none") return { kind: "none" };
  if (authMode === "secret" && keyName) return { kind: "secret", key_name: keyName };
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
  { aud, role, exp, iss, client_id, sub }: NonNullable<AuthResult["jwtClaims"]>,
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
