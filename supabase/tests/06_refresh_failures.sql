-- What a refresh that fails means: when the next may try, and when the user must.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(78);

insert into auth.users (id) values ('a11ce000-0000-4000-8000-000000000000'), ('b0b00000-0000-4000-8000-000000000000');

set local role service_role;

create function pg_temp.alice() returns uuid language sql as $$ select 'a11ce000-0000-4000-8000-000000000000'::uuid $$;
create function pg_temp.id() returns uuid language sql as $$ select 'a0000000-0000-8000-8000-000000000001'::uuid $$;

create function pg_temp.connect(
  p_token text default '1', p_id uuid default pg_temp.id(), p_account_key text default '7:1',
  p_expires_in_ms bigint default 3600000
) returns bigint language sql as $$
  select public.oauth_connect(
    p_id, pg_temp.alice(), 'pipedrive', p_account_key, null, null, 'base',
    'v1.k1.iv.access-' || p_token, 'v1.k1.iv.refresh-' || p_token, 'k1', p_expires_in_ms, 0, null
  );
  select version from oauth.connections where id = p_id
$$;
create function pg_temp.row() returns oauth.connections language sql as $$
  select c from oauth.connections c where c.id = pg_temp.id()
$$;
create function pg_temp.tokens() returns text language sql as $$
  select access_token_sealed || ' ' || refresh_token_sealed from oauth.token_sets where connection_id = pg_temp.id()
$$;

-- Lets this much time pass for the connection.
create function pg_temp.pass(p_time interval, p_id uuid default pg_temp.id()) returns void language sql as $$
  update oauth.connections
     set access_expires_at = access_expires_at - p_time, refresh_after = refresh_after - p_time,
         lease_until = lease_until - p_time, unsettled_until = unsettled_until - p_time,
         next_attempt_at = next_attempt_at - p_time, forced_until = forced_until - p_time,
         refreshed_at = refreshed_at - p_time, connected_at = connected_at - p_time
   where id = p_id
$$;
-- What the callers were answered, by their names.
create temp table leases (holder text primary key, lease_id uuid, retry_in_ms bigint, tokens text);

create function pg_temp.claim(p_holder text, p_seen bigint, p_force boolean default false) returns text
language plpgsql as $$
declare
  v_claim record;
begin
  select * into strict v_claim from public.oauth_claim_refresh(pg_temp.id(), p_seen, p_force, 20000, 25000, 30000);
  insert into leases values (
    p_holder, v_claim.lease_id, v_claim.retry_in_ms,
    concat_ws(' ', v_claim.access_token_sealed, v_claim.refresh_token_sealed)
  )
  on conflict (holder) do update
     set (lease_id, retry_in_ms, tokens) =
         row (excluded.lease_id, excluded.retry_in_ms, excluded.tokens);
  return v_claim.outcome || ' ' || v_claim.version;
end;
$$;
create function pg_temp.of(p_holder text) returns leases language sql as $$
  select l from leases l where holder = p_holder
$$;
create function pg_temp.commit(
  p_holder text, p_base bigint, p_token text, p_scope text default null, p_expires_in_ms bigint default 3600000
) returns text language plpgsql as $$
declare
  v_outcome text;
begin
  select outcome into v_outcome from public.oauth_commit_refresh(
    pg_temp.id(), (pg_temp.of(p_holder)).lease_id, p_base, 'v1.k1.iv.access-' || p_token, 'v1.k1.iv.refresh-' || p_token,
    'k1', p_scope, p_expires_in_ms, 250
  );
  return v_outcome || ' ' || (pg_temp.row()).version;
end;
$$;
create function pg_temp.fail(p_holder text, p_class text, p_code text default 'code', p_wait_ms bigint default 0)
returns text language sql as $$
  select outcome from public.oauth_fail_refresh(
    pg_temp.id(), (pg_temp.of(p_holder)).lease_id, p_class, p_wait_ms, p_code
  )
$$;
-- What happened since this was last asked.
create temp table told (id bigint);
insert into told values (0);
create function pg_temp.events() returns text[] language sql as $$
  with news as (select * from oauth.events e where e.connection_id = pg_temp.id() and e.id > (select id from told)),
  seen as (update told set id = greatest(id, (select max(id) from news)))
  select array_agg(concat_ws(' ', kind, version, code) order by id) from news
$$;

create function pg_temp.no_lease() returns boolean language sql as $$
  select c.lease_id is null and c.lease_until is null and c.attempts = 0 and c.unsettled_until is null
     and c.next_attempt_at is null from pg_temp.row() c
