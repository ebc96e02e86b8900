-- An authorization request: what a user began, until the same user completes it.
--
-- started --the provider redirects--> parked --the application completes--> taken --the connection is stored--> finished
--    |                                   ^                                  | |
--    '--the provider says no--> denied   '--no final answer, try again------' '--the code is spent, or refused--> refused
--
-- The redirect arrives without a login, so it stores no tokens: it parks the code behind a ticket, and the request can
-- be taken only by the user who began it, with the binding of the page that began it. Of two that race for a step one
-- makes it. An answer may be lost, so the same step asked for again is told what became of it, until the request expires.

create table oauth.authorization_requests (
  id text primary key,
  user_id uuid not null references auth.users (id) on delete cascade,
  provider text not null,
  status text not null default 'started' check (status in ('started', 'parked', 'taken', 'finished', 'refused', 'denied')),
  binding_hash text not null,
  redirect_uri text not null,
  return_to text not null,
  code_verifier_sealed oauth.sealed,
  ticket_hash text unique,
  code_sealed oauth.sealed,
  taken_at timestamptz,
  taken_by uuid,
  exchanges integer not null default 0 check (exchanges >= 0),
  connection_id uuid,
  created_at timestamptz not null,
  expires_at timestamptz not null,

  constraint authorization_requests_ticket_brings_a_code check (
    (ticket_hash is not null) = (status in ('parked', 'taken', 'finished', 'refused'))
    and (code_sealed is not null) = (status in ('parked', 'taken'))
  ),
  constraint authorization_requests_end_erases_secrets check (
    status not in ('finished', 'refused', 'denied') or code_verifier_sealed is null
  ),
  constraint authorization_requests_are_short_lived check (expires_at <= created_at + interval '10 minutes')
);

comment on table oauth.authorization_requests is
  'Kept until they expire, so that a state or ticket used twice is known as used.';
comment on column oauth.authorization_requests.id is
  'SHA-256 of the state. Whoever reads this table can answer for nobody.';
comment on column oauth.authorization_requests.binding_hash is
  'SHA-256 of the value that the beginning page keeps: a planted link completes in no other.';
comment on column oauth.authorization_requests.redirect_uri is
  'As sent. The token request must repeat it exactly (RFC 6749, section 4.1.3).';
comment on column oauth.authorization_requests.ticket_hash is
  'SHA-256 of what the redirect handed to the application: always the same for one state and code.';
comment on column oauth.authorization_requests.taken_at is
  'When the code was last handed out to be exchanged.';
comment on column oauth.authorization_requests.taken_by is
  'To which attempt: should the answer be lost, it may ask again.';
comment on column oauth.authorization_requests.exchanges is 'How often it was.';
comment on column oauth.authorization_requests.connection_id is 'What came of it.';

create index authorization_requests_user_id_idx on oauth.authorization_requests (user_id, expires_at);
create index authorization_requests_expires_at_idx on oauth.authorization_requests (expires_at);

revoke all on oauth.authorization_requests from public, anon, authenticated, service_role;
grant select, insert, update, delete on oauth.authorization_requests to service_role;

-- No policy: nobody but service_role sees a row.
alter table oauth.authorization_requests enable row level security;
alter table oauth.authorization_requests force row level security;

create function oauth.requests_lock(p_user_id uuid)
returns bigint
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  return hashtextextended('oauth.authorization_requests ' || p_user_id, 0);
end;
$$;
revoke execute on function oauth.requests_lock from public, anon, authenticated;
grant execute on function oauth.requests_lock to service_role;
comment on function oauth.requests_lock is
  'The advisory lock under which a user''s requests are counted. It is taken before any row is locked.';

create function oauth.is_under_way(p_request oauth.authorization_requests)
returns boolean
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  -- Longer than an exchange, learning the account and storing can take together.
  return p_request.status = 'taken' and p_request.taken_at > clock_timestamp() - interval '2 minutes';
end;
$$;
revoke execute on function oauth.is_under_way from public, anon, authenticated;
grant execute on function oauth.is_under_way to service_role;
comment on function oauth.is_under_way is
  'Whether somebody is just exchanging the code, or storing what that has brought.';

create function public.oauth_begin_authorization(
  p_id text,
  p_user_id uuid,
  p_provider text,
  p_binding_hash text,
  p_redirect_uri text,
  p_return_to text,
  p_code_verifier_sealed text,
  p_lifetime_ms bigint,
  p_limit integer
)
returns table (outcome text, expires_at timestamptz)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  v_now timestamptz;
begin
  if (p_lifetime_ms between 1 and 600000) is not true then
    raise exception 'p_lifetime_ms must be from 1 to 600000' using errcode = '22023';
  end if;
  -- Counting and inserting must not interleave with the same user's other requests. There is no row to lock while a
  -- user has none; this lock ends with the transaction.
  perform pg_advisory_xact_lock(oauth.requests_lock(p_user_id));
  v_now := clock_timestamp();
  if coalesce(p_limit, 0) <= (
    select count(*)
      from oauth.authorization_requests r
     where r.user_id = p_user_id
       and r.expires_at > v_now
  ) then
    return query select 'too_many', null::timestamptz;
    return;
  end if;
  return query
    insert into oauth.authorization_requests as r (
      id, user_id, provider, binding_hash, redirect_uri, return_to, code_verifier_sealed, created_at, expires_at
    ) values (
      p_id, p_user_id, p_provider, p_binding_hash, p_redirect_uri, p_return_to, p_code_verifier_sealed,
      v_now, v_now + p_lifetime_ms * interval '1 millisecond'
    )
    returning 'begun', r.expires_at;
