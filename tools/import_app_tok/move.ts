import { apiUrl } from "../../supabase/functions/_shared/oauth/address.ts";
import type { Account } from "../../supabase/functions/_shared/oauth/account.ts";
import { UnexpectedResponse } from "../../supabase/functions/_shared/oauth/errors.ts";
import { classifyFailure } from "../../supabase/functions/_shared/oauth/failure.ts";
import { refreshTokens } from "../../supabase/functions/_shared/oauth/token_endpoint.ts";
import { learn } from "../../supabase/functions/_shared/oauth/values.ts";
import { connectionId } from "../../supabase/functions/_shared/connect/connection_id.ts";
import { backOff, retry, storageUnavailable, withDeadline } from "../../supabase/functions/_shared/time.ts";
import { PublicError } from "../../supabase/functions/_shared/errors.ts";
import { learnAccount } from "../../supabase/functions/_shared/connect/account.ts";
import type { Context } from "../../supabase/functions/_shared/context.ts";
import { clientFingerprint } from "../../supabase/functions/_shared/keep/client_fingerprint.ts";
import { digest } from "../../supabase/functions/_shared/keep/seal.ts";
import { openGrant, sealTokenSet } from "../../supabase/functions/_shared/keep/token_set.ts";
import type { Held, Ledger, State } from "./ledger.ts";
import { accountKeyOf, isPlatform, type OldRow } from "./rows.ts";
import type { Users } from "./users.ts";

export interface MoveContext extends Pick<Context, "client" | "clock" | "fetch" | "random" | "keyring"> {
  readonly ledger: Ledger;
  readonly users: Users;
  /** Of the old column; rows of another are not ours. */
  readonly platform: string;
}

/** What became of a row, or in a dry run would. `done` says whether it needs nobody's attention. */
export interface Moved {
  readonly row: OldRow;
  readonly what:
    | "moved"
    | "would_move"
    | "already_moved"
    | "superseded"
    | "other_platform"
    | "no_platform"
    | "no_refresh_token"
    | "no_user"
    | "refused"
    | "left"
    | "later"
    | "not_done";
  /** For people; holds no token. */
  readonly why: string;
}

const TOKEN_REQUEST_MS = 20_000;
/** With less than this left, a held access token is not asked with any more. */
const LEAST_LIFE_MS = 60_000;
/** What the provider has issued exists nowhere else, so the database is asked for minutes. */
const STORE_ATTEMPTS = 100;

/**
 * What a run would do with a row. Asks the provider nothing: it cannot be asked whether a refresh token is good without
 * spending it.
 */
export async function foresee(context: MoveContext, row: OldRow): Promise<Moved> {
  const skipped = await skip(context, row);
  if (skipped) return skipped;
  const user = context.users.beforehand(row);
  const whose = user === "unknown" ? "of whoever the provider says it is" : `of user ${user}`;
  return { row, what: "would_move", why: `would become a connection ${whose}` };
}

/**
 * Moves one row: refreshes its token, which proves that it is good, keeps what comes back, learns whose it is, and
 * makes it that user's connection.
 *
 * The refresh token may work only once. So what it brings is stored, sealed, before anything else is judged, and the
 * next run goes on from there. Nothing is ever presented twice but a token whose answer was lost.
 *
 * @throws {Error} where no further row can be moved either: the client's credentials, the database
 */
export async function move(context: MoveContext, row: OldRow): Promise<Moved> {
  const skipped = await skip(context, row);
  if (skipped) return skipped;
  const id = await digest(row.refresh_token);
  const { state, held } = await context.ledger.look(id);
  try {
    const kept = held && held.expires_in_ms > LEAST_LIFE_MS
      ? held
      : await renew(context, row, { id, state, held });
    return await store(context, row, id, kept);
  } catch (error) {
    if (error instanceof Refused) {
      await persist(context, () => context.ledger.end(id, "refused"));
      return { row, what: "refused", why: state === "asked" ? LOST : REFUSED };
    }
    if (error instanceof PublicError && error.code !== "CONFIGURATION_INVALID") {
      return { row, what: "later", why: `${error.code}: ${error.message}; run again` };
    }
    throw error;
  }
}

/** Why a row is not to be moved, or null. */
async function skip(context: MoveContext, row: OldRow): Promise<Moved | null> {
  const { ledger, users, platform } = context;
  if (row.platform === "") {
    const why = `it names none, and others are not ${platform}'s; name it in the old table, run again`;
    return { row, what: "no_platform", why };
  }
  if (!isPlatform(row, platform)) {
    return { row, what: "other_platform", why: `the platform is "${row.platform}"` };
  }
  if (row.refresh_token === "") {
    return { row, what: "no_refresh_token", why: "there is nothing to move; the user connects" };
  }
  const { state, connection_id } = await ledger.look(await digest(row.refresh_token));
  if (state === "moved") return { row, what: "already_moved", why: `is connection ${connection_id}` };
  const known = state === "held" ? null : await asKnown(context, row);
  if (known?.what === "superseded") return known;
  if (state === "refused") {
    return { row, what: "refused", why: "an earlier run was refused; the user connects again" };
  }
  if (state === "left") return { row, what: "left", why: DISCONNECTED };
  if (users.beforehand(row) === null) {
    return { row, what: "no_user", why: "the mapping has no user; not touched; complete it, run again" };
  }
  return null;
}

