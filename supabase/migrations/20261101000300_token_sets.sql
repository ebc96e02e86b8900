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

create index token_sets_key_id_idx on oauth.token_sets (key_id);

revoke all on oauth.token_sets from public, anon, authenticated, service_role;
grant select, insert, update, delete on oauth.token_sets to service_role;

-- No policy: row level security then shows no row to anyone but service_role, which bypasses it.
alter table oauth.token_sets enable row level security;
alter table oauth.token_sets force row level security;

create function public.oauth_sealed_under_other_keys(p_provider text, p_key_id text, p_limit integer)
returns table (id uuid, version bigint, key_id text, access_token_sealed text, refresh_token_sealed text)
language sql
stable
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
  select c.id, c.version, s.key_id, s.access_token_sealed::text, s.refresh_token_sealed::text
    from oauth.token_sets s
    join oauth.connections c on c.id = s.connection_id
   where c.provider = p_provider
     -- Not "<>", which no index answers: nearly always there is no such row, and the sweeper asks every few minutes.
     and (s.key_id < p_key_id or s.key_id > p_key_id)
   limit coalesce(p_limit, 0);
$$;

revoke execute on function public.oauth_sealed_under_other_keys(text, text, integer) from public, anon, authenticated;
grant execute on function public.oauth_sealed_under_other_keys(text, text, integer) to service_role;

comment on function public.oauth_sealed_under_other_keys(text, text, integer) is
  'Up to p_limit token sets of a provider that are not sealed under this key, to be resealed.';

create function public.oauth_reseal(
  p_id uuid,
  p_version bigint,
  p_key_id text,
  p_access_token_sealed text,
  p_refresh_token_sealed text,
  p_new_key_id text
)
returns boolean
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
begin
  -- The connection is locked first, as by a commit. A condition on its version in the update below would be judged
  -- by the version from before the wait, and put the spent refresh token back over the one just committed.
  perform from oauth.connections c where c.id = p_id and c.version = p_version for update;
  if not found then
    return false;
  end if;
  update oauth.token_sets s
     set access_token_sealed = p_access_token_sealed,
         refresh_token_sealed = p_refresh_token_sealed,
         key_id = p_new_key_id
   where s.connection_id = p_id
     and s.key_id = p_key_id;
  return found;
end;
$$;

revoke execute on function public.oauth_reseal(uuid, bigint, text, text, text, text) from public, anon, authenticated;
grant execute on function public.oauth_reseal(uuid, bigint, text, text, text, text) to service_role;

comment on function public.oauth_reseal(uuid, bigint, text, text, text, text) is
  'Replaces the seals if version and key are still those; false if not. The tokens stay the same, so the version does.';