end;
$$;
revoke execute on function public.oauth_begin_authorization from public, anon, authenticated;
grant execute on function public.oauth_begin_authorization to service_role;
comment on function public.oauth_begin_authorization is
  'begun, or too_many if the user has already begun p_limit that have not expired, whatever became of them.';

create function public.oauth_receive_authorization_response(
  p_id text,
  p_provider text,
  p_ticket_hash text,
  p_code_sealed text
)
returns table (return_to text)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
begin
  update oauth.authorization_requests r
     set status = case when p_ticket_hash is null then 'denied' else 'parked' end,
         ticket_hash = p_ticket_hash,
         code_sealed = p_code_sealed,
         code_verifier_sealed = case when p_ticket_hash is null then null else r.code_verifier_sealed end
   where r.id = p_id
     -- A response to one provider's request does not arrive on another's path (mix-up, RFC 9700, section 4.4).
     and r.provider = p_provider
     and r.status = 'started'
     and r.expires_at > v_now;
  -- A repeat too: what is stored is what it says.
  return query
    select r.return_to
      from oauth.authorization_requests r
     where r.id = p_id
       and r.provider = p_provider
       and r.status <> 'started'
       and r.ticket_hash is not distinct from p_ticket_hash
       and r.expires_at > v_now;
end;
$$;
revoke execute on function public.oauth_receive_authorization_response from public, anon, authenticated;
grant execute on function public.oauth_receive_authorization_response to service_role;
comment on function public.oauth_receive_authorization_response is
  'Parks the code behind a ticket; both null is a denial, which uses the request up. The same response again changes nothing. No row: unknown, answered otherwise, expired, or another provider''s.';

create function public.oauth_take_authorization(
  p_provider text,
  p_ticket_hash text,
  p_binding_hash text,
  p_user_id uuid,
  p_attempt_id uuid
)
returns table (
  outcome text,
  id text,
  redirect_uri text,
  code_sealed text,
  code_verifier_sealed text,
  connection_id uuid
)
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
#variable_conflict use_column
declare
  -- What somebody who invents codes, or a page that tries again and again, may send to the provider in ten minutes.
  c_refused_at_most constant integer := 5;
  c_exchanges_at_most constant integer := 20;
  v_now timestamptz;
  v_request oauth.authorization_requests;
begin
  perform pg_advisory_xact_lock(oauth.requests_lock(p_user_id));
  v_now := clock_timestamp();
  -- All in one condition: a try by the wrong user or from the wrong page changes nothing, the right one still can.
  select r.*
    into v_request
    from oauth.authorization_requests r
   where r.ticket_hash = p_ticket_hash
     and r.binding_hash = p_binding_hash
     and r.user_id = p_user_id
     and r.provider = p_provider
     and r.expires_at > v_now
     for update;
  outcome := case
    when v_request.status = 'finished' then 'finished'
    when v_request.status = 'parked' then 'taken'
    -- The answer to the first call was lost.
    when v_request.status = 'taken' and v_request.taken_by = p_attempt_id then 'taken'
    when oauth.is_under_way(v_request) then 'under_way'
  end;
  if v_request.status = 'parked' and exists (
    select
      from oauth.authorization_requests r
     where r.user_id = p_user_id
       and r.expires_at > v_now
    -- What is under way may be refused too.
    having count(*) filter (where r.status in ('taken', 'refused')) >= c_refused_at_most
        or sum(r.exchanges) >= c_exchanges_at_most
  ) then
    outcome := 'too_many';
  elsif v_request.status = 'parked' then
    update oauth.authorization_requests r
       set status = 'taken', taken_at = clock_timestamp(), taken_by = p_attempt_id, exchanges = r.exchanges + 1
     where r.id = v_request.id;
  end if;
  return query
    select outcome, v_request.id, v_request.redirect_uri, v_request.code_sealed::text,
           v_request.code_verifier_sealed::text, v_request.connection_id
     where outcome is not null;
end;
$$;
revoke execute on function public.oauth_take_authorization from public, anon, authenticated;
grant execute on function public.oauth_take_authorization to service_role;
comment on function public.oauth_take_authorization is
  'taken: hands out a parked code, once, to the user who began. under_way: that has happened, and its end is not known yet. finished: connection_id is what came of it. too_many: of the user''s codes five were refused, or twenty handed out, in the last ten minutes. No row: unknown, refused, expired, or someone else''s.';

create function public.oauth_return_authorization(p_ticket_hash text, p_attempt_id uuid, p_refused boolean)
returns void
language plpgsql security invoker
set search_path = '' set lock_timeout = '2s'
as $$
begin
  update oauth.authorization_requests r
     set status = case when p_refused then 'refused' else 'parked' end,
         code_sealed = case when p_refused then null else r.code_sealed end,
         code_verifier_sealed = case when p_refused then null else r.code_verifier_sealed end
   where r.ticket_hash = p_ticket_hash
     and r.status = 'taken'
     -- Asked again, it must not give back what somebody else has taken since.
     and r.taken_by = p_attempt_id;
end;
$$;
revoke execute on function public.oauth_return_authorization from public, anon, authenticated;
grant execute on function public.oauth_return_authorization to service_role;
comment on function public.oauth_return_authorization is
  'Ends what this attempt has taken: p_refused, because the code is of no more use. Else the request is put back, where the code was not sent or the provider gave no final answer, and expires when it would have.';