/**
 * What to say of a row whose account its user is connected to already, as of the old table's history; null if there is
 * no such connection. The token of one that is superseded is not presented: a spent one may be taken for stolen, which
 * ends the grant (RFC 9700 §4.14.2).
 */
export async function asKnown(
  { client, ledger, users }: MoveContext,
  row: OldRow,
): Promise<Moved | null> {
  const key = accountKeyOf(row);
  const connections = key === null ? [] : await ledger.connectionsOf(client.provider.name, key);
  const own = connections.find(({ user_id, email }) =>
    users.of(row, { key: key ?? "", email: email ?? undefined }) === user_id
  );
  if (own?.status === "active") {
    return { row, what: "superseded", why: `its account is connection ${own.id} already` };
  }
  return own?.status === "disconnected" ? { row, what: "left", why: DISCONNECTED } : null;
}

class Refused extends Error {}

const REFUSED = "the provider has ended it, or the old workflow has spent it since; the user connects again";
const LOST = "the answer to an earlier run was lost, and the token with it; the user connects again";
const DISCONNECTED = "its user has disconnected here since; not brought back";

/** Spends the row's refresh token, or the one held for it, and holds what comes back. */
async function renew(
  context: MoveContext,
  row: OldRow,
  { id, state, held }: { id: string; state: State; held: Held | null },
): Promise<Held> {
  const { client, clock, fetch, keyring, ledger } = context;
  const owner = { id, provider: client.provider.name };
  const before = held
    ? await openGrant(keyring, owner, held.refresh_token_sealed)
    : { access_token: "", refresh_token: row.refresh_token, values: {} };
  await ledger.asked(id);
  const tokens = await withDeadline(
    clock,
    TOKEN_REQUEST_MS,
    (signal) => refreshTokens(client, before, { fetch, signal }),
  ).catch(async (error: unknown) => {
    const unspent = classifyFailure(error, client.provider).class === "transient";
    if (unspent && state === "new") await ledger.notAsked(id);
    throw errorOf(context, error);
  });
  const sealed = await sealTokenSet(keyring, owner, {
    access_token: tokens.access_token,
    refresh_token: tokens.refresh_token ?? before.refresh_token,
    values: learn(client, "token", tokens.answers, before.values).values,
  });
  const kept = {
    ...sealed,
    scope: tokens.scope ?? held?.scope ?? null,
    // A table's row must have an end: without one it lives for a day, and is refreshed.
    expires_in_ms: (tokens.expires_in ?? 86_400) * 1000,
  };
  await persist(context, () => ledger.hold(id, kept));
  return kept;
}

function errorOf({ client }: MoveContext, error: unknown): Error {
  const failure = classifyFailure(error, client.provider);
  if (failure.class === "permanent") return new Refused();
  // Without a code it is not known who is at fault: perhaps this token alone.
  const unexplained = error instanceof UnexpectedResponse && (error.status === 400 || error.status === 401);
  if (failure.operator && !unexplained) {
    const word = failure.code.replace(/^config_/, "");
    return new Error(`The provider refused our client with "${word}": check its id and secret`);
  }
  const lost = failure.class === "ambiguous" ? ", and may have spent the token" : "";
  return new PublicError(
    "PROVIDER_UNAVAILABLE",
    `the provider did not answer usably (${failure.code})${lost}`,
  );
}

/** Makes a connection of what is held. */
async function store(context: MoveContext, row: OldRow, id: string, held: Held): Promise<Moved> {
  const { client, keyring, ledger, users } = context;
  const provider = client.provider.name;
  const grant = await openGrant(keyring, { id, provider }, held.refresh_token_sealed);
  if (!apiUrl(client, grant.values, {})) {
    throw new PublicError(
      "PROVIDER_RESPONSE_INVALID",
      "the provider named an API address that is not allowed",
    );
  }
  const { account, values } = await learnAccount(context, grant, {});
  const user_id = users.of(row, account);
  if (user_id === null) {
    return {
      row,
      what: "no_user",
      why: `the mapping has no user for ${nameOf(account)}; kept safe; complete it, run again`,
    };
  }
  const connection_id = await connectionId(provider, account.key, user_id);
  if (await ledger.wasDisconnected(connection_id)) {
    await persist(context, () => ledger.end(id, "left"));
    return { row, what: "left", why: DISCONNECTED };
  }
  const sealed = await sealTokenSet(keyring, { id: connection_id, provider }, { ...grant, values });
  const client_fingerprint = await clientFingerprint(keyring, client);
  await persist(context, () =>
    ledger.connect(id, {
      id: connection_id,
      user_id,
      provider,
      account_key: account.key,
      account_name: account.name ?? null,
      account_email: account.email ?? null,
      client_id: client.client_id,
      client_fingerprint,
      scope: (held.scope ?? client.scopes).join(" "),
      ...sealed,
    }));
  return { row, what: "moved", why: `connection ${connection_id}, ${nameOf(account)}` };
}

function nameOf({ key, name, email }: Account): string {
  return [key, name, email].filter(Boolean).join(", ");
}

function persist<T>(context: MoveContext, call: () => Promise<T>): Promise<T> {
  const pauses = backOff(context.random, STORE_ATTEMPTS);
  return retry(context.clock, pauses, storageUnavailable, call);
}
