-- A revocation: the refresh token of a connection that has ended, until it has been revoked at the provider (RFC 7009).
--
-- It is left in the transaction that ends the connection, so that no crash and no outage forgets it, and is erased with
-- the provider's answer, or seven days later. Some providers keep one authorization for an account, whoever of our users
-- has connected it, and revoking a refresh token ends all of it (at Pipedrive it uninstalls the client). So the last one
-- to leave revokes, which is decided anew before each try, under the account's lock.

create table oauth.revocations (
  -- No foreign key: a connection goes with its user, and its authorization must not stay.
  connection_id uuid primary key,
  provider text not null,
  account_key text not null,
  refresh_token_sealed oauth.sealed not null,
  key_id text not null,
  attempts integer not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz not null,
  created_at timestamptz not null,
  constraint revocations_key_id_is_the_seals check (split_part(refresh_token_sealed, '.', 2) = key_id)
);

comment on table oauth.revocations is
  'What is to be revoked at a provider. Connecting the account again, or a notice that it was uninstalled there, deletes what is left for it.';
comment on column oauth.revocations.refresh_token_sealed is 'As it was sealed for its connection.';
comment on column oauth.revocations.key_id is
  'Under which key the seal was made. A key may be removed once no row names it.';

create index revocations_account_idx on oauth.revocations (provider, account_key);
create index revocations_due_idx on oauth.revocations (provider, next_attempt_at);
create index revocations_key_id_idx on oauth.revocations (key_id);

revoke all on oauth.revocations from public, anon, authenticated, service_role;
grant select, insert, update, delete on oauth.revocations to service_role;

-- No policy: nobody but service_role sees a row.
alter table oauth.revocations enable row level security;
alter table oauth.revocations force row level security;

create function oauth.account_lock(p_provider text, p_account_key text)
returns bigint
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  return hashtextextended('oauth account ' || p_provider || ':' || p_account_key, 0);
end;
$$;
revoke execute on function oauth.account_lock from public, anon, authenticated;
grant execute on function oauth.account_lock to service_role;
comment on function oauth.account_lock is
  'The advisory lock of an account at a provider. It is taken before any row is locked, or only tried.';

create function oauth.leave_revocation(p_connection oauth.connections)
returns void
language plpgsql security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  insert into oauth.revocations as r (
    connection_id, provider, account_key, refresh_token_sealed, key_id, next_attempt_at, created_at
  )
  select
    s.connection_id,
    p_connection.provider,
    p_connection.account_key,
    s.refresh_token_sealed,
    s.key_id,
    -- A token that is just being spent cannot be revoked; the one it is spent for arrives with its commit.
    coalesce(greatest(p_connection.lease_until, p_connection.unsettled_until) + interval '30 seconds', v_now),
    v_now
  from oauth.token_sets s
  where s.connection_id = p_connection.id
  on conflict (connection_id) do update
     set refresh_token_sealed = excluded.refresh_token_sealed,
         key_id = excluded.key_id,
         attempts = 0,
         next_attempt_at = excluded.next_attempt_at,
         created_at = excluded.created_at;
end;
$$;
revoke execute on function oauth.leave_revocation from public, anon, authenticated;
grant execute on function oauth.leave_revocation to service_role;
comment on function oauth.leave_revocation is
  'Leaves the refresh token of a connection that ends to be revoked: at once, or where a refresh may be under way once that must have ended.';

create function oauth.leave_deleted_revocation()
returns trigger
language plpgsql security invoker
set search_path = ''
as $$
begin
  perform oauth.leave_revocation(old);
  return old;
end;
$$;
revoke execute on function oauth.leave_deleted_revocation from public, anon, authenticated;
grant execute on function oauth.leave_deleted_revocation to service_role;
comment on function oauth.leave_deleted_revocation is
  'What deleting a connection, or its user, leaves to be revoked.';

create trigger connections_leave_a_revocation
  before delete on oauth.connections
  for each row execute function oauth.leave_deleted_revocation();

