import type { Account } from "./accounts.ts";
import type { Code, Grant, RefreshToken, World } from "./world.ts";

export interface TokenResponse {
  access_token: string;
  token_type: string;
  expires_in: number;
  refresh_token?: string;
  scope: string;
  api_domain: string;
}

const IDLE_MS = 60 * 24 * 60 * 60 * 1000;

/** Installs: a new grant for the account, its first tokens. An earlier grant ends, unless the switch says otherwise. */
export function install(
  world: World,
  { account, client_id, scopes }: Pick<Code, "account" | "client_id" | "scopes">,
): TokenResponse {
  const earlier = world.switches.reinstall_ends_old ? world.grantOf(account) : undefined;
  if (earlier) world.grants.delete(earlier.id);
  const id = crypto.randomUUID();
  const grant: Grant = { id, account, client_id, scopes, version: 0, refresh_token: "", idle_until: 0 };
  world.grants.set(id, grant);
  return tokenResponse(world, grant, true);
}

/** Refreshes: a new access token, the idle limit begun anew, and by the switches a new refresh token or the same. */
export function refresh(world: World, grant: Grant, presented: RefreshToken): TokenResponse {
  const { omit_refresh_token, rotate_refresh, old_access_dies } = world.switches;
  if (old_access_dies) endAccessTokens(world, grant.id, "revoked");
  const rotates = presented.spent_at === null && rotate_refresh && !omit_refresh_token;
  if (rotates) presented.spent_at = world.now();
  return tokenResponse(world, grant, rotates);
}

/** Ends what still lives, of one grant or of all; tells how many. */
export function endAccessTokens(world: World, grant_id: string | null, how: "expired" | "revoked"): number {
  const living = [...world.access_tokens.values()].filter((token) =>
    token.ended === null && token.expires_at > world.now() && world.grants.has(token.grant_id) &&
    (grant_id === null || token.grant_id === grant_id)
  );
  for (const token of living) token.ended = how;
  return living.length;
}

function tokenResponse(world: World, grant: Grant, new_refresh_token: boolean): TokenResponse {
  const { access_lifetime_s, omit_refresh_token, api_domain, ...switches } = world.switches;
  const { id: grant_id, account } = grant;
  if (new_refresh_token) {
    grant.refresh_token = `${account.company_id}:${account.user_id}:${hex(randomBytes(20))}`;
    grant.version += 1;
    const { refresh_token, version } = grant;
    world.refresh_tokens.set(refresh_token, { grant_id, version, spent_at: null });
  }
  grant.idle_until = world.now() + IDLE_MS;
  const scopes = grant.scopes.filter((scope) => switches.scopes.includes(scope));
  const access_token = mintAccessToken();
  const expires_at = world.now() + access_lifetime_s * 1000;
  world.access_tokens.set(access_token, { grant_id, scopes, expires_at, ended: null });
  return {
    access_token,
    token_type: "Bearer",
    expires_in: access_lifetime_s - 1,
    ...(omit_refresh_token ? {} : { refresh_token: grant.refresh_token }),
    scope: scopes.join(","),
    api_domain: api_domain ?? world.apiOriginOf(account),
  };
}

/** `<n>.<n>.<40 hex>`. */
export function mintCode({ company_id, user_id }: Account): string {
  return `${company_id}.${user_id}.${hex(randomBytes(20))}`;
}

const ACCESS_TOKEN_BYTES = 340;

/** `v1u:…:…`, about 500 characters, with each of `+ / = :` that a careless encoder breaks. */
function mintAccessToken(): string {
  let body = "";
  while (!body.includes("+") || !body.includes("/")) body = base64(randomBytes(ACCESS_TOKEN_BYTES));
  return `v1u:${body}:${base64(randomBytes(25))}`;
}

function randomBytes(count: number) {
  return crypto.getRandomValues(new Uint8Array(count));
}

function base64(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
