-- Sweeping: what nobody asks for and somebody must do. What would die of disuse is refreshed, what was left unfinished
-- is finished, what lies under an old key is sealed anew, what nobody needs any more is deleted.
--
-- Each call takes so many and comes back for more, and two sweeps at once share the work instead of waiting for each
-- other.

create function public.oauth_claim_due(
  p_provider text,
  p_limit integer,
  p_failed boolean,
  p_idle_ms bigint,
  p_key_ids text[],
  p_request_ms integer,
  p_lease_ms integer,
  p_settle_ms integer
)
returns table (
  id uuid,
  outcome text,
  version bigint,
  lease_id uuid,
  retry_in_ms bigint,
  expires_in_ms bigint,
  access_expires_at timestamptz,
  access_token_sealed text,
  refresh_token_sealed text
)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
begin
  -- Two queues, because what fails again and again must not stand in the way of what would succeed. Each is read in the
  -- order of its index. A row that is locked is being claimed or committed right now: not due any more. Nor is what a
  -- claim would answer with busy, backoff or fresh: it would come again and again.
  return query
    with idle as materialized (
      select c.id, c.version
        from oauth.connections c
       where not p_failed
         and c.provider = p_provider
         and c.status = 'active'
         and c.attempts = 0 and c.unsettled_until is null
         and c.refreshable
         and c.refreshed_at <= v_now - p_idle_ms * interval '1 millisecond'
         and (c.refresh_after <= v_now or (c.forced_until <= v_now + interval '9 minutes') is not false)
         and exists (
           select from oauth.token_sets s where s.connection_id = c.id and s.key_id = any (p_key_ids)
         )
       order by c.refreshed_at
       limit coalesce(p_limit, 0)
         for update skip locked
    ), unfinished as materialized (
      select c.id, c.version
        from oauth.connections c
       where p_failed
         and c.provider = p_provider
         and c.status = 'active'
         and (c.attempts > 0 or c.unsettled_until is not null)
         and (
           ((c.lease_until is null or c.lease_until <= v_now) and (c.next_attempt_at is null or c.next_attempt_at <= v_now))
           -- Times from before the clock was set back: the claim mends them.
           or c.claimed_at > v_now
           or c.lease_until > v_now + interval '2 minutes'
           or c.next_attempt_at > v_now + interval '24 hours'
         )
         and (c.refresh_after <= v_now or (c.forced_until <= v_now + interval '9 minutes') is not false)
         and exists (
           select from oauth.token_sets s where s.connection_id = c.id and s.key_id = any (p_key_ids)
         )
       order by greatest(c.refreshed_at, c.claimed_at)
       limit coalesce(p_limit, 0)
         for update skip locked
    ), due as (
      select * from idle union all select * from unfinished
    )
    select due.id, claim.*
      from due
     cross join lateral public.oauth_claim_refresh(
       due.id, due.version, true, p_key_ids, p_request_ms, p_lease_ms, p_settle_ms
     ) claim;
end;
$$;
revoke execute on function public.oauth_claim_due from public, anon, authenticated;
grant execute on function public.oauth_claim_due to service_role;
comment on function public.oauth_claim_due is
  'Claims up to p_limit connections of a provider, the longest untried first. p_failed false: those that were not refreshed for p_idle_ms and have no failed attempt. True: those whose refresh failed or is unfinished, past its back-off. A token that merely expired is left to whoever needs it, one under another key than p_key_ids to whoever has that key.';

create table oauth.last_sweep (
  only_one boolean primary key default true check (only_one),
  began_at timestamptz not null,
  offered text[] not null
);

comment on table oauth.last_sweep is
  'When the last sweep of everything began, and the providers that were offered: whose settings the functions have. What another provider''s connections need nobody does.';

revoke all on oauth.last_sweep from public, anon, authenticated, service_role;
grant select, insert, update on oauth.last_sweep to service_role;

alter table oauth.last_sweep enable row level security;
alter table oauth.last_sweep force row level security;

create function public.oauth_begin_sweep(p_offered text[])
returns void
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  insert into oauth.last_sweep (began_at, offered) values (clock_timestamp(), p_offered)
  on conflict (only_one) do update set began_at = excluded.began_at, offered = excluded.offered;
end;
$$;
revoke execute on function public.oauth_begin_sweep from public, anon, authenticated;
grant execute on function public.oauth_begin_sweep to service_role;
comment on function public.oauth_begin_sweep is
  'Keeps when a sweep began and which providers are offered, for health.';

