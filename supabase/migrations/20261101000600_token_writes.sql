-- The two writes of tokens: one stores a token set, one erases it.
--
-- Whatever connects, refreshes or disconnects goes through here, so that each raises the version by one and clears what
-- belonged to the tokens that are gone: no refresh in flight can then write over them.

create function oauth.store_token_set(
  p_id uuid,
  p_lease_id uuid,
  p_access_token_sealed text,
  p_refresh_token_sealed text,
  p_key_id text,
  p_expires_in_ms bigint,
  p_elapsed_ms bigint
)
returns timestamptz
language plpgsql
security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- Ten years stand for "longer than anyone will wait". An absurd number must not cost the token that came with it.
  v_life_ms bigint := least(greatest(coalesce(p_expires_in_ms, 0), 0), 315360000000);
  v_elapsed_ms bigint := least(greatest(coalesce(p_elapsed_ms, 0), 0), 315360000000);
  v_expires_at timestamptz := v_now + (v_life_ms - v_elapsed_ms) * interval '1 millisecond';
  -- A share of the life, because a fixed margin breaks tokens that live shortly; jitter, because connections made
  -- together would otherwise be refreshed together for ever.
  v_soft_window_ms double precision := least(300000, 0.2 * v_life_ms) * (0.8 + 0.4 * random());
  v_leeway_ms double precision := least(60000, 0.1 * v_life_ms);
begin
  -- Once the provider has rotated, these tokens exist nowhere else. Not a setting of the function: that would end with
  -- it, before the commit that has to wait for the disk.
  perform set_config('synchronous_commit', 'on', true);

  insert into oauth.token_sets as s (connection_id, access_token_sealed, refresh_token_sealed, key_id)
  values (p_id, p_access_token_sealed, p_refresh_token_sealed, p_key_id)
  on conflict (connection_id) do update
     set access_token_sealed = excluded.access_token_sealed,
         refresh_token_sealed = excluded.refresh_token_sealed,
         key_id = excluded.key_id;

  update oauth.connections c
     set status = 'active',
         version = c.version + 1,
         access_expires_at = v_expires_at,
         leeway = v_leeway_ms * interval '1 millisecond',
         refresh_after = v_expires_at - v_soft_window_ms * interval '1 millisecond',
         lease_id = null,
         lease_until = null,
         attempts = 0,
         unsettled_until = null,
         next_attempt_at = null,
         committed_lease_id = p_lease_id,
         -- By the present holder. Of a commit that came late it is not known when its lease was given.
         refresh_ms = case when c.lease_id = p_lease_id then oauth.milliseconds_between(c.claimed_at, v_now) end,
         failure_code = null,
         refreshed_at = v_now,
         updated_at = v_now
   where c.id = p_id;
  return v_expires_at;
end;
$$;

revoke execute on function oauth.store_token_set(uuid, uuid, text, text, text, bigint, bigint) from public, anon, authenticated;
grant execute on function oauth.store_token_set(uuid, uuid, text, text, text, bigint, bigint) to service_role;

comment on function oauth.store_token_set(uuid, uuid, text, text, text, bigint, bigint) is
  'Writes the tokens of a connection whose row the caller has locked. Returns when the access token expires.';

create function oauth.erase_token_set(p_id uuid, p_kind text)
returns text
language plpgsql
security invoker
set search_path = ''
as $$
declare
  v_refresh_token_sealed text;
begin
  delete from oauth.token_sets s where s.connection_id = p_id returning s.refresh_token_sealed into v_refresh_token_sealed;
  update oauth.connections c
     set status = 'disconnected',
         version = c.version + 1,
         access_expires_at = null,
         leeway = '0',
         refresh_after = null,
         lease_id = null,
         lease_until = null,
         attempts = 0,
         unsettled_until = null,
         next_attempt_at = null,
         committed_lease_id = null,
         refresh_ms = null,
         failure_code = null,
         updated_at = clock_timestamp()
   where c.id = p_id;
  perform oauth.record(p_id, p_kind);
  return v_refresh_token_sealed;
end;
$$;

revoke execute on function oauth.erase_token_set(uuid, text) from public, anon, authenticated;
grant execute on function oauth.erase_token_set(uuid, text) to service_role;

comment on function oauth.erase_token_set(uuid, text) is
  'Erases the tokens of a connection whose row the caller has locked; p_kind is the event that says why. Returns the sealed refresh token, to be revoked at the provider.';
