-- How one refresh token is spent once, however many ask and whatever fails. Time passes by backdating the row.
begin;
create extension if not exists pgtap with schema extensions;
set local search_path = public, extensions;
select plan(73);

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

-- A young token set

select is(pg_temp.connect(), 1::bigint, 'Alice is connected');
select is(pg_temp.events(), '{connected 1}', 'which is recorded');
select results_eq(
  $$ select provider, status, version, busy_ms, access_token_sealed from public.oauth_peek(pg_temp.id(), pg_temp.alice(), -1) $$,
  $$ values ('pipedrive', 'active', 1::bigint, 0::bigint, 'v1.k1.iv.access-1') $$,
  'a peek brings the access token'
);
select ok(
  p.expires_in_ms between 3590000 and 3600000 and p.expires_in_ms - p.fresh_in_ms = 60000
    and p.expires_in_ms - p.refresh_in_ms between 240000 and 360000,
  'and how long it lives, is fresh, and may be left alone'
) from public.oauth_peek(pg_temp.id(), pg_temp.alice(), -1) p;
select is(
  (select access_token_sealed from public.oauth_peek(pg_temp.id(), null, 1)), null,
  'a peek brings no token that was seen already'
);
select is_empty(
  $$ select public.oauth_peek(pg_temp.id(), 'b0b00000-0000-4000-8000-000000000000', -1) $$,
  'to another user there is no such connection'
);
select is(pg_temp.claim('early', 1), 'fresh 1', 'a token set that is young is not refreshed');
select is((pg_temp.of('early')).tokens, 'v1.k1.iv.access-1', 'the claim brings its access token, and no refresh token');
select is(
  (select outcome || ' ' || version from public.oauth_claim_refresh(gen_random_uuid(), 1, false, 20000, 25000, 30000)),
  'not_found 0', 'of an unknown connection there is nothing to claim'
);

-- A lease must outlast its request

select throws_ok(
  $$ select public.oauth_claim_refresh(pg_temp.id(), 1, false, 20000, 21999, 30000) $$, '22023', null,
  'a lease that may end during the request is refused'
);
select throws_ok(
  format('select public.oauth_claim_refresh(pg_temp.id(), 1, false, %s)', times), '22023', null,
  'so are lease times of ' || times
) from unnest(array[
  'null, 25000, 30000', '20000, null, 30000', '20000, 25000, null', '0, 25000, 30000', '20000, 25000, -1',
  '2147483647, 2147483647, 0', '20000, 2147483647, 30000', '20000, 25000, 2147483647'
]) times;

-- One asks

select pg_temp.pass('56 minutes');
select is(pg_temp.claim('first', 1), 'claimed 1', 'in the soft window the first to ask gets the lease');
select is((pg_temp.of('first')).tokens, 'v1.k1.iv.access-1 v1.k1.iv.refresh-1', 'and both tokens');
select is((pg_temp.row()).unsettled_until, null, 'it takes it over from nobody');
select is(pg_temp.claim('second', 1), 'busy 1', 'the next finds it busy');
select is((pg_temp.of('second')).tokens, '', 'and gets no token');
select is((pg_temp.of('second')).lease_id, null, 'and no lease');
select ok((pg_temp.of('second')).retry_in_ms between 20000 and 25000, 'but how long the lease lasts');
select ok(
  (select busy_ms between 20000 and 25000 from public.oauth_peek(pg_temp.id(), null, 1)), 'which a peek tells as well'
);
select is(pg_temp.claim('forcing', 1, true), 'busy 1', 'force does not break a lease');
select is((pg_temp.row()).forced_until, null, 'nor does it cost of the allowance');
set local synchronous_commit = off;
select is(pg_temp.commit('first', 1, '2'), 'committed 2', 'the holder commits');
select is(current_setting('synchronous_commit'), 'on', 'and is not answered before the tokens are on disk');
select is(pg_temp.tokens(), 'v1.k1.iv.access-2 v1.k1.iv.refresh-2', 'the tokens are replaced, both');
select ok(pg_temp.no_lease(), 'nothing of the lease remains');
select is(pg_temp.events(), '{refreshed 2}', 'one event tells of it, and how many claims it took');
select ok(
  (pg_temp.row()).access_expires_at - (pg_temp.row()).refreshed_at = interval '59:59.75' minute to second,
  'what the exchange took is off the lifetime'
);
select is(pg_temp.claim('second', 1), 'fresh 2', 'whoever waited finds the new version fresh');
select is((pg_temp.of('second')).tokens, 'v1.k1.iv.access-2', 'and gets its access token');

-- A commit again, and a commit too late

