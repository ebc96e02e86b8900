-- Connecting and disconnecting, by the user and by the provider.
--
-- Both win over a refresh in flight: they raise the version that it was to replace.

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
  p_client_fingerprint text default null
)
returns setof public.oauth_connections
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_now timestamptz := clock_timestamp();
  v_request oauth.authorization_requests;
  v_scope text[] := array_remove(string_to_array(coalesce(p_scope, ''), ' '), '');
begin
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

  -- A new connection begins as a disconnected one: from there on, connecting and connecting again are the same.
  insert into oauth.connections (
    id, user_id, provider, account_key, status, connected_at, refreshed_at, created_at, updated_at
  ) values (
    p_id, p_user_id, p_provider, p_account_key, 'disconnected', v_now, v_now, v_now, v_now
  )
  on conflict do nothing;

  -- All four, so that no id can be made to carry another user's or another account's tokens.
  perform
    from oauth.connections c
   where c.id = p_id
     and c.user_id = p_user_id
     and c.provider = p_provider
     and c.account_key = p_account_key
     for update;
  if not found then
    raise exception 'This id and this account belong to two different connections' using errcode = '23505';
  end if;
  update oauth.connections c
     set account_name = p_account_name,
         account_email = p_account_email,
         scope = v_scope,
         client_id = p_client_id,
         connected_at = clock_timestamp()
   where c.id = p_id;
  perform oauth.store_token_set(
    p_id, null, p_access_token_sealed, p_refresh_token_sealed, p_key_id, p_client_fingerprint, p_expires_in_ms,
    p_elapsed_ms
  );
  update oauth.authorization_requests r
     set status = 'finished',
         ticket_hash = null,
         code_sealed = null,
         code_verifier_sealed = null
   where r.id = p_request_id;
  perform oauth.record(p_id, 'connected', p_scope => v_scope);
  return query select v.* from public.oauth_connections v where v.id = p_id;
end;
$$;
revoke execute on function public.oauth_connect from public, anon, authenticated;
grant execute on function public.oauth_connect to service_role;
comment on function public.oauth_connect is
  'Stores a connection and its tokens, in place if it exists, and erases the secrets of the request it came of. Returns the connection as its owner sees it. A repeated call for the same request changes nothing.';

create function public.oauth_disconnect(p_id uuid, p_user_id uuid, p_provider text)
returns table (
  id uuid,
  provider text,
  status text,
  account jsonb,
  scope text[],
  created_at timestamptz,
  updated_at timestamptz,
  access_expires_at timestamptz,
  refresh_token_sealed text
)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  v_status text;
  v_refresh_token_sealed text;
begin
  select c.status
    into v_status
    from oauth.connections c
   where c.id = p_id
     and c.user_id = p_user_id
     and c.provider = p_provider
     for update;
  if v_status <> 'disconnected' then
    v_refresh_token_sealed := oauth.erase_token_set(p_id, 'disconnected');
  end if;
  return query
    select v.*, v_refresh_token_sealed
      from public.oauth_connections v
     where v.id = p_id
       and v_status is not null;
end;
$$;
revoke execute on function public.oauth_disconnect from public, anon, authenticated;
grant execute on function public.oauth_disconnect to service_role;
comment on function public.oauth_disconnect is
  'Erases the user''s own connection''s tokens, and answers with the connection as it is then. The sealed refresh token comes back once, to be revoked at the provider; null if there is none any more. No row: no such connection of this user at this provider.';

create function public.oauth_uninstall(p_provider text, p_account_key text, p_occurred_at timestamptz)
returns integer
language sql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
  with ended as materialized (
    select c.id
      from oauth.connections c
     where c.provider = p_provider
       and c.account_key = p_account_key
       and c.status <> 'disconnected'
       -- Notices arrive late and repeatedly. One from before the user connected again is about what has ended already.
       and (p_occurred_at is null or c.connected_at < p_occurred_at)
     order by c.id
       for update
  )
  select count(*)::integer
    from ended
   cross join lateral oauth.erase_token_set(ended.id, 'uninstalled');
$$;
revoke execute on function public.oauth_uninstall from public, anon, authenticated;
grant execute on function public.oauth_uninstall to service_role;
comment on function public.oauth_uninstall is
  'Erases the tokens of every connection of this account, whoever owns it, that was connected before p_occurred_at; null: whenever. Returns how many.';
