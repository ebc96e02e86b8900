import { keyOf } from "./accounts.ts";
import { mintAccessToken, mintRefreshToken } from "./mint.ts";
import { apiOriginOf, type CodeRecord, type Grant, nowOf, type RefreshRecord, type World } from "./world.ts";
import type { TokenResponse } from "./types.ts";

/** Installs: a new grant for the account, its first tokens. An earlier grant ends, unless the switch says otherwise. */
export function install(world: World, code: CodeRecord): TokenResponse {
  const key = keyOf(code.account);
  const earlier = world.grants.get(key);
  if (earlier && world.switches.reinstall_ends_old) endGrant(world, earlier);
  const grant: Grant = {
    account: code.account,
    client_id: code.client_id,
    scopes: [...code.scopes],
    installed_at: nowOf(world),
    version: 0,
    refresh_token: null,
    idle_until: 0,
  };
  world.grants.set(key, grant);
  world.tallies.exchanged += 1;
  addRefreshToken(world, grant);
  return tokenResponse(world, grant, world.switches.omit_refresh_token !== "always");
}

/** Refreshes: a new access token, the idle limit begun anew, and by the switches a new refresh token or the same. */
export function refresh(world: World, presented: RefreshRecord): TokenResponse {
  const { grant } = presented;
  const { omit_refresh_token, rotate_refresh, old_access_dies } = world.switches;
  if (old_access_dies) endAccessTokens(world, grant, "revoked");
  const current = presented.spent_at === null;
  if (current && rotate_refresh && !omit_refresh_token) {
    presented.spent_at = nowOf(world);
    addRefreshToken(world, grant);
  }
  grant.idle_until = nowOf(world) + world.switches.refresh_idle_ms;
  world.tallies.refreshed += 1;
  return tokenResponse(world, grant, !omit_refresh_token);
}

/** Nothing of this grant works any more. */
export function endGrant(world: World, grant: Grant): void {
  endAccessTokens(world, grant, "revoked");
  endRefreshToken(grant);
  const key = keyOf(grant.account);
  if (world.grants.get(key) === grant) world.grants.delete(key);
}

export function endRefreshToken(grant: Grant): void {
  grant.refresh_token = null;
}

/** Ends what still lives; tells how many. */
export function endAccessTokens(world: World, grant: Grant | null, how: "expired" | "revoked"): number {
  let count = 0;
  for (const record of world.access_tokens.values()) {
    if (grant !== null && record.grant !== grant) continue;
    if (record.ended !== null || record.expires_at <= nowOf(world)) continue;
    record.ended = how;
    count += 1;
  }
  return count;
}

function addRefreshToken(world: World, grant: Grant): void {
  grant.version += 1;
  grant.refresh_token = mintRefreshToken(grant.account);
  grant.idle_until = nowOf(world) + world.switches.refresh_idle_ms;
  world.refresh_tokens.set(grant.refresh_token, { grant, version: grant.version, spent_at: null });
}

function tokenResponse(world: World, grant: Grant, with_refresh_token: boolean): TokenResponse {
  const { switches } = world;
  const access_token = mintAccessToken();
  const scopes = grant.scopes.filter((scope) => switches.scopes.includes(scope));
  const expires_at = nowOf(world) + switches.access_lifetime_s * 1000;
  world.access_tokens.set(access_token, { grant, scopes, expires_at, ended: null });
  return {
    access_token,
    token_type: "Bearer",
    ...lifetime(world),
    ...(with_refresh_token && grant.refresh_token !== null ? { refresh_token: grant.refresh_token } : {}),
    scope: scopes.join(","),
    ...(switches.omit_api_domain
      ? {}
      : { api_domain: switches.api_domain ?? apiOriginOf(world, grant.account) }),
  };
}

function lifetime(world: World): { expires_in?: number | string } {
  const seconds = Math.max(world.switches.access_lifetime_s - 1, 0);
  switch (world.switches.expires_in) {
    case "number":
      return { expires_in: seconds };
    case "string":
      return { expires_in: String(seconds) };
    case "zero":
      return { expires_in: 0 };
    case "missing":
      return {};
  }
}
