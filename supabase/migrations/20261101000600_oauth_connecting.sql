-- Connecting and disconnecting, by the user and by the provider.
--
-- Both win over a refresh in flight: they raise the version that it was to replace.

-- A notice that an account has uninstalled the client is sent once, and may come while the account's first connection is
-- on its way: there is no row yet that could keep its time.

create table oauth.uninstallations (
  provider text not null,
  account_key text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null,
  primary key (provider, account_key)
);

comment on table oauth.uninstallations is
  'The latest notice of an account, for a day: what was exchanged before it is not connected by it.';

create index uninstallations_received_at_idx on oauth.uninstallations (received_at);

revoke all on oauth.uninstallations from public, anon, authenticated, service_role;
grant select, insert, update, delete on oauth.uninstallations to service_role;

-- No policy: nobody but service_role sees a row.
alter table oauth.uninstallations enable row level security;
alter table oauth.uninstallations force row level security;

create function public.oauth_connect(
  p_id uuid,
  p_user_id uuid,
  p_provider text,
  p_account_key text,
  p_account_name text,
  p_account_email text,
  p_scope text,
  p_access_token_sealed text,
  p_refresh_token_sealed text,
  p_key_id text,
  p_expires_in_ms bigint,
  p_elapsed_ms bigint,
  p_request_id text,
  p_client_id text default null,
  p_client_fingerprint text default null,
  p_exchange_ms bigint default 0,
  p_authorization_expires_in_ms bigint default null,
  p_refresh_ahead_ms bigint default null,
  p_refreshable boolean default true
)
returns setof public.oauth_connections
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_request oauth.authorization_requests;
  v_exchanged_at timestamptz;
  v_latest timestamptz;
  v_scope text[] := array_remove(string_to_array(coalesce(p_scope, ''), ' '), '');
begin
  -- Before any row: whoever is to revoke for this account decides under the same lock whether anybody still uses it.
  perform pg_advisory_xact_lock(oauth.account_lock(p_provider, p_account_key));
  select r.* into v_request from oauth.authorization_requests r where r.id = p_request_id for update;
  if v_request.status = 'finished' and v_request.user_id = p_user_id then
    -- The answer to the first call was lost. The tokens it stored may have been refreshed since: they stay.
    return query select v.* from public.oauth_connection(p_id, p_user_id) v;
    if found then
      return;
    end if;
  end if;
  -- A request that has been purged meanwhile does not stand in the way of tokens that were obtained in time.
  if v_request.id is not null
    and (v_request.user_id, v_request.provider, v_request.status) is distinct from (p_user_id, p_provider, 'taken')
  then
    raise exception 'The authorization request was not taken by this user at this provider' using errcode = '22023';
  end if;

  -- From when the database knew, not from when this arrived: a call that was held up is not a later exchange.
  v_exchanged_at := least(coalesce(v_request.taken_at + p_exchange_ms * interval '1 millisecond', v_now), v_now);

  -- A new connection begins as a disconnected one: from there on, connecting and connecting again are the same.
  insert into oauth.connections (
    id, user_id, provider, account_key, status, exchanged_at, refreshed_at, created_at, updated_at
  )
  select
    p_id, p_user_id, p_provider, p_account_key, 'disconnected',
    coalesce((
      select u.occurred_at
        from oauth.uninstallations u
       where u.provider = p_provider
         and u.account_key = p_account_key
    ), v_exchanged_at),
    v_now, v_now, v_now
  on conflict do nothing;

  -- All four, so that no id can be made to carry another user's or another account's tokens.
  select c.exchanged_at
    into v_latest
    from oauth.connections c
   where c.id = p_id
     and c.user_id = p_user_id
     and c.provider = p_provider
     and c.account_key = p_account_key
     for update;
  if not found then
    raise exception 'This id and this account belong to two different connections' using errcode = '23505';
  end if;
  update oauth.authorization_requests r
     set status = 'finished',
         connection_id = p_id,
         code_sealed = null,
         code_verifier_sealed = null
   where r.id = p_request_id;
  -- Another tab may have exchanged its code later, or an end have come after this exchange, and been stored first: at
  -- a provider that keeps one authorization for an account these tokens are dead. A time that lies ahead is of a clock
  -- that was set back since, and decides nothing.
  if (v_latest > v_exchanged_at and v_latest <= clock_timestamp()) is not true then
    update oauth.connections c
       set account_name = p_account_name,
           account_email = p_account_email,
           scope = v_scope,
           client_id = p_client_id,
           -- Of the authorization before.
           authorization_expires_at = null,
           refreshable = p_refreshable,
           exchanged_at = v_exchanged_at
     where c.id = p_id;
    perform oauth.store_token_set(
      p_id, null, p_access_token_sealed, p_refresh_token_sealed, p_key_id, p_client_fingerprint, p_expires_in_ms,
      p_elapsed_ms, p_authorization_expires_in_ms, p_refresh_ahead_ms
    );
    perform oauth.record(p_id, 'connected', p_scope => v_scope);
    -- Revoking what an earlier connection of the account has left could end this one with it.
    delete from oauth.revocations r where r.provider = p_provider and r.account_key = p_account_key;
  else
    -- Where it was the user's own end, this authorization is meant too, and it may be the one that still lives.
    perform oauth.leave_late_revocation(p_id, c.version - 1, p_refresh_token_sealed, p_key_id)
       from oauth.connections c
      where c.id = p_id;
  end if;
  return query select v.* from public.oauth_connections v where v.id = p_id;