$$;

select is(pg_temp.connect(), 1::bigint, 'Alice is connected');
select isnt(pg_temp.events(), null, 'which is recorded');

-- A failure that may pass

select pg_temp.pass('1 hour');
select is(pg_temp.claim('first', 1), 'claimed 1', 'the token expires again');
select is(pg_temp.fail('first', 'transient', 'http_503', 7000), 'retry', 'the provider is not available');
select ok(
  (select retry_in_ms between 6000 and 7000 from public.oauth_claim_refresh(pg_temp.id(), 1, false, 20000, 25000, 30000)
    where outcome = 'backoff'),
  'nobody asks before the time the provider gave'
);
select is(pg_temp.fail('first', 'transient', 'http_503', 60000), 'superseded', 'the failure repeated changes nothing');
select is(pg_temp.claim('forcing', 1, true), 'backoff 1', 'force does not hurry it');
select is((pg_temp.row()).failure_code, 'http_503', 'the row has the reason');
select is((pg_temp.row()).unsettled_until, null, 'nothing is unsettled');
select is(pg_temp.events(), '{refresh_failed 1 http_503}', 'and an event, too');
select pg_temp.pass('7 s');
select is(pg_temp.claim('second', 1), 'claimed 1', 'then the next may ask');
select is((pg_temp.row()).attempts, 2, 'for the second time');
select is((pg_temp.row()).unsettled_until, null, 'a lease that was given back is not taken over');
select is(
  pg_temp.fail('second', 'transient', 'Sorry, your refresh token abc123 is …'), 'retry', 'the provider says something of its own'
);
select is(pg_temp.events(), '{refresh_failed 1 unrecognized}', 'which is not repeated');
select is((pg_temp.row()).failure_code, 'unrecognized', 'nowhere');
select ok(
  (pg_temp.row()).next_attempt_at <= clock_timestamp() + interval '2 s', 'without a time given, two attempts wait 2 s at most'
);
update oauth.connections set attempts = 2000 where id = pg_temp.id();
select pg_temp.pass('2 s');
select is(pg_temp.claim('third', 1), 'claimed 1', 'after very many attempts');
select is(pg_temp.fail('third', 'transient', 'http_503'), 'retry', 'which all failed');
select ok(
  (pg_temp.row()).next_attempt_at <= clock_timestamp() + interval '1 minute', 'the next one is a minute off at most'
);
select throws_ok(
  $$ select public.oauth_fail_refresh(pg_temp.id(), gen_random_uuid(), 'other', 0, 'code') $$, '22023', null,
  'a class nobody knows is refused'
);
select throws_ok(
  $$ select public.oauth_fail_refresh(pg_temp.id(), gen_random_uuid(), null, 0, 'code') $$, '22023', null,
  'so is none'
);
select is((pg_temp.row()).status, 'active', 'after all of that the connection is as it was');
select pg_temp.pass('1 minute');
select is(pg_temp.claim('fourth', 1), 'claimed 1', 'and the next attempt');
select is(pg_temp.commit('fourth', 1, '2'), 'committed 2', 'succeeds');
select is((pg_temp.row()).failure_code, null, 'the reason of old failures is forgotten');
select isnt(pg_temp.events(), null, 'but not by the history');

-- A refusal is final when nobody can bring a newer token

select pg_temp.pass('1 hour');
select is(pg_temp.claim('first', 2), 'claimed 2', 'the token expires again');
select is(
  pg_temp.fail('first', 'permanent', 'invalid_grant'), 'reauthorization_required', 'the provider refuses the refresh token'
);
select is((pg_temp.row()).status, 'reauthorization_required', 'the user must connect again');
select is(
  pg_temp.events(), '{reauthorization_required 2 grant_refused}', 'no answer was missed: the grant was withdrawn'
);
select is((pg_temp.row()).failure_code, 'grant_refused', 'the row has the reason');
select is(pg_temp.claim('second', 2), 'reauthorization_required 2', 'nobody asks any more');
select is((pg_temp.of('second')).tokens, '', 'nor gets a token');
select is(
  (select status from public.oauth_peek(pg_temp.id(), null, -1)), 'reauthorization_required', 'a peek tells it'
);
select is(pg_temp.commit('first', 2, '3'), 'committed 3', 'a success that arrives after all revives the connection');
select is((pg_temp.row()).status, 'active', 'it is active');
select is((pg_temp.row()).failure_code, null, 'without a reason of failure');
select is(pg_temp.events(), '{recovered 3}', 'an event tells of that');

-- A holder that vanished

