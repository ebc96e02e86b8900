-- What comes of a refresh: a success that is stored, or a failure that is recorded.
--
-- The rules are those of the leases: success beats failure, for the same version, in either order and however late;
-- a failure counts only from the present holder.

create function public.oauth_commit_refresh(
  p_id uuid,
  p_lease_id uuid,
  p_base_version bigint,
  p_access_token_sealed text,
  p_refresh_token_sealed text,
  p_key_id text,
  p_scope text,
  p_expires_in_ms bigint,
  p_elapsed_ms bigint
)
returns table (outcome text, access_expires_at timestamptz)
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
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
      update oauth.connections c set scope = v_scope where c.id = p_id;
    end if;
    access_expires_at := oauth.store_token_set(
      p_id, p_lease_id, p_access_token_sealed, p_refresh_token_sealed, p_key_id, p_expires_in_ms, p_elapsed_ms
    );
    perform oauth.record(
      p_id,
      case v_connection.status when 'active' then 'refreshed' else 'recovered' end,
      v_code,
      case when v_code is not null then v_scope end
    );
  end if;
  return next;
end;
$$;

revoke execute on function public.oauth_commit_refresh(uuid, uuid, bigint, text, text, text, text, bigint, bigint) from public, anon, authenticated;
grant execute on function public.oauth_commit_refresh(uuid, uuid, bigint, text, text, text, text, bigint, bigint) to service_role;

comment on function public.oauth_commit_refresh(uuid, uuid, bigint, text, text, text, text, bigint, bigint) is
  'Stores what a refresh of p_base_version brought: committed, already_committed (the same call again), superseded or disconnected. access_expires_at is the row''s as it is afterwards. p_scope null: as before.';

create function public.oauth_fail_refresh(p_id uuid, p_lease_id uuid, p_class text, p_wait_ms bigint, p_code text)
returns table (outcome text, retry_in_ms bigint)
language plpgsql
security invoker
set search_path = ''
set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  c_longest_wait_ms constant bigint := 86400000;
  v_connection oauth.connections;
  v_now timestamptz;
  v_code text;
  v_back_off_ms double precision;
  v_next_attempt_at timestamptz;
begin
  if (p_class in ('permanent', 'ambiguous', 'transient')) is not true then
    raise exception 'p_class must be permanent, ambiguous or transient' using errcode = '22023';
  end if;
  select c.* into v_connection from oauth.connections c where c.id = p_id for update;
  v_now := clock_timestamp();
  outcome := case
    -- Also when the lease was released already: the same call again changes nothing.
    when (v_connection.lease_id = p_lease_id) is not true then 'superseded'
    when p_class = 'permanent' and (v_connection.unsettled_until > v_now) is not true then 'reauthorization_required'
    else 'retry'
  end;
  retry_in_ms := 0;

  if outcome = 'reauthorization_required' then
    -- The refused token was the current one and nobody can still bring a newer. Whether it was withdrawn or we lost its
    -- successor is not known for certain; an answer that nobody saw makes the latter likely.
    v_code := case when v_connection.unsettled_until is null then 'grant_refused' else 'rotation_lost' end;
    update oauth.connections c
       set status = 'reauthorization_required',
           lease_id = null,
           lease_until = null,
           failure_code = v_code,
           updated_at = v_now
     where c.id = p_id;
    perform oauth.record(p_id, 'reauthorization_required', v_code);
  elsif outcome = 'retry' then
    -- What has no code's form may be the provider's text. It is not stored, but does not keep the lease from its
    -- release.
    v_code := case when p_code ~ '^[A-Za-z0-9_.-]{1,64}$' then p_code else 'unrecognized' end;
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
           failure_code = v_code
     where c.id = p_id;
    perform oauth.record(p_id, 'refresh_failed', v_code);
    retry_in_ms := oauth.milliseconds_between(v_now, v_next_attempt_at);
  end if;
  return next;
end;
$$;

revoke execute on function public.oauth_fail_refresh(uuid, uuid, text, bigint, text) from public, anon, authenticated;
grant execute on function public.oauth_fail_refresh(uuid, uuid, text, bigint, text) to service_role;

comment on function public.oauth_fail_refresh(uuid, uuid, text, bigint, text) is
  'Releases the lease and records why: retry, reauthorization_required or superseded. p_class is permanent (refused), ambiguous (may have been rotated, the answer is lost) or transient (not processed).';