create table oauth.unreadable_keys (
  key_id text primary key,
  found_at timestamptz not null
);

comment on table oauth.unreadable_keys is
  'The key ids in use under which the last sweep could open nothing: its TOKEN_ENCRYPTION_KEYS lacks them, or has another key by that id.';

revoke all on oauth.unreadable_keys from public, anon, authenticated, service_role;
grant select, insert, delete on oauth.unreadable_keys to service_role;

alter table oauth.unreadable_keys enable row level security;
alter table oauth.unreadable_keys force row level security;

create function public.oauth_keys_in_use(p_samples integer)
returns table (key_id text, marked boolean, id uuid, provider text, refresh_token_sealed text)
language plpgsql stable security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
begin
  return query
    -- From one key id to the next through the index: "select distinct" would read all of it.
    with recursive in_use as (
      select least(
        (select min(s.key_id) from oauth.token_sets s), (select min(r.key_id) from oauth.revocations r)
      ) as key_id
      union all
      select least(
        (select min(s.key_id) from oauth.token_sets s where s.key_id > u.key_id),
        (select min(r.key_id) from oauth.revocations r where r.key_id > u.key_id)
      )
        from in_use u
       where u.key_id is not null
    )
    select
      u.key_id,
      exists (select from oauth.token_sets s where s.key_id = u.key_id and s.unreadable_at is not null)
        or exists (select from oauth.unreadable_keys k where k.key_id = u.key_id),
      sample.*
    from in_use u
    cross join lateral (
      (
        select s.connection_id, c.provider, s.refresh_token_sealed::text
          from oauth.token_sets s
          join oauth.connections c on c.id = s.connection_id
         where s.key_id = u.key_id
         order by s.unreadable_at nulls first
         limit coalesce(p_samples, 0)
      )
      union all
      (
        select r.connection_id, r.provider, r.refresh_token_sealed::text
          from oauth.revocations r
         where r.key_id = u.key_id
         limit coalesce(p_samples, 0)
      )
    ) sample;
end;
$$;
revoke execute on function public.oauth_keys_in_use from public, anon, authenticated;
grant execute on function public.oauth_keys_in_use to service_role;
comment on function public.oauth_keys_in_use is
  'The key ids under which tokens are sealed, each with up to p_samples of the connections'' and of what is left to be revoked, to be tried. marked: something under it did not open before.';

create function public.oauth_mark_unreadable(
  p_provider text,
  p_key_ids text[],
  p_ids uuid[],
  p_refresh_tokens_sealed text[]
)
returns table (key_id text, unreadable bigint)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
begin
  -- By the seal that was tried: what took its place meanwhile may open.
  update oauth.token_sets s
     set unreadable_at = clock_timestamp()
    from unnest(p_ids, p_refresh_tokens_sealed) as tried (id, refresh_token_sealed)
   where s.connection_id = tried.id
     and s.refresh_token_sealed = tried.refresh_token_sealed;
  delete from oauth.unreadable_keys k where (k.key_id = any (p_key_ids)) is not true;
  insert into oauth.unreadable_keys (key_id, found_at)
  select unnest(p_key_ids), clock_timestamp()
  on conflict do nothing;
  return query
    select closed.key_id, count(*)
      from (
        select s.key_id
          from oauth.token_sets s
          join oauth.connections c on c.id = s.connection_id
         where c.provider = p_provider
           and (s.key_id = any (p_key_ids) or s.unreadable_at is not null)
        union all
        select r.key_id from oauth.revocations r where r.provider = p_provider and r.key_id = any (p_key_ids)
      ) closed
     group by closed.key_id
     order by closed.key_id;
end;
$$;
revoke execute on function public.oauth_mark_unreadable from public, anon, authenticated;
grant execute on function public.oauth_mark_unreadable to service_role;
comment on function public.oauth_mark_unreadable is
  'Keeps what a sweep could not open: all that lies under p_key_ids, and single token sets. Returns how many of the provider that are, by key id.';

