/** Ends every connection of the project: erased here, and revoked at the provider. See docs/upgrading.md. */
import { parseArgs } from "node:util";
import postgres from "postgres";
import { fromEnvironment, readSettings } from "../supabase/functions/_shared/env.ts";
import type { Client } from "../supabase/functions/_shared/oauth/client.ts";
import { revoke } from "../supabase/functions/_shared/oauth/revocation.ts";
import { loadAll } from "../supabase/functions/_shared/providers/mod.ts";
import type { Keyring } from "../supabase/functions/_shared/keep/seal.ts";
import { openGrant } from "../supabase/functions/_shared/keep/token_set.ts";
import { clientOf } from "../supabase/functions/_shared/wiring.ts";

const USAGE = `deno run -A --env-file=.env tools/disconnect_all.ts --to URL [--yes]

  --to URL  the project's database, as postgres; or set SUPABASE_DB_URL
  --yes     does it; without it, only says how many connections there are

The settings are the functions' own.`;

/** One revocation, in milliseconds. */
const REVOKE_MS = 20_000;

interface Revocation {
  readonly id: string;
  readonly provider: string;
  readonly refresh_token_sealed: string;
}

/** @returns the exit code: 1 if something is left to be revoked */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { to: { type: "string" }, yes: { type: "boolean" } } });
  const url = values.to ?? Deno.env.get("SUPABASE_DB_URL");
  if (!url) throw new Error(USAGE);
  const providers = await loadAll();
  const { providers: own, keyring, callback_url } = await readSettings(fromEnvironment, providers.values());
  const clients = new Map(Array.from(own, ([name, settings]) => {
    const provider = providers.get(name);
    if (!provider) throw new Error(`There is no provider "${name}"`);
    return [name, clientOf(provider, settings, callback_url)] as const;
  }));
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const living = await sql<{ id: string; user_id: string; provider: string }[]>`
      select c.id, c.user_id, c.provider
      from oauth.connections c join oauth.token_sets s on s.connection_id = c.id order by c.created_at, c.id`;
    console.log(`${living.length} connections hold tokens.`);
    if (!values.yes) return 0;
    // With all of them ended, each refresh token can be revoked: nobody uses its account any more.
    for (const { id, user_id, provider } of living) {
      await sql`select from public.oauth_disconnect(${id}, ${user_id}, ${provider})`;
    }
    const pending = await sql<Revocation[]>`
      select connection_id as id, provider, refresh_token_sealed::text from oauth.revocations order by created_at`;
    for (const revocation of pending) {
      await revokeOne(sql, clients.get(revocation.provider), keyring, revocation);
    }
    // Also what a refresh that was under way has left meanwhile.
    const { count } = await sql`select from oauth.revocations`;
    console.log(`${living.length} ended, ${count} left to be revoked.`);
    return count === 0 ? 0 : 1;
  } finally {
    await sql.end();
  }
}

/** Erased only once it is revoked: another run, or the sweep, finds what is left. */
async function revokeOne(
  sql: postgres.Sql,
  client: Client | undefined,
  keyring: Keyring,
  { refresh_token_sealed, ...owner }: Revocation,
): Promise<void> {
  try {
    if (!client) throw new Error(`there is no provider "${owner.provider}"`);
    const grant = await openGrant(keyring, owner, refresh_token_sealed);
    await revoke(client, grant, { fetch, signal: AbortSignal.timeout(REVOKE_MS) });
    await sql`select public.oauth_finish_revocation(${owner.id}, ${refresh_token_sealed})`;
  } catch (error) {
    console.error(`${owner.id} is left: ${error instanceof Error ? error.message : error}`);
  }
}

if (import.meta.main) {
  try {
    Deno.exit(await main(Deno.args));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    Deno.exit(2);
  }
}