create function oauth.leave_late_revocation(
  p_id uuid,
  p_base_version bigint,
  p_refresh_token_sealed text,
  p_key_id text
)
returns void
language plpgsql security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := clock_timestamp();
begin
  -- Where nothing is left any more its token was revoked too early, while it was being spent.
  insert into oauth.revocations (
    connection_id, provider, account_key, refresh_token_sealed, key_id, next_attempt_at, created_at
  )
  select c.id, c.provider, c.account_key, p_refresh_token_sealed, p_key_id, v_now, v_now
    from oauth.connections c
    join oauth.events e on e.connection_id = c.id and e.version = c.version and e.kind = 'disconnected'
   where c.id = p_id
     -- An earlier authorization's is forgotten, as where the user has connected again.
     and c.version = p_base_version + 1
  on conflict do nothing;
  update oauth.revocations r
     set refresh_token_sealed = p_refresh_token_sealed,
         key_id = p_key_id,
         attempts = 0,
         next_attempt_at = v_now
   where r.connection_id = p_id
     and not exists (select from oauth.connections c where c.id = p_id and c.version <> p_base_version + 1);
end;
$$;
revoke execute on function oauth.leave_late_revocation from public, anon, authenticated;
grant execute on function oauth.leave_late_revocation to service_role;
comment on function oauth.leave_late_revocation is
  'Leaves what a refresh, or an exchange before that, brought after the user had ended the connection to be revoked, in place of what was left.';

create function public.oauth_claim_revocations(p_provider text, p_id uuid, p_limit integer, p_key_ids text[])
returns table (outcome text, connection_id uuid, refresh_token_sealed text)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  c_given_up_after constant interval := interval '168 hours';
  c_longest_wait constant interval := interval '6 hours';
  v_now timestamptz := clock_timestamp();
  v_revocation oauth.revocations;
begin
  for v_revocation in
    select r.*
      from oauth.revocations r
     where r.provider = p_provider
       and (p_id is null or r.connection_id = p_id)
       -- None waits longer than that: a later time is of a clock that was set back.
       and (r.next_attempt_at <= v_now or r.next_attempt_at > v_now + c_longest_wait)
       and (r.key_id = any (p_key_ids) or r.created_at <= v_now - c_given_up_after)
       -- While its user exchanges a code, this could end what that brings.
       and not exists (
         select
           from oauth.connections c
           join oauth.authorization_requests q on q.user_id = c.user_id and q.provider = c.provider
          where c.id = r.connection_id
            and oauth.is_under_way(q)
       )
     order by r.next_attempt_at
     limit coalesce(p_limit, 0)
  loop
    -- Whoever connects the account now deletes the row; whoever tries it now has set its next try.
    continue when not pg_try_advisory_xact_lock(oauth.account_lock(v_revocation.provider, v_revocation.account_key));
    if exists (
      select
        from oauth.connections c
       where c.provider = v_revocation.provider
         and c.account_key = v_revocation.account_key
         and c.status = 'active'
    ) then
      delete from oauth.revocations r where r.connection_id = v_revocation.connection_id;
    elsif v_revocation.created_at <= v_now - c_given_up_after then
      delete from oauth.revocations r
       where r.connection_id = v_revocation.connection_id
         and r.created_at = v_revocation.created_at;
      if found then
        perform oauth.record(v_revocation.connection_id, 'revocation_abandoned');
        return query select 'abandoned', v_revocation.connection_id, null::text;
      end if;
    else
      return query
        update oauth.revocations r
           set attempts = r.attempts + 1,
               next_attempt_at = v_now + least(c_longest_wait, interval '1 minute' * power(2, least(r.attempts, 10)))
         where r.connection_id = v_revocation.connection_id
           and r.next_attempt_at = v_revocation.next_attempt_at
        returning 'claimed', r.connection_id, r.refresh_token_sealed::text;
    end if;
  end loop;
end;
$$;
revoke execute on function public.oauth_claim_revocations from public, anon, authenticated;
grant execute on function public.oauth_claim_revocations to service_role;
comment on function public.oauth_claim_revocations is
  'Up to p_limit revocations of a provider that are due, longest first; p_id null: of any connection. claimed: to be tried now, and again after a time that doubles from a minute to six hours. abandoned: given up after seven days. Those of accounts that somebody has connected again, or still uses, are deleted.';

create function public.oauth_finish_revocation(p_id uuid, p_refresh_token_sealed text)
returns void
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  delete from oauth.revocations r
   where r.connection_id = p_id
     and r.refresh_token_sealed = p_refresh_token_sealed;
end;
$$;
revoke execute on function public.oauth_finish_revocation from public, anon, authenticated;
grant execute on function public.oauth_finish_revocation to service_role;
comment on function public.oauth_finish_revocation is
  'Erases what has been revoked. Where another token has taken its place, that one stays.';
