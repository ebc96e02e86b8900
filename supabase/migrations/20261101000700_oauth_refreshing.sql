-- Refreshing: one refresh token is spent once, however many callers, isolates and crashes there are. Whoever is to
-- spend it holds a lease: the sole right to refresh one connection, for a time.
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

create function public.oauth_peek(
  p_id uuid,
  p_user_id uuid,
  p_seen_version bigint,
  p_provider text default null
)
returns table (
  id uuid,
  provider text,
  status text,
  version bigint,
  expires_in_ms bigint,
  fresh_in_ms bigint,
  refresh_in_ms bigint,
  busy_ms bigint,
  age_ms bigint,
  access_expires_at timestamptz,
  access_token_sealed text
)
language plpgsql stable security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_ids uuid[] := array[p_id];
begin
  if p_id is null then
    v_ids := array(
      select c.id
        from oauth.connections c
       where c.user_id = p_user_id
         and c.provider = p_provider
         and c.status <> 'disconnected'
    );
  end if;
  -- The arithmetic is written out, because this is on the way of every call.
  return query
    select
      c.id,
      c.provider,
      c.status,
      c.version,
      ceil(extract(epoch from c.access_expires_at - v_now) * 1000)::bigint,
      ceil(extract(epoch from c.access_expires_at - c.leeway - v_now) * 1000)::bigint,
      ceil(extract(epoch from c.refresh_after - v_now) * 1000)::bigint,
      coalesce(least(greatest(ceil(extract(epoch from c.lease_until - v_now) * 1000), 0), 120000), 0)::bigint,
      coalesce(ceil(extract(epoch from v_now - c.refreshed_at) * 1000), 0)::bigint,
      c.access_expires_at,
      s.access_token_sealed::text
    from oauth.connections c
    -- Whoever polls has no use for the token it has seen, and whoever has several connections has to choose first.
    left join oauth.token_sets s
      on s.connection_id = c.id and c.version > p_seen_version and cardinality(v_ids) = 1
    where c.id = any (v_ids)
      and (p_user_id is null or c.user_id = p_user_id)
      and (p_provider is null or c.provider = p_provider)
    order by c.created_at, c.id;
end;
$$;
revoke execute on function public.oauth_peek from public, anon, authenticated;
grant execute on function public.oauth_peek to service_role;
comment on function public.oauth_peek is
  'The door to a connection: a plain read that waits for no lock, and brings the access token if its version was not seen yet. p_id null asks for all of the user''s at the provider that are not disconnected, oldest first, and brings the token if it is only one. Another user''s connection is no row; p_user_id null is a caller with the secret key.';