end;
$$;
revoke execute on function public.oauth_connect from public, anon, authenticated;
grant execute on function public.oauth_connect to service_role;
comment on function public.oauth_connect is
  'Stores a connection and its tokens, in place if it exists, and erases the secrets of the request it came of. An exchange earlier than the one that is stored, or than the end of the connection, changes nothing of it, and if its user ended it is left to be revoked; a repeated call for the same request changes nothing. Returns the connection as its owner sees it. p_exchange_ms is what passed between the request''s being taken and its code''s being exchanged.';

create function public.oauth_disconnect(p_id uuid, p_user_id uuid, p_provider text)
returns setof public.oauth_connections
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_status text;
begin
  select c.status
    into v_status
    from oauth.connections c
   where c.id = p_id
     and c.user_id = p_user_id
     and c.provider = p_provider
     for update;
  if not found then
    return;
  end if;
  -- Also of one that has ended: what was exchanged before this, and is stored after it, is not what the user wants.
  update oauth.connections c set exchanged_at = clock_timestamp() where c.id = p_id;
  if v_status <> 'disconnected' then
    perform oauth.erase_token_set(p_id, 'disconnected');
  end if;
  return query select v.* from public.oauth_connections v where v.id = p_id;
end;
$$;
revoke execute on function public.oauth_disconnect from public, anon, authenticated;
grant execute on function public.oauth_disconnect to service_role;
comment on function public.oauth_disconnect is
  'Erases the user''s own connection''s tokens, leaves the refresh token to be revoked, and answers with the connection as it is then. No row: no such connection of this user at this provider.';

create function public.oauth_uninstall(
  p_provider text,
  p_account_key text,
  p_occurred_at timestamptz,
  p_age_ms bigint default 0
)
returns integer
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- One that names no time is about what there was when it came, and not about what was connected while it was repeated.
  v_before timestamptz := coalesce(
    p_occurred_at, v_now - greatest(p_age_ms, 0) * interval '1 millisecond' + interval '1 microsecond'
  );
  v_connection oauth.connections;
  v_ended integer := 0;
begin
  -- Under the account's lock a connection that is just being stored is either seen below or sees this.
  perform pg_advisory_xact_lock(oauth.account_lock(p_provider, p_account_key));
  insert into oauth.uninstallations as u (provider, account_key, occurred_at, received_at)
  values (p_provider, p_account_key, least(v_before, v_now), v_now)
  on conflict (provider, account_key) do update
     set occurred_at = greatest(u.occurred_at, excluded.occurred_at),
         received_at = excluded.received_at;
  for v_connection in
    select c.*
      from oauth.connections c
     where c.provider = p_provider
       and c.account_key = p_account_key
       -- Notices arrive late and repeatedly. One from before the user connected again is about what has ended already.
       and (c.exchanged_at < v_before or (p_occurred_at is null and c.exchanged_at > v_now))
     order by c.id
       for update
  loop
    update oauth.connections c
       set exchanged_at = greatest(c.exchanged_at, least(v_before, clock_timestamp()))
     where c.id = v_connection.id;
    if v_connection.status <> 'disconnected' then
      perform oauth.erase_token_set(v_connection.id, 'uninstalled');
      v_ended := v_ended + 1;
    end if;
  end loop;
  -- The provider has ended what was to be revoked.
  delete from oauth.revocations r
   where r.provider = p_provider
     and r.account_key = p_account_key
     and r.created_at < v_before;
  return v_ended;
end;
$$;
revoke execute on function public.oauth_uninstall from public, anon, authenticated;
grant execute on function public.oauth_uninstall to service_role;
comment on function public.oauth_uninstall is
  'Erases the tokens of every connection of this account, whoever owns it, that was connected before p_occurred_at; null: before the notice came, p_age_ms ago. Nothing of it is left to be revoked. Returns how many.';
