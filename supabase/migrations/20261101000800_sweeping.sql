-- Sweeping: what nobody asks for and somebody must do. What would die of disuse is refreshed, what was left unfinished
-- is finished, what lies under an old key is sealed anew, what nobody needs any more is deleted.
--
-- Each call takes so many and comes back for more, and two sweeps at once share the work instead of waiting for each
-- other.

create function public.oauth_claim_due(
  p_provider text,
  p_limit integer,
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
  return query
    with due as materialized (
      select c.id, c.version
        from oauth.connections c
       where c.provider = p_provider
         and c.status = 'active'
         and (
           c.refreshed_at <= v_now - p_idle_ms * interval '1 millisecond'
           or c.attempts > 0
           or c.unsettled_until is not null
         )
         -- What a claim would answer with busy, backoff or fresh is not due: it would come again and again.
         and (c.lease_until <= v_now) is not false
         and (c.next_attempt_at <= v_now) is not false
         and (c.refresh_after <= v_now or (c.forced_until <= v_now + interval '9 minutes') is not false)
       order by c.refreshed_at
       limit coalesce(p_limit, 0)
       -- A row that is locked is being claimed or committed right now: not due any more.
         for update skip locked
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
  'Claims up to p_limit connections of a provider that were not refreshed for p_idle_ms, or whose refresh is unfinished and past its back-off. A token that merely expired is left to whoever needs it.';

create function public.oauth_sealed_under_other_keys(p_provider text, p_key_id text, p_limit integer)
returns table (id uuid, version bigint, key_id text, access_token_sealed text, refresh_token_sealed text)
language sql stable security invoker
set search_path = '' set lock_timeout = '2s'
as $$
  select c.id, c.version, s.key_id, s.access_token_sealed::text, s.refresh_token_sealed::text
    from oauth.token_sets s
    join oauth.connections c on c.id = s.connection_id
   where c.provider = p_provider
     -- Not "<>", which no index answers: nearly always there is no such row, and the sweeper asks every few minutes.
     and (s.key_id < p_key_id or s.key_id > p_key_id)
   limit coalesce(p_limit, 0);
$$;
revoke execute on function public.oauth_sealed_under_other_keys from public, anon, authenticated;
grant execute on function public.oauth_sealed_under_other_keys to service_role;
comment on function public.oauth_sealed_under_other_keys is
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
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
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
revoke execute on function public.oauth_reseal from public, anon, authenticated;
grant execute on function public.oauth_reseal to service_role;
comment on function public.oauth_reseal is
  'Replaces the seals if version and key are still those; false if not. The tokens stay the same, so the version does.';

create function public.oauth_purge(p_limit integer)
returns integer
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
declare
  v_events integer;
  v_requests integer;
begin
  -- Two sweepers do not queue for the same rows: what one leaves, the next sweep takes. Events are not locked one by
  -- one, because that needs the right to change them, and nobody has it.
  if not pg_try_advisory_xact_lock(hashtextextended('oauth_purge', 0)) then
    return 0;
  end if;
  delete from oauth.events e
   where e.id in (
     select o.id
       from oauth.events o
      where o.kept_until <= clock_timestamp()
      order by o.kept_until
      limit coalesce(p_limit, 0)
   );
  get diagnostics v_events = row_count;
  delete from oauth.authorization_requests r
   where r.id in (
     select e.id
       from oauth.authorization_requests e
      where e.expires_at <= clock_timestamp()
      order by e.expires_at
      limit coalesce(p_limit, 0)
      -- One that is just being completed is left to the next sweep, not waited for.
        for update skip locked
   );
  get diagnostics v_requests = row_count;
  return v_events + v_requests;
end;
$$;
revoke execute on function public.oauth_purge from public, anon, authenticated;
grant execute on function public.oauth_purge to service_role;
comment on function public.oauth_purge is
  'Deletes events whose time has passed and requests that have expired, up to p_limit of each, the longest past first. Returns how many.';