select pg_temp.pass('1 hour');
select is(pg_temp.claim('paused', 3), 'claimed 3', 'a holder is paused with the lease');
select pg_temp.pass('26 s');
select is(pg_temp.claim('next', 3), 'claimed 3', 'when the lease has run out it is taken over');
select is((pg_temp.row()).attempts, 2, 'it is the second attempt');
select ok(
  (pg_temp.row()).unsettled_until between clock_timestamp() + interval '25 s' and clock_timestamp() + interval '30 s',
  'the first is unsettled: its success may still come'
);
select is(pg_temp.fail('paused', 'permanent', 'invalid_grant'), 'superseded', 'its failure does not count any more');
select is((pg_temp.row()).lease_id, (pg_temp.of('next')).lease_id, 'and does not end the lease of the next');
select is(
  pg_temp.fail('next', 'permanent', 'invalid_grant'), 'retry', 'that the next is refused is not final while it may come'
);
select ok(
  (pg_temp.row()).next_attempt_at = (pg_temp.row()).unsettled_until, 'it will be known when the first is settled'
);
select is(pg_temp.events(), '{refresh_failed 3 invalid_grant}', 'the refusal is recorded as a failure');
select is(pg_temp.claim('impatient', 3), 'backoff 3', 'until then nobody asks');
select is(pg_temp.commit('paused', 3, '4'), 'committed 4', 'it comes, and is stored though the lease is gone');
select ok(pg_temp.no_lease(), 'nothing is unsettled any more');
select is(pg_temp.events(), '{refreshed 4}', 'an event tells of it');

-- A success that comes during the next holder's attempt

select pg_temp.pass('1 hour');
select is(pg_temp.claim('paused', 4), 'claimed 4', 'again a holder is paused');
select pg_temp.pass('26 s');
select is(pg_temp.claim('next', 4), 'claimed 4', 'and overtaken');
select is(pg_temp.commit('paused', 4, '5'), 'committed 5', 'its success is stored while the next is asking');
select is(pg_temp.fail('next', 'permanent', 'invalid_grant'), 'superseded', 'that the next is refused does not matter');
select is(pg_temp.commit('next', 4, 'x'), 'superseded 5', 'nor would its success');
select is((pg_temp.row()).status, 'active', 'the connection lives');

-- A holder that never comes back

select pg_temp.pass('1 hour');
select is(pg_temp.claim('crashed', 5), 'claimed 5', 'a holder crashes');
select pg_temp.pass('26 s');
select is(pg_temp.claim('next', 5), 'claimed 5', 'and is overtaken');
select is(pg_temp.fail('next', 'permanent', 'invalid_grant'), 'retry', 'the next is refused');
select pg_temp.pass('31 s');
select is(pg_temp.claim('last', 5), 'claimed 5', 'when nothing can come any more another asks');
select isnt(pg_temp.events(), null, 'so far all is recorded');
select is(pg_temp.fail('last', 'permanent', 'invalid_grant'), 'reauthorization_required', 'and its refusal is final');
select is(
  pg_temp.events(), '{reauthorization_required 5 rotation_lost}', 'an answer was missed: we may have lost the token'
);
select is(pg_temp.commit('crashed', 5, '6'), 'committed 6', 'even after that its success would be stored');
select is(pg_temp.events(), '{recovered 6}', 'and the connection recovered');

-- An answer that was lost

select pg_temp.pass('1 hour');
select is(pg_temp.claim('first', 6), 'claimed 6', 'the token expires again');
select is(pg_temp.fail('first', 'ambiguous', 'timeout'), 'retry', 'the provider''s answer is lost');
select ok((pg_temp.row()).unsettled_until <= clock_timestamp(), 'that is marked, but nobody waits for it');
select pg_temp.pass('1 s');
select is(pg_temp.claim('second', 6), 'claimed 6', 'another asks');
select is(pg_temp.fail('second', 'transient', 'http_429'), 'retry', 'is turned away');
select isnt((pg_temp.row()).unsettled_until, null, 'which leaves the mark');
select pg_temp.pass('2 s');
select is(pg_temp.claim('third', 6), 'claimed 6', 'a third asks');
select is(pg_temp.fail('third', 'permanent', 'invalid_grant'), 'reauthorization_required', 'and is refused');
select is((pg_temp.row()).failure_code, 'rotation_lost', 'the answer that was lost may have had the token');
select is(pg_temp.connect('7'), 7::bigint, 'Alice connects again');
select isnt(pg_temp.events(), null, 'which is all recorded');

select * from finish();
rollback;
