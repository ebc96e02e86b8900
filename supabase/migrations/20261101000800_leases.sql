-- A lease: the sole right to refresh one connection, for a time. With it one refresh token is spent once, however many
-- callers, isolates and crashes there are.
--
-- The provider ends a refresh token when it answers. Here is only decided who asks, and what of the answers counts:
--   1. One asks. A lease on the connection's row names the holder, and ends after the holder's request must have.
--   2. Success beats failure. A token set is stored if the version it was obtained from is still the current one, even
--      when the lease has gone to someone else: the late one may hold the only token that lives.
--   3. A failure counts only from the present holder, and a refusal is final only when no earlier attempt can succeed.
--
-- An advisory lock would not do: it ends with the transaction, before the provider answers, or stays behind on a pooled
-- connection. A row lock over the provider's answer holds one of few connections for seconds. Hence columns.
--
-- Every function is one short transaction. Times are compared with clock_timestamp(), read once the row is locked:
-- now() is when the transaction began and is stale where the lock had to be waited for.

create function public.oauth_peek(p_id uuid, p_user_id uuid, p_seen_version bigint)
returns table (
  provider text,
  status text,
  version bigint,
  expires_in_ms bigint,
  fresh_in_ms bigint,
  refresh_in_ms bigint,
  busy_ms bigint,
  access_expires_at timestamptz,
  access_token_sealed text
)
language sql
stable
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
  select
    c.provider,
    c.status,
    c.version,
    oauth.milliseconds_between(t.now, c.access_expires_at),
    oauth.milliseconds_between(t.now, c.access_expires_at - c.leeway),
    oauth.milliseconds_between(t.now, c.refresh_after),
    greatest(oauth.milliseconds_between(t.now, c.lease_until), 0),
    c.access_expires_at,
    s.access_token_sealed::text
  from oauth.connections c
  cross join (select clock_timestamp() as now) t
  -- Whoever polls has no use for the token it has seen; not reading it keeps polling cheap.
  left join oauth.token_sets s on s.connection_id = c.id and c.version > p_seen_version
  where c.id = p_id
    and (p_user_id is null or c.user_id = p_user_id);
$$;

revoke execute on function public.oauth_peek(uuid, uuid, bigint) from public, anon, authenticated;
grant execute on function public.oauth_peek(uuid, uuid, bigint) to service_role;

comment on function public.oauth_peek(uuid, uuid, bigint) is
  'The door to a connection: a plain read that waits for no lock, and brings the access token if its version was not seen yet. Another user''s connection is no row; p_user_id null is a caller with the secret key.';

create function public.oauth_claim_refresh(
  p_id uuid,
  p_seen_version bigint,
  p_force boolean,
  p_request_ms integer,
  p_lease_ms integer,
  p_settle_ms integer
)
returns table (
  outcome text,
  version bigint,
  lease_id uuid,
  retry_in_ms bigint,
  expires_in_ms bigint,
  access_expires_at timestamptz,
  access_token_sealed text,
  refresh_token_sealed text
)
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  c_forced_every constant interval := interval '1 minute';
  c_forced_at_once constant integer := 10;
  v_connection oauth.connections;
  v_now timestamptz;
  v_early boolean;
  v_may_force boolean;
begin
  -- The two seconds are what a holder needs to notice that its time is up. A lease that could end during the request
  -- would let two spend the same token, which is what all of this is there to prevent.
  if (p_request_ms > 0 and p_lease_ms >= p_request_ms::bigint + 2000) is not true then
    raise exception 'p_lease_ms must be at least p_request_ms + 2000' using errcode = '22023';
  end if;
  -- Nobody refreshes while a lease lasts or while an attempt is unsettled, so neither may last for long.
  if (p_lease_ms <= 600000 and p_settle_ms between 0 and 600000) is not true then
    raise exception 'p_lease_ms and p_settle_ms must be at most 600000' using errcode = '22023';
  end if;

  select c.* into v_connection from oauth.connections c where c.id = p_id for update;
  v_now := clock_timestamp();
  v_early := v_connection.refresh_after > v_now;
  v_may_force := coalesce(p_force, false)
    and v_connection.version = p_seen_version
    and (v_connection.forced_until is null
      or v_connection.forced_until - v_now <= (c_forced_at_once - 1) * c_forced_every);
  outcome := case
    when v_connection.id is null then 'not_found'
    when v_connection.status <> 'active' then v_connection.status
    -- A newer version counts as fresh without a look at its expiry, so that a herd cannot refresh in turns.
    when v_connection.version > coalesce(p_seen_version, -1) or (v_early and not v_may_force) then 'fresh'
    when v_connection.lease_until > v_now then 'busy'
    when v_connection.next_attempt_at > v_now then 'backoff'
    else 'claimed'
  end;
  version := coalesce(v_connection.version, 0);
  retry_in_ms := oauth.milliseconds_between(v_now, case outcome
    when 'busy' then v_connection.lease_until
    when 'backoff' then v_connection.next_attempt_at
  end);
  expires_in_ms := oauth.milliseconds_between(v_now, v_connection.access_expires_at);
  access_expires_at := v_connection.access_expires_at;

  if outcome = 'fresh' then
    select s.access_token_sealed into access_token_sealed from oauth.token_sets s where s.connection_id = p_id;
  elsif outcome = 'claimed' then
    lease_id := gen_random_uuid();
    update oauth.connections c
       set lease_id = oauth_claim_refresh.lease_id,
           lease_until = v_now + p_lease_ms * interval '1 millisecond',
           claimed_at = v_now,
           attempts = c.attempts + 1,
           -- A lease still there has run out unreleased: what its holder was answered is not known, and may still be
           -- committed.
           unsettled_until = case when c.lease_id is not null
             then greatest(c.unsettled_until, v_now + p_settle_ms * interval '1 millisecond')
             else c.unsettled_until end,
           -- Only a refresh that would not have been due without it uses the allowance.
           forced_until = case when v_early
             then greatest(c.forced_until, v_now) + c_forced_every
             else c.forced_until end
     where c.id = p_id;
    select s.access_token_sealed, s.refresh_token_sealed
      into strict access_token_sealed, refresh_token_sealed
      from oauth.token_sets s
     where s.connection_id = p_id;
  end if;
  return next;
end;
$$;

revoke execute on function public.oauth_claim_refresh(uuid, bigint, boolean, integer, integer, integer) from public, anon, authenticated;
grant execute on function public.oauth_claim_refresh(uuid, bigint, boolean, integer, integer, integer) to service_role;

comment on function public.oauth_claim_refresh(uuid, bigint, boolean, integer, integer, integer) is
  'Asks for the sole right to refresh the version the caller has seen: fresh, claimed, busy, backoff, reauthorization_required, disconnected or not_found. p_force is for a token that the API refused before its time.';

create function public.oauth_claim_due(
  p_provider text,
  p_limit integer,
  p_idle_ms bigint,
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
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
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
       due.id, due.version, true, p_request_ms, p_lease_ms, p_settle_ms
     ) claim;
end;
$$;

revoke execute on function public.oauth_claim_due(text, integer, bigint, integer, integer, integer) from public, anon, authenticated;
grant execute on function public.oauth_claim_due(text, integer, bigint, integer, integer, integer) to service_role;

comment on function public.oauth_claim_due(text, integer, bigint, integer, integer, integer) is
  'Claims up to p_limit connections of a provider that were not refreshed for p_idle_ms, or whose refresh is unfinished and past its back-off. A token that merely expired is left to whoever needs it.';