select is(pg_temp.commit('first', 1, '2'), 'already_committed 2', 'a commit whose answer was lost may be repeated');
select is((pg_temp.row()).version, 2::bigint, 'and raises the version once');
insert into leases values ('stranger', gen_random_uuid());
select is(pg_temp.commit('stranger', 1, 'x'), 'superseded 2', 'a second success of the same base comes too late');
select is(pg_temp.tokens(), 'v1.k1.iv.access-2 v1.k1.iv.refresh-2', 'and changes nothing');
select is(pg_temp.fail('first', 'permanent'), 'superseded', 'a failure after the success changes nothing either');
select is(pg_temp.events(), null, 'none of these is recorded');

-- A herd on a token that lives shorter than it takes to use it

select pg_temp.pass('1 hour');
select is(pg_temp.claim('first', 2), 'claimed 2', 'an expired token is refreshed');
select is(pg_temp.commit('first', 2, '3', p_expires_in_ms => 0), 'committed 3', 'by one that has expired on arrival');
select is(pg_temp.claim('second', 2), 'fresh 3', 'a newer version counts as fresh without a look at its expiry');
select ok(p.expires_in_ms <= 0 and p.fresh_in_ms <= 0 and p.refresh_in_ms <= 0, 'though it is not')
  from public.oauth_peek(pg_temp.id(), null, 2) p;
select is(pg_temp.claim('third', 3), 'claimed 3', 'who has seen that version refreshes it in turn');
select is(
  pg_temp.commit('third', 3, '4', p_expires_in_ms => 10000), 'committed 4', 'for a token of ten seconds'
);
select is((pg_temp.row()).leeway, interval '1 s', 'whose leeway is a tenth of its life');
select ok(
  c.access_expires_at - c.refresh_after between interval '1.6 s' and interval '2.4 s',
  'and its soft window a fifth, more or less'
) from pg_temp.row() c;
select pg_temp.pass('1 minute');
select is(pg_temp.claim('first', 4), 'claimed 4', 'it is refreshed in turn');
select is(
  pg_temp.commit('first', 4, '5', p_expires_in_ms => 9223372036854775807), 'committed 5',
  'an absurd lifetime does not cost the token that came with it'
);
select is(pg_temp.connect('6'), 6::bigint, 'Alice connects again, for an hour');
select isnt(pg_temp.events(), null, 'all of which is recorded');

-- The user acts during a refresh

select pg_temp.pass('1 hour');
select is(pg_temp.claim('first', 6), 'claimed 6', 'a refresh is under way');
select is(pg_temp.connect('7'), 7::bigint, 'meanwhile Alice connects again');
select is(pg_temp.commit('first', 6, 'x'), 'superseded 7', 'the refresh comes too late');
select is(pg_temp.fail('first', 'permanent', 'invalid_grant'), 'superseded', 'as would its failure');
select is(pg_temp.tokens(), 'v1.k1.iv.access-7 v1.k1.iv.refresh-7', 'the new tokens stay');
select pg_temp.pass('1 hour');
select is(pg_temp.claim('second', 7), 'claimed 7', 'another refresh is under way');
select isnt_empty($$ select public.oauth_disconnect(pg_temp.id(), pg_temp.alice(), 'pipedrive') $$, 'meanwhile Alice disconnects');
select is(pg_temp.commit('second', 7, 'x'), 'disconnected 8', 'what it brings is not stored');
select is(pg_temp.fail('second', 'transient'), 'superseded', 'nor its failure');
select is(pg_temp.tokens(), null, 'the tokens stay erased');
select is(pg_temp.claim('third', 8), 'disconnected 8', 'nobody asks any more');
select is((select access_token_sealed from public.oauth_peek(pg_temp.id(), null, -1)), null, 'nor gets a token');
select is(
  (select outcome from public.oauth_commit_refresh(
    gen_random_uuid(), gen_random_uuid(), 1, 'v1.k1.iv.x', 'v1.k1.iv.x', 'k1', null, 1, 0
  )),
  'disconnected', 'for a connection that went with its user it is the same'
);

-- Scope

select is(pg_temp.connect('9'), 9::bigint, 'Alice connects once more, for "base"');
select isnt(pg_temp.events(), null, 'which is recorded');
select is(
  array(
    select pg_temp.claim('first', 8 + n, true) || ', ' || pg_temp.commit('first', 8 + n, n::text, scope)
      from unnest(array['base contacts:read', null, 'contacts:read  base', 'contacts:read', '']) with ordinality s (scope, n)
  ),
  array(select format('claimed %s, committed %s', n, n + 1) from generate_series(9, 13) n),
  'refreshes bring more scope, say nothing of it, bring the same, less, and none'
);
select is(
  pg_temp.events(),
  '{refreshed 10 scope_widened,refreshed 11,refreshed 12,refreshed 13 scope_narrowed,refreshed 14 scope_narrowed}',
  'what changed is told by an event'
);
select is(
  array(select scope::text from oauth.events where code like 'scope%' order by id),
  '{"{base,contacts:read}","{contacts:read}","{}"}', 'with the scope there is now'
);
select is((pg_temp.row()).scope, '{}', 'which the connection has, too');

select * from finish();
rollback;