create function public.oauth_sealed_under_other_keys(p_provider text, p_key_ids text[], p_limit integer)
returns table (id uuid, access_token_sealed text, refresh_token_sealed text)
language plpgsql stable security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
begin
  return query
    select sealed.connection_id, sealed.access_token_sealed::text, sealed.refresh_token_sealed::text
      from unnest(p_key_ids) as other (key_id)
     cross join lateral (
       (
         select s.connection_id, s.access_token_sealed, s.refresh_token_sealed, s.unreadable_at
           from oauth.token_sets s
           join oauth.connections c on c.id = s.connection_id and c.provider = p_provider
          where s.key_id = other.key_id
          order by s.unreadable_at nulls first
          limit coalesce(p_limit, 0)
       )
       union all
       (
         select r.connection_id, null, r.refresh_token_sealed, null
           from oauth.revocations r
          where r.provider = p_provider
            and r.key_id = other.key_id
          limit coalesce(p_limit, 0)
       )
     ) sealed
     -- What did not open before takes no place of what may.
     order by sealed.unreadable_at nulls first
     limit coalesce(p_limit, 0);
end;
$$;
revoke execute on function public.oauth_sealed_under_other_keys from public, anon, authenticated;
grant execute on function public.oauth_sealed_under_other_keys to service_role;
comment on function public.oauth_sealed_under_other_keys is
  'Up to p_limit token sets of a provider that are sealed under one of these keys, to be resealed; without an access token what is left to be revoked.';

create function public.oauth_reseal(
  p_id uuid,
  p_sealed text,
  p_access_token_sealed text,
  p_refresh_token_sealed text,
  p_key_id text
)
returns boolean
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  -- By the refresh token's seal, which no two writes share: a condition on the row that is written is judged anew where
  -- a commit had to be waited for. By the connection's version it would be judged as it was before the wait, and put the
  -- spent token back over the one just committed.
  if p_access_token_sealed is null then
    update oauth.revocations r
       set refresh_token_sealed = p_refresh_token_sealed,
           key_id = p_key_id
     where r.connection_id = p_id
       and r.refresh_token_sealed = p_sealed;
  else
    update oauth.token_sets s
       set access_token_sealed = p_access_token_sealed,
           refresh_token_sealed = p_refresh_token_sealed,
           key_id = p_key_id,
           unreadable_at = null
     where s.connection_id = p_id
       and s.refresh_token_sealed = p_sealed;
  end if;
  return found;
end;
$$;
revoke execute on function public.oauth_reseal from public, anon, authenticated;
grant execute on function public.oauth_reseal to service_role;
comment on function public.oauth_reseal is
  'Replaces the seals if p_sealed is still the refresh token''s; false if not. The tokens stay the same, so the version does.';

create function public.oauth_purge(p_limit integer)
returns integer
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  -- Once: read anew for each row it would be no condition of an index, which would then be read whole.
  v_now timestamptz := clock_timestamp();
  v_events integer;
  v_requests integer;
  v_token_sets integer;
begin
  -- Two sweepers do not queue for the same rows: what one leaves, the next sweep takes. Events are not locked one by
  -- one, because that needs the right to change them, and nobody has it.
  if not pg_try_advisory_xact_lock(hashtextextended('oauth_purge', 0)) then
    return 0;
  end if;
  -- Arrays, because a join with many would rather read the whole table.
  delete from oauth.events e
   where e.id = any (array(
     select o.id
       from oauth.events o
      where o.kept_until <= v_now
      order by o.kept_until
      limit coalesce(p_limit, 0)
   ));
  get diagnostics v_events = row_count;
  delete from oauth.authorization_requests r
   where r.id = any (array(
     select e.id
       from oauth.authorization_requests e
      -- Not before whoever still stores what came of one has ended: a repeat of that must find it finished.
      where e.expires_at <= v_now - interval '2 minutes'
      order by e.expires_at
      limit coalesce(p_limit, 0)
      -- One that is just being completed is left to the next sweep, not waited for.
        for update skip locked
   ));
  get diagnostics v_requests = row_count;
  with ended as (
    select c.id
      from oauth.connections c
     where c.erase_after <= v_now
       and c.status = 'reauthorization_required'
     order by c.erase_after
     limit coalesce(p_limit, 0)
       for update skip locked
  ), kept as (
    -- The row stays, and its version: what a late commit brings is still taken.
    update oauth.connections c set erase_after = null from ended where c.id = ended.id
  )
  delete from oauth.token_sets s using ended where s.connection_id = ended.id;
  get diagnostics v_token_sets = row_count;
  delete from oauth.uninstallations u where u.received_at <= v_now - interval '24 hours';
  return v_events + v_requests + v_token_sets;
end;
$$;
revoke execute on function public.oauth_purge from public, anon, authenticated;
grant execute on function public.oauth_purge to service_role;
comment on function public.oauth_purge is
  'Deletes events whose time has passed, requests that have expired and token sets that nothing can refresh any more, up to p_limit of each, the longest past first. Returns how many.';