create function public.oauth_claim_refresh(
  p_id uuid,
  p_seen_version bigint,
  p_force boolean,
  p_key_ids text[],
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
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
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
  if (p_lease_ms <= 120000 and p_settle_ms between 0 and 120000) is not true then
    raise exception 'p_lease_ms and p_settle_ms must be at most 120000' using errcode = '22023';
  end if;

  select c.* into v_connection from oauth.connections c where c.id = p_id for update;
  v_now := clock_timestamp();
  -- Further ahead than any time that is ever given: the database's clock was set back.
  if v_connection.claimed_at > v_now
    or greatest(v_connection.lease_until, v_connection.unsettled_until) > v_now + interval '2 minutes'
    or v_connection.next_attempt_at > v_now + interval '24 hours'
    or v_connection.forced_until > v_now + interval '10 minutes'
  then
    -- As if it had been claimed now: a holder that lives is not overtaken, and one that does not is waited for no longer
    -- than any.
    update oauth.connections c
       set claimed_at = v_now,
           lease_until = case when c.lease_id is not null
             then least(c.lease_until, v_now + p_lease_ms * interval '1 millisecond') end,
           unsettled_until = case when c.unsettled_until is not null
             then least(c.unsettled_until, v_now + p_settle_ms * interval '1 millisecond') end,
           next_attempt_at = null,
           forced_until = null
     where c.id = p_id
    returning c.* into v_connection;
  end if;
  -- Without an end it is always before it.
  v_early := coalesce(v_connection.refresh_after > v_now, true);
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
  if outcome = 'fresh' then
    select s.access_token_sealed into access_token_sealed from oauth.token_sets s where s.connection_id = p_id;
  elsif outcome = 'claimed' then
    select s.access_token_sealed, s.refresh_token_sealed
      into access_token_sealed, refresh_token_sealed
      from oauth.token_sets s
     where s.connection_id = p_id
       and s.key_id = any (p_key_ids);
    -- Who cannot open the token must not keep it from those who can.
    outcome := case when found then 'claimed' else 'unreadable' end;
  end if;
  version := coalesce(v_connection.version, 0);
  -- Rounded up: whoever waits for as long as it says finds the moment past, not just ahead.
  retry_in_ms := coalesce(ceil(extract(epoch from case outcome
    when 'busy' then v_connection.lease_until
    when 'backoff' then v_connection.next_attempt_at
  end - v_now) * 1000), 0);
  expires_in_ms := ceil(extract(epoch from v_connection.access_expires_at - v_now) * 1000);
  access_expires_at := v_connection.access_expires_at;

  if outcome = 'claimed' then
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
  end if;
  return next;
end;
$$;
revoke execute on function public.oauth_claim_refresh from public, anon, authenticated;
grant execute on function public.oauth_claim_refresh to service_role;
comment on function public.oauth_claim_refresh is
  'Asks for the sole right to refresh the version the caller has seen: fresh, claimed, busy, backoff, unreadable (its tokens lie under a key id that is not among p_key_ids), reauthorization_required, disconnected or not_found. p_force is for a token that the API refused before its time.';

create function public.oauth_commit_refresh(
  p_id uuid,
  p_lease_id uuid,
  p_base_version bigint,
  p_access_token_sealed text,
  p_refresh_token_sealed text,
  p_key_id text,
  p_scope text,
  p_expires_in_ms bigint,
  p_elapsed_ms bigint,
  p_client_fingerprint text default null,
  p_authorization_expires_in_ms bigint default null,
  p_refresh_ahead_ms bigint default null
)
returns table (outcome text, access_expires_at timestamptz)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  v_connection oauth.connections;
  v_scope text[];
  v_code text;
begin
  select c.* into v_connection from oauth.connections c where c.id = p_id for update;
  outcome := case
    when v_connection.id is null or v_connection.status = 'disconnected' then 'disconnected'
    -- Not who holds the lease decides, but what the tokens were obtained from.
    when v_connection.version = p_base_version then 'committed'
    when v_connection.committed_lease_id = p_lease_id then 'already_committed'
    else 'superseded'
  end;
  access_expires_at := v_connection.access_expires_at;
  if outcome = 'committed' then
    if p_scope is not null then
      v_scope := array_remove(string_to_array(p_scope, ' '), '');
      v_code := case
        when not v_scope <@ v_connection.scope then 'scope_widened'
        when not v_connection.scope <@ v_scope then 'scope_narrowed'
      end;
      -- Only if it is another: each write leaves a row behind to be cleaned up.
      if v_scope <> v_connection.scope then
        update oauth.connections c set scope = v_scope where c.id = p_id;
      end if;
    end if;
    access_expires_at := oauth.store_token_set(
      p_id, p_lease_id, p_access_token_sealed, p_refresh_token_sealed, p_key_id, p_client_fingerprint, p_expires_in_ms,
      p_elapsed_ms, p_authorization_expires_in_ms, p_refresh_ahead_ms
    );
    perform oauth.record(
      p_id,
      case v_connection.status when 'active' then 'refreshed' else 'recovered' end,
      v_code,
      case when v_code is not null then v_scope end
    );
  elsif outcome = 'disconnected' then
    perform oauth.leave_late_revocation(p_id, p_base_version, p_refresh_token_sealed, p_key_id);
  end if;
  return next;
end;
$$;
revoke execute on function public.oauth_commit_refresh from public, anon, authenticated;
grant execute on function public.oauth_commit_refresh to service_role;
comment on function public.oauth_commit_refresh is
  'Stores what a refresh of p_base_version brought: committed, already_committed (the same call again), superseded or disconnected. access_expires_at is the row''s as it is afterwards. p_scope null: as before.';

create function oauth.is_refused_alone(
  p_connection oauth.connections,
  p_client_id text,
  p_client_fingerprint text
)
returns boolean
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if (p_connection.client_id = p_client_id) is not true then
    return false;
  end if;
  -- The latest of those that rest and of those with an attempt of their own: so each is looked for in the index of its
  -- queue, and the first is nearly always one.
  perform
    from (
      (
        select o.*
          from oauth.connections o
         where o.provider = p_connection.provider
           and o.status = 'active'
           and o.attempts = 0 and o.unsettled_until is null
           and o.refreshed_at > p_connection.refused_at
         order by o.refreshed_at desc
      )
      union all
      (
        select o.*
          from oauth.connections o
         where o.provider = p_connection.provider
           and o.status = 'active'
           and (o.attempts > 0 or o.unsettled_until is not null)
           and greatest(o.refreshed_at, o.claimed_at) > p_connection.refused_at
         order by greatest(o.refreshed_at, o.claimed_at) desc
      )
    ) o
   where o.id <> p_connection.id
     and o.client_fingerprint = p_client_fingerprint
     -- Sent after the refusal, not only answered: what came late by a lost lease does not count, and for connecting a
     -- minute stands.
     and o.refreshed_at - case
       when o.committed_lease_id is null then interval '1 minute'
       else o.refresh_ms * interval '1 millisecond'
     end > p_connection.refused_at
   limit 1;
  return found;
end;
$$;
revoke execute on function oauth.is_refused_alone from public, anon, authenticated;
grant execute on function oauth.is_refused_alone to service_role;
comment on function oauth.is_refused_alone is
  'Whether a refusal without a code is about this connection, not about our client: it was issued to this client id, and another connection was accepted with the same id, secret and endpoint since.';

create function public.oauth_fail_refresh(
  p_id uuid,
  p_lease_id uuid,
  p_class text,
  p_wait_ms bigint,
  p_code text,
  p_client_id text default null,
  p_client_fingerprint text default null,
  p_access_refused boolean default false
)
returns table (outcome text, retry_in_ms bigint, counts boolean)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  c_longest_wait_ms constant bigint := 86400000;
  c_refusals constant integer := 3;
  c_refused_for constant interval := interval '10 minutes';
  v_connection oauth.connections;
  v_now timestamptz;
  v_final boolean;
  v_code text;
  v_back_off_ms double precision;
  v_next_attempt_at timestamptz;
begin
  if (p_class in ('permanent', 'unexplained', 'ambiguous', 'transient', 'accepted')) is not true then
    raise exception 'p_class must be permanent, unexplained, ambiguous, transient or accepted' using errcode = '22023';
  end if;
  select c.* into v_connection from oauth.connections c where c.id = p_id for update;
  v_now := clock_timestamp();
  if p_class = 'unexplained' then
    if (v_connection.refused_fingerprint = p_client_fingerprint and v_connection.refused_at <= v_now) is not true then
      v_connection.refused_at := v_now;
      v_connection.refusals := 0;
    end if;
    v_connection.refusals := v_connection.refusals + 1;
  end if;
  counts := p_class = 'unexplained'
    and oauth.is_refused_alone(v_connection, p_client_id, p_client_fingerprint);
  v_final := p_class = 'permanent' or (
    counts
    and v_connection.refusals >= c_refusals
    and v_connection.refused_at <= v_now - c_refused_for
    -- While it serves there is time to look.
    and (v_connection.access_expires_at <= v_now or p_access_refused)
  );
  outcome := case
    -- Also when the lease was released already: the same call again changes nothing.
    when (v_connection.lease_id = p_lease_id) is not true then 'superseded'
    when v_final and (v_connection.unsettled_until > v_now) is not true then 'reauthorization_required'
    else 'retry'
  end;
  retry_in_ms := 0;

  if outcome = 'reauthorization_required' then
    -- The refused token was the current one and nobody can still bring a newer. Whether it was withdrawn or we lost its
    -- successor is not known for certain; an answer that nobody saw makes the latter likely.
    v_code := case
      when p_class = 'unexplained' then 'refused_without_code'
      when v_connection.unsettled_until is null then 'grant_refused'
      else 'rotation_lost'
    end;
    update oauth.connections c
       set status = 'reauthorization_required',
           lease_id = null,
           lease_until = null,
           failure_code = v_code,
           -- A week for somebody to say that it was a mistake.
           erase_after = v_now + case p_class when 'unexplained' then interval '7 days' else interval '1 minute' end,
           updated_at = v_now
     where c.id = p_id;
    perform oauth.record(p_id, 'reauthorization_required', v_code);
  elsif outcome = 'retry' and p_class = 'accepted' then
    v_next_attempt_at := v_now + least(greatest(p_wait_ms, 0), c_longest_wait_ms) * interval '1 millisecond';
    update oauth.connections c
       set lease_id = null,
           lease_until = null,
           attempts = 0,
           unsettled_until = null,
           next_attempt_at = v_next_attempt_at,
           failure_code = null
     where c.id = p_id;
    retry_in_ms := ceil(extract(epoch from v_next_attempt_at - v_now) * 1000);
  elsif outcome = 'retry' then
    -- What has no code's form may be the provider's text. It is not stored, but does not keep the lease from its
    -- release.
    v_code := case
      when counts then 'refused_without_code'
      when p_code ~ '^[A-Za-z0-9_.-]{1,64}$' then p_code
      else 'unrecognized'
    end;
    -- Full jitter, from half a second doubled with every attempt up to a minute.
    v_back_off_ms := greatest(
      least(p_wait_ms, c_longest_wait_ms),
      random() * least(60000, 500 * power(2, least(v_connection.attempts, 7)))
    );
    v_next_attempt_at := case p_class
      -- An earlier attempt may have the new token: whether this refusal is final will be known then.
      when 'permanent' then v_connection.unsettled_until
      else v_now + v_back_off_ms * interval '1 millisecond'
    end;
    update oauth.connections c
       set lease_id = null,
           lease_until = null,
           -- Marks that an answer may have been missed; there is nothing to wait for, its request has ended.
           unsettled_until = case p_class
             when 'ambiguous' then greatest(c.unsettled_until, v_now)
             else c.unsettled_until end,
           next_attempt_at = v_next_attempt_at,
           failure_code = v_code,
           refused_at = v_connection.refused_at,
           refusals = v_connection.refusals,
           refused_fingerprint = case p_class
             when 'unexplained' then p_client_fingerprint
             else c.refused_fingerprint end
     where c.id = p_id;
    perform oauth.record(p_id, 'refresh_failed', v_code);
    retry_in_ms := coalesce(ceil(extract(epoch from v_next_attempt_at - v_now) * 1000), 0);
  end if;
  return next;
end;
$$;
revoke execute on function public.oauth_fail_refresh from public, anon, authenticated;
grant execute on function public.oauth_fail_refresh to service_role;
comment on function public.oauth_fail_refresh is
  'Releases the lease and records why: retry, reauthorization_required or superseded. p_class is permanent (refused), unexplained (refused without an error code), ambiguous (may have been rotated, the answer is lost), transient (not processed) or accepted (nothing was spent: the access token at hand is good, and nobody looks again for p_wait_ms). counts: an unexplained refusal is about this connection and not about our client.';
