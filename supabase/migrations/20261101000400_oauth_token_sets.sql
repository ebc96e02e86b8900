-- A token set: the sealed tokens of one connection.
--
-- Apart from the connection, so that no question about a connection can answer with a secret; access and refresh
-- token apart from each other, so that reading the one never touches the other. The keys that open them are not in
-- this database.

create table oauth.token_sets (
  connection_id uuid primary key references oauth.connections (id) on delete cascade,
  access_token_sealed oauth.sealed not null,
  refresh_token_sealed oauth.sealed not null,
  key_id text not null,
  unreadable_at timestamptz,
  constraint token_sets_key_id_is_the_seals check (
    split_part(access_token_sealed, '.', 2) = key_id and split_part(refresh_token_sealed, '.', 2) = key_id
  )
);

comment on table oauth.token_sets is
  'Written in the transaction that raises the connection''s version. Erased means that the row is gone.';
comment on column oauth.token_sets.access_token_sealed is
  'JSON of access_token and api_origin: where the token is sent is sealed with it, so that no edited column can redirect it.';
comment on column oauth.token_sets.key_id is
  'Under which key both seals were made. A key may be removed once no row names it, so the check holds this to the seals themselves.';
comment on column oauth.token_sets.unreadable_at is
  'When these seals last did not open although others under the same key did: they are damaged.';

create index token_sets_key_id_idx on oauth.token_sets (key_id, unreadable_at nulls first);
create index token_sets_unreadable_at_idx on oauth.token_sets (unreadable_at) where unreadable_at is not null;

revoke all on oauth.token_sets from public, anon, authenticated, service_role;
grant select, insert, update, delete on oauth.token_sets to service_role;

-- No policy: row level security then shows no row to anyone but service_role, which bypasses it.
alter table oauth.token_sets enable row level security;
alter table oauth.token_sets force row level security;

create function oauth.store_token_set(
  p_id uuid,
  p_lease_id uuid,
  p_access_token_sealed text,
  p_refresh_token_sealed text,
  p_key_id text,
  p_client_fingerprint text,
  p_expires_in_ms bigint,
  p_elapsed_ms bigint,
  p_authorization_expires_in_ms bigint default null,
  p_refresh_ahead_ms bigint default null
)
returns timestamptz
language plpgsql security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
  -- Ten years stand for "longer than anyone will wait". An absurd number must not cost the token that came with it.
  -- Null stays: it lives until the API refuses it.
  v_life_ms bigint := case when p_expires_in_ms is not null then least(greatest(p_expires_in_ms, 0), 315360000000) end;
  v_elapsed_ms bigint := least(greatest(coalesce(p_elapsed_ms, 0), 0), 315360000000);
  v_expires_at timestamptz := v_now + (v_life_ms - v_elapsed_ms) * interval '1 millisecond';
  -- A share of the life, because a fixed margin breaks tokens that live shortly; jitter, because connections made
  -- together would otherwise be refreshed together for ever.
  v_soft_window_ms double precision := least(least(300000, 0.2 * v_life_ms) * (0.8 + 0.4 * random()), p_refresh_ahead_ms);
  v_leeway_ms double precision := least(60000, 0.1 * v_life_ms, p_refresh_ahead_ms);
begin
  -- Once the provider has rotated, these tokens exist nowhere else. Not a setting of the function: that would end with
  -- it, before the commit that has to wait for the disk.
  perform set_config('synchronous_commit', 'on', true);

  insert into oauth.token_sets as s (connection_id, access_token_sealed, refresh_token_sealed, key_id)
  values (p_id, p_access_token_sealed, p_refresh_token_sealed, p_key_id)
  on conflict (connection_id) do update
     set access_token_sealed = excluded.access_token_sealed,
         refresh_token_sealed = excluded.refresh_token_sealed,
         key_id = excluded.key_id,
         unreadable_at = null;

  update oauth.connections c
     set status = 'active',
         version = c.version + 1,
         access_expires_at = v_expires_at,
         leeway = v_leeway_ms * interval '1 millisecond',
         refresh_after = v_expires_at - v_soft_window_ms * interval '1 millisecond',
         authorization_expires_at = coalesce(
           v_now + (p_authorization_expires_in_ms - v_elapsed_ms) * interval '1 millisecond',
           c.authorization_expires_at
         ),
         lease_id = null,
         lease_until = null,
         attempts = 0,
         unsettled_until = null,
         next_attempt_at = null,
         committed_lease_id = p_lease_id,
         -- By the present holder. Of a commit that came late it is not known when its lease was given.
         refresh_ms = case when c.lease_id = p_lease_id then ceil(extract(epoch from v_now - c.claimed_at) * 1000) end,
         failure_code = null,
         client_fingerprint = p_client_fingerprint,
         refused_at = null,
         refusals = 0,
         refused_fingerprint = null,
         erase_after = null,
         refreshed_at = v_now,
         updated_at = v_now
   where c.id = p_id;
  return v_expires_at;
end;
$$;
revoke execute on function oauth.store_token_set from public, anon, authenticated;
grant execute on function oauth.store_token_set to service_role;
comment on function oauth.store_token_set is
  'Writes the tokens of a connection whose row the caller has locked. Returns when the access token expires. p_authorization_expires_in_ms null: as before; p_refresh_ahead_ms null: a share of the life.';

create function oauth.erase_token_set(p_id uuid, p_kind text)
returns void
language plpgsql security invoker
set search_path = ''
as $$
begin
  -- What the provider has ended needs no revocation.
  if p_kind <> 'uninstalled' then
    perform oauth.leave_revocation(c) from oauth.connections c where c.id = p_id;
  end if;
  delete from oauth.token_sets s where s.connection_id = p_id;
  update oauth.connections c
     set status = 'disconnected',
         version = c.version + 1,
         access_expires_at = null,
         leeway = '0',
         refresh_after = null,
         authorization_expires_at = null,
         lease_id = null,
         lease_until = null,
         attempts = 0,
         unsettled_until = null,
         next_attempt_at = null,
         committed_lease_id = null,
         refresh_ms = null,
         failure_code = null,
         client_fingerprint = null,
         refused_at = null,
         refusals = 0,
         refused_fingerprint = null,
         erase_after = null,
         updated_at = clock_timestamp()
   where c.id = p_id;
  perform oauth.record(p_id, p_kind);
end;
$$;
revoke execute on function oauth.erase_token_set from public, anon, authenticated;
grant execute on function oauth.erase_token_set to service_role;
comment on function oauth.erase_token_set is
  'Erases the tokens of a connection whose row the caller has locked; p_kind is the event that says why. Its refresh token is left to be revoked, unless the provider has ended it.';
