-- A connection: one user's lasting authorization at one provider account.
--
-- The row is also what a refresh locks. It holds the lease, the version and the failure state, and no token: waiters
-- that poll it never read past a secret.

create table oauth.connections (
  -- Computed by the caller from provider, account key and user, so that tokens are sealed for an id that exists only
  -- once they are stored.
  id uuid primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  provider text not null check (provider ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  account_key text not null check (account_key <> ''),
  account_name text,
  account_email text,
  scope text[] not null default '{}',
  status text not null check (status in ('active', 'reauthorization_required', 'disconnected')),

  version bigint not null default 0 check (version >= 0),
  access_expires_at timestamptz,
  leeway interval not null default '0' check (leeway >= interval '0'),
  refresh_after timestamptz,
  authorization_expires_at timestamptz,
  refreshable boolean not null default true,

  lease_id uuid,
  lease_until timestamptz,
  claimed_at timestamptz,
  attempts integer not null default 0 check (attempts >= 0),
  unsettled_until timestamptz,
  next_attempt_at timestamptz,
  committed_lease_id uuid,
  refresh_ms bigint,
  failure_code text,
  forced_until timestamptz,

  client_id text,
  client_fingerprint text,
  refused_at timestamptz,
  refusals integer not null default 0 check (refusals >= 0),
  refused_fingerprint text,
  erase_after timestamptz,

  exchanged_at timestamptz not null,
  refreshed_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,

  constraint connections_account_is_one_row unique (provider, account_key, user_id),
  constraint connections_lease_has_holder_and_end check ((lease_id is null) = (lease_until is null)),
  constraint connections_lease_is_on_active check (lease_id is null or status = 'active'),
  constraint connections_claim_is_counted check (lease_id is null or attempts > 0),
  constraint connections_tokens_have_times check (
    (access_expires_at is null) = (refresh_after is null)
    and (status <> 'disconnected' or (access_expires_at is null and authorization_expires_at is null))
  ),
  constraint connections_soft_window_precedes_expiry check (refresh_after <= access_expires_at)
);

comment on table oauth.connections is
  'One row per user and provider account; connecting again updates it in place, so its id stays.';
comment on column oauth.connections.account_key is
  'Whom the connection speaks for, as the provider numbers it.';
comment on column oauth.connections.version is
  'Counts the writes of tokens: connect, refresh, connect again, disconnect, uninstall. A refresh may only replace the version that it spent.';
comment on column oauth.connections.access_expires_at is
  'Database time at the write + the lifetime the provider gave - what the exchange took. Null while there are tokens: the access token lives until the API refuses it.';
comment on column oauth.connections.leeway is
  'How long before its expiry the access token already counts as expired, so that it does not expire on its way.';
comment on column oauth.connections.refresh_after is
  'Start of the soft window. Its jitter is fixed when the tokens are written, so that all callers agree on it.';
comment on column oauth.connections.authorization_expires_at is
  'When the authorization ends unless somebody refreshes or connects again: the refresh token''s end, of disuse or fixed, or the access token''s where there is no refresh token. Null: no end is known.';
comment on column oauth.connections.refreshable is
  'False: no refresh token came. Nothing is due before the access token''s end, and no sweep looks at it for disuse.';
comment on column oauth.connections.lease_id is
  'The holder''s lease. One that ended unreleased stays here, so that the next claim knows of an answer nobody saw.';
comment on column oauth.connections.claimed_at is 'When the last lease was given.';
comment on column oauth.connections.attempts is
  'Claims since tokens were last written: the exponent of the back-off, and the bound on token requests per version.';
comment on column oauth.connections.unsettled_until is
  'Not null: an attempt on this version ended without its answer being seen. Until this time it may still commit, so a refusal is not final.';
comment on column oauth.connections.committed_lease_id is
  'The lease that wrote the current version. It makes a repeated commit recognisable.';
comment on column oauth.connections.refresh_ms is
  'What the refresh that brought these tokens took its holder, from the lease to the commit: what somebody may have waited for. Null for tokens of connecting, and for those that came after their lease had gone to someone else.';
comment on column oauth.connections.failure_code is
  'The last reason, null since the last success. While reauthorization is required: grant_refused, rotation_lost or refused_without_code.';
comment on column oauth.connections.forced_until is
  'The allowance of forced refreshes in one column (GCRA): a force is allowed while this is at most 9 minutes ahead, and moves it by one.';
comment on column oauth.connections.client_id is
  'To which client the authorization was issued.';
comment on column oauth.connections.client_fingerprint is
  'With which client id, secret and token endpoint these tokens were obtained: a keyed hash, so that it can be compared and tells nothing.';
comment on column oauth.connections.refused_at is
  'When a token request for these tokens was first refused without an error code; with refusals and refused_fingerprint null or 0 if it never was.';
comment on column oauth.connections.refusals is
  'How often that happened, to the client of refused_fingerprint.';
comment on column oauth.connections.erase_after is
  'When the tokens of a connection for which reauthorization is required may be erased.';
comment on column oauth.connections.exchanged_at is
  'When the code was exchanged that this authorization came of, or when it was ended. What is earlier is about an authorization before it: a token set that is stored late, a notice of an uninstallation. Refreshes leave it alone.';
comment on column oauth.connections.refreshed_at is
  'When tokens were last obtained. Refresh tokens die of long disuse.';
comment on column oauth.connections.updated_at is
  'The last change that an owner can see; leases and failed attempts are not.';

-- The provider comes second because that is how the rows of one user are asked for.
create index connections_user_id_provider_idx on oauth.connections (user_id, provider);
-- The sweeper's two queues, each in its order: a row that failed stands in the second alone, behind what was tried before.
create index connections_idle_idx on oauth.connections (provider, refreshed_at)
  where status = 'active' and attempts = 0 and unsettled_until is null;
create index connections_unfinished_idx on oauth.connections (provider, greatest(refreshed_at, claimed_at))
  where status = 'active' and (attempts > 0 or unsettled_until is not null);
create index connections_erase_after_idx on oauth.connections (erase_after) where erase_after is not null;

revoke all on oauth.connections from public, anon, authenticated, service_role;
-- No delete: a connection goes with its user, or stays as disconnected.
grant select, insert, update on oauth.connections to service_role;
-- The columns of the owner's view. user_id is not among them: the policy may read it all the same.
grant select (
  id, provider, status, account_key, account_name, account_email, scope, created_at, updated_at, access_expires_at,
  authorization_expires_at
) on oauth.connections to authenticated;

alter table oauth.connections enable row level security;
alter table oauth.connections force row level security;

create policy "Owners read their own connections"
  on oauth.connections for select to authenticated
  using ((select auth.uid()) = user_id);

create view public.oauth_connections
with (security_invoker = true)
as
select
  id,
  provider,
  status,
  jsonb_strip_nulls(jsonb_build_object('id', account_key, 'name', account_name, 'email', account_email)) as account,
  scope,
  created_at,
  updated_at,
  access_expires_at,
  authorization_expires_at
from oauth.connections;

comment on view public.oauth_connections is
  'What an owner may know of a connection. security_invoker: row level security is the reader''s own.';

revoke all on public.oauth_connections from public, anon, authenticated, service_role;
grant select on public.oauth_connections to authenticated, service_role;

create function public.oauth_connection(p_id uuid, p_user_id uuid)
returns setof public.oauth_connections
language plpgsql stable security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  return query
    select v.*
      from public.oauth_connections v
      join oauth.connections c on c.id = v.id
     where c.id = p_id
       and (p_user_id is null or c.user_id = p_user_id);
end;
$$;
revoke execute on function public.oauth_connection from public, anon, authenticated;
grant execute on function public.oauth_connection to service_role;
comment on function public.oauth_connection is
  'One connection as its owner sees it. Another user''s is no row; p_user_id null is a caller with the secret key.';
