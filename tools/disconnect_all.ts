/** Ends every connection of the project: revoked at the provider, then erased here. See docs/upgrading.md. */
import { parseArgs } from "node:util";
import postgres from "postgres";
import { fromEnvironment, readSettings } from "../supabase/functions/_shared/env.ts";
import type { Client } from "../supabase/functions/_shared/oauth/client.ts";
import { revoke } from "../supabase/functions/_shared/oauth/revocation.ts";
import { providers } from "../supabase/functions/_shared/providers/mod.ts";
import type { Keyring } from "../supabase/functions/_shared/keep/seal.ts";
import { openRefreshToken } from "../supabase/functions/_shared/keep/token_set.ts";
import { clientOf } from "../supabase/functions/_shared/wiring.ts";

const USAGE = `deno run -A --env-file=.env tools/disconnect_all.ts --to URL [--yes]

  --to URL  the project's database, as postgres; or set SUPABASE_DB_URL
  --yes     does it; without it, only says how many connections there are

The settings are the functions' own.`;

/** One revocation, in milliseconds. */
const REVOKE_MS = 20_000;

interface Living {
  readonly id: string;
  readonly user_id: string;
  readonly provider: string;
  readonly refresh_token_sealed: string;
}

/** @returns the exit code: 1 if a connection is left */
async function main(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { to: { type: "string" }, yes: { type: "boolean" } } });
  const url = values.to ?? Deno.env.get("SUPABASE_DB_URL");
  if (!url) throw new Error(USAGE);
  const { providers: own, keyring, callback_url } = await readSettings(fromEnvironment, providers.keys());
  const clients = new Map(Array.from(own, ([name, settings]) => {
    const provider = providers.get(name);
    if (!provider) throw new Error(`There is no provider "${name}"`);
    return [name, clientOf(provider, settings, callback_url)] as const;
  }));
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const living = await sql<Living[]>`
      select c.id, c.user_id, c.provider, s.refresh_token_sealed::text
      from oauth.connections c join oauth.token_sets s on s.connection_id = c.id order by c.created_at, c.id`;
    console.log(`${living.length} connections hold tokens.`);
    if (!values.yes) return 0;
    const left = [];
    for (const connection of living) {
      if (!await end(sql, clients.get(connection.provider), keyring, connection)) left.push(connection);
    }
    console.log(`${living.length - left.length} ended, ${left.length} left.`);
    return left.length === 0 ? 0 : 1;
  } finally {
    await sql.end();
  }
}

/** Revoked first: after a crash, or where the provider does not answer, the token is still there for another run. */
async function end(
  sql: postgres.Sql,
  client: Client | undefined,
  keyring: Keyring,
  { refresh_token_sealed, user_id, ...owner }: Living,
): Promise<boolean> {
  const revokeSealed = async (sealed: string) => {
    if (!client) throw new Error(`there is no provider "${owner.provider}"`);
    const refresh_token = await openRefreshToken(keyring, owner, sealed);
    await revoke(client, refresh_token, "refresh_token", { fetch, signal: AbortSignal.timeout(REVOKE_MS) });
  };
  try {
    await revokeSealed(refresh_token_sealed);
    const [erased] = await sql`
      select refresh_token_sealed from public.oauth_disconnect(${owner.id}, ${user_id}, ${owner.provider})`;
    const last = erased?.refresh_token_sealed;
    // Somebody refreshed meanwhile.
    if (last && last !== refresh_token_sealed) await revokeSealed(last);
    return true;
  } catch (error) {
    console.error(`${owner.id} is left: ${error instanceof Error ? error.message : error}`);
    return false;
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
